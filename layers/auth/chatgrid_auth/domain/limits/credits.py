"""Credits that come back: how many, how often, and when next. All in UTC.

The next time is always reckoned from an anchor, never from the last one, so that what is due on the
31st comes on the last day of a shorter month, and on the 31st again in a longer one.
"""

from __future__ import annotations

MOST_CREDITS = 1_000_000_000
INTERVALS = ("day", "week", "month")
#: What is kept in a refill's place for credits that do not come back.
NO_REFILL = "none"
_DAY_MS = 86_400_000
_LENGTHS_MS = {"day": _DAY_MS, "week": 7 * _DAY_MS}
#: The Monday of the week that 1970 began in, in days before it.
_MONDAY = -3


class Refill:
    """What a key gets again and again.

    Attributes:
        amount: how many credits it then has, whatever was left.
        interval: ``day``, ``week`` or ``month``.
        anchor_ms: one of the times at which it does, in Unix milliseconds.
    """

    __slots__ = ("amount", "anchor_ms", "interval")

    def __init__(self, amount: int, interval: str, anchor_ms: int) -> None:
        self.amount = amount
        self.interval = interval
        self.anchor_ms = anchor_ms

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Refill) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return f"{self.amount} {self.interval} {self.anchor_ms}"

    def next_after(self, now_ms: int) -> int:
        """The first of its times that lies after this moment, in Unix milliseconds."""
        length_ms = _LENGTHS_MS.get(self.interval)
        if length_ms is not None:
            return now_ms + length_ms - (now_ms - self.anchor_ms) % length_ms
        year, month, day = _date(self.anchor_ms // _DAY_MS)
        within_ms = self.anchor_ms % _DAY_MS
        now_year, now_month, _ = _date(now_ms // _DAY_MS)
        months = (now_year - year) * 12 + now_month - month
        for later in (months - 1, months, months + 1):
            years, index = divmod(month - 1 + later, 12)
            at_ms = _month_day(year + years, index + 1, day) * _DAY_MS + within_ms
            if at_ms > now_ms:
                return at_ms
        raise AssertionError("a month has one day like any other")


def parse(text: str) -> Refill:
    """A refill from its own text."""
    amount, interval, anchor_ms = text.split()
    return Refill(int(amount), interval, int(anchor_ms))


def boundary_after(interval: str, now_ms: int) -> int:
    """The next beginning of a day, a week (Monday) or a month, in Unix milliseconds."""
    anchor = _MONDAY if interval == "week" else 0
    return Refill(0, interval, anchor * _DAY_MS).next_after(now_ms)


def _month_day(year: int, month: int, day: int) -> int:
    """Days since 1970 of a day of a month, or of the month's last where it has none such."""
    first = _days(year, month)
    last = _days(year + month // 12, month % 12 + 1) - 1
    return min(first + day - 1, last)


def _days(year: int, month: int) -> int:
    """Days since 1970 of the first of a month, in the Gregorian calendar."""
    # From March on, so that the leap day is the last of a year.
    year -= month < 3
    months = (month + 9) % 12
    return 365 * year + year // 4 - year // 100 + year // 400 + (153 * months + 2) // 5 - 719_468


def _date(days: int) -> tuple[int, int, int]:
    """Year, month and day of so many days since 1970."""
    year = 1970 + days * 400 // 146_097
    while _days(year, 1) > days:
        year -= 1
    while _days(year + 1, 1) <= days:
        year += 1
    month = 1
    while month < 12 and _days(year, month + 1) <= days:
        month += 1
    return year, month, days - _days(year, month) + 1
