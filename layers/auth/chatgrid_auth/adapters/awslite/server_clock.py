"""The time as a server has it, learned from the ``Date`` of its answers to what is asked anyway.

A date is a whole second, so each answer puts the error of this clock between two bounds, about a
second apart: the server wrote it after the request was sent and before the answer came. The bounds
of several answers together are narrower. Where an answer does not agree with the others, somebody
has set the clock, and the bounds begin anew. (A step of less than two seconds may agree with them,
and be noticed by a later answer only.)

A clock that may be right is left alone while the bounds are wide, and one that cannot be is set
between them. Once they are narrow enough, it is corrected by as little as brings it to within
``ACCURACY_SECONDS`` for certain. What was asked under a time that proves wrong by more than twice
that does not count: ``heard`` says so.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

ACCURACY_SECONDS = 0.25
"""How far this time may be from the server's: then two clocks differ by half a second at most."""
MOST_AHEAD_SECONDS = 1.25
"""How far ahead of the server's this time may be where it is confirmed."""
PAUSE_SECONDS = 5.0
"""After a freeze of this length, or a clock set forward by it, the time has to be heard again."""

_ANY_LOW, _ANY_HIGH = float("-inf"), float("inf")
_DAY = len(b"sun, 06 nov 1994 ")


class ServerClock:
    """A clock that knows its error.

    Args:
        clock: the time in epoch seconds, as this machine has it.
        monotonic: a clock that nobody sets; it may stand still while the machine is frozen.

    Attributes:
        offset_seconds: what is added to this machine's time.
        confirmed: whether the last answer bore this time out, at most ``MOST_AHEAD_SECONDS``
            ahead, and nothing happened since that may have changed it.
        answered_ms: when the last answer came, by this time, in Unix milliseconds.
    """

    __slots__ = (
        "_ahead",
        "_clock",
        "_date",
        "_day",
        "_high",
        "_low",
        "_midnight",
        "_monotonic",
        "_silent_from",
        "_silent_until",
        "answered_ms",
        "confirmed",
        "offset_seconds",
    )

    def __init__(self, clock: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._clock = clock
        self._monotonic = monotonic
        self._day = b""
        self._midnight = 0
        self.answered_ms = 0.0
        self.forget()

    def forget(self) -> None:
        """Begin anew: after a snapshot was restored, nothing that was known still holds."""
        self.offset_seconds = 0.0
        self.confirmed = False
        self._low, self._high = _ANY_LOW, _ANY_HIGH
        self._ahead = _ANY_HIGH
        self._date = b""
        self._silent_from, self._silent_until = _ANY_HIGH, _ANY_LOW

    def now_ms(self) -> int:
        """The time in Unix milliseconds, corrected."""
        now = self._clock()
        ahead = now - self._monotonic()
        if not -PAUSE_SECONDS < ahead - self._ahead < PAUSE_SECONDS:
            self.confirmed = False
            self._ahead = ahead
        return int((now + self.offset_seconds) * 1000)

    def heard(self, date: bytes | None, *, sent_at: float) -> bool:
        """Learn from an answer; whether what was sent was stamped with the right time.

        Args:
            date: the value of its ``Date`` header, in lower case.
            sent_at: this machine's time, uncorrected, before the request was sent.
        """
        got_at = self._clock()
        self.answered_ms = (got_at + self.offset_seconds) * 1000
        if (
            date == self._date
            and sent_at <= self._silent_until
            and self._silent_from <= got_at
            and sent_at <= got_at
        ):
            self.confirmed = True
            return True  # this second was heard before, and this answer tells nothing new
        server = None if date is None else self._second_of(date)
        if server is None:
            return True
        if got_at < sent_at:  # set back meanwhile
            self._low, self._high, self.confirmed = _ANY_LOW, _ANY_HIGH, False
            return False
        took = got_at - sent_at
        return self._learn(server - got_at, server + 1 - sent_at, took, date or b"", server)

    def _learn(self, low: float, high: float, took: float, date: bytes, server: int) -> bool:
        if low > self._high or high < self._low:
            self._low, self._high = low, high
        else:
            self._low, self._high = max(low, self._low), min(high, self._high)
        low, high = self._low, self._high
        stamped = self.offset_seconds
        if high - low <= 2 * ACCURACY_SECONDS:
            nearest = sorted((0.0, low + ACCURACY_SECONDS, high - ACCURACY_SECONDS))
            self.offset_seconds = nearest[1]
        else:
            self.offset_seconds = 0.0 if low <= 0 <= high else (low + high) / 2
        self._date = date
        self._silent_from, self._silent_until = server - low, server + 1 - high
        slack = 2 * ACCURACY_SECONDS + took
        counts = low - slack <= stamped <= high + slack
        self.confirmed = counts and stamped <= low + MOST_AHEAD_SECONDS
        return counts

    def _second_of(self, date: bytes) -> int | None:
        """The epoch second of a date; days are read once."""
        if date[:_DAY] != self._day:
            midnight = from_http_date(date[:_DAY].decode("latin-1") + "00:00:00 gmt")
            if midnight is None:
                return None
            self._day, self._midnight = date[:_DAY], midnight
        if len(date) != _DAY + 12 or date[-4:] != b" gmt":
            return None
        try:
            hour, minute, second = map(int, date[_DAY:-4].split(b":"))
        except ValueError:
            return None
        return self._midnight + hour * 3600 + minute * 60 + second


# Arithmetic only: datetime, email.utils and calendar would each cost the authorizer's start-up more
# than the whole client does.
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def from_http_date(text: str) -> int | None:
    """The epoch second of an IMF-fixdate (RFC 9110, 5.6.7), or ``None`` for anything else.

    ``Sun, 06 Nov 1994 08:49:37 GMT`` is 784111777. Letter case does not matter.
    """
    parts = text.lower().split(" ")
    if len(parts) != 6 or parts[5] != "gmt" or parts[2] not in _MONTHS:
        return None
    return _epoch(parts[3], str(_MONTHS.index(parts[2]) + 1), parts[1], parts[4])


def from_iso_8601(text: str) -> int | None:
    """The epoch second of ``2026-11-24T03:50:00Z``, fractions dropped; else ``None``.

    Only UTC, spelled ``Z`` or ``+00:00``, is read: what AWS's credential endpoints send.
    """
    if text.endswith("+00:00"):
        text = text[:-6] + "Z"
    day, separator, clock = text.partition("T")
    if not separator or not clock.endswith("Z"):
        return None
    year, _, rest = day.partition("-")
    month, _, day_of_month = rest.partition("-")
    return _epoch(year, month, day_of_month, clock[:-1].partition(".")[0])


def _epoch(year: str, month: str, day: str, clock: str) -> int | None:
    fields = (year, month, day, *clock.split(":"))
    if len(fields) != 6 or not all(f.isascii() and f.isdigit() and len(f) <= 4 for f in fields):
        return None
    y, m, d, hour, minute, second = (int(field) for field in fields)
    if not (1 <= m <= 12 and 1 <= d <= 31 and hour < 24 and minute < 60 and second <= 60):
        return None
    # Days from the civil date: years begin in March, so that the leap day comes last.
    if m <= 2:
        y -= 1
    era_days = 365 * y + y // 4 - y // 100 + y // 400
    day_of_year = (153 * ((m + 9) % 12) + 2) // 5 + d - 1
    return (era_days + day_of_year - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
