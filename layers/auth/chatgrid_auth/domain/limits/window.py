"""Never more than the limit in any 60 seconds, decided by one conditional write.

The item holds `used` (requests admitted), `cap` (`used` + limit, kept in step) and checkpoints. The
first request admitted in second s writes the checkpoint of second s + 61, with the value that `cap`
had just before. It says: as long as the window of a request can reach back to second s, `used` must
stay below this value. The condition compares `used` with every checkpoint that can still apply, so
the store itself enforces the limit, however many containers write at once.

Clocks may differ by up to MAX_SKEW_MS, and a write may take up to MAX_FLIGHT_MS: a request also
minds checkpoints later than its own, and names are kept a little longer. Checkpoints are written by
whole seconds and read by seconds that begin MAX_SKEW_MS earlier, so that 61 of them hold any real
60 s. docs/decisions/0002-sliding-window.md has the proof and the alternatives.
"""

from __future__ import annotations

from itertools import count

from chatgrid_auth.domain.verdicts import RateLimitStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Protocol

    Item = Mapping[str, Any]

    class Live(Protocol):
        """Ceilings that some clock may mind, each with the second from which on none does."""

        live: dict[str, int]

    class Seen(Protocol):
        """What is read from an item: a window, or a window as an item has it."""

        most: int

        def admission(self, now_ms: int) -> Live: ...


#: Requests of one JWT user in any 60 seconds: a promise of the API, not a setting.
JWT_RATE_LIMIT = 200

MAX_SKEW_MS = 500
MAX_FLIGHT_MS = 2_000
"""From reading the clock to the store's verdict: what is answered later does not count."""
MAX_AHEAD_MS = 1_500
"""How far ahead of another clock may be what removes names: one answer of the store tells that."""

SWEEP = 16
"""How many names just gone stale each write removes; what it misses is left to the upkeep."""
MAX_CHECKPOINTS = 68
"""More than this in one item asks for upkeep. At most 67 are not yet stale."""
REBASE_AT = 800_000
"""`used` is lowered from here, so that a checkpoint's value keeps to six digits (four bytes)."""

# Second 0 of the names. Five characters last 9.7 years; only then does a name come round again.
_EPOCH = 1_767_225_600
# Without vowels: no name can be a word, and so none of DynamoDB's reserved ones.
_LETTERS = "BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
_DIGITS = "0123456789" + _LETTERS
_RADIX = len(_DIGITS)
RING = len(_LETTERS) * _RADIX**4
NAME_LENGTH = 5


class Window:
    """A length of time in which no more than a limit is admitted, cut into buckets.

    Args:
        length_ms: how long the promise reaches back.
        bucket_ms: how exactly; whole seconds, at most 62 of them (DynamoDB bounds expressions).

    Attributes:
        phase_ms: how much earlier than the writing buckets the reading ones begin.
        span: a checkpoint applies until the reading bucket that is so many after its writing one.
        checks: how many checkpoints a request minds, from its own reading bucket on.
        kept: how many names before its own reading bucket a request has to leave.
        most: more checkpoints than this in one item ask for upkeep.
    """

    most = MAX_CHECKPOINTS

    __slots__ = ("_latest", "bucket_ms", "checks", "kept", "length_ms", "phase_ms", "span")

    def __init__(self, *, length_ms: int, bucket_ms: int) -> None:
        self.length_ms = length_ms
        self.bucket_ms = bucket_ms
        self.phase_ms = -MAX_SKEW_MS % bucket_ms
        self.span = -(-(length_ms + MAX_SKEW_MS + self.phase_ms) // bucket_ms)
        late_ms = bucket_ms - self.phase_ms + MAX_FLIGHT_MS + MAX_SKEW_MS
        ahead = -(-late_ms // bucket_ms) - 1
        self.checks = self.span + ahead + 1
        past_ms = self.phase_ms + bucket_ms + length_ms + MAX_AHEAD_MS + MAX_FLIGHT_MS
        self.kept = -(-past_ms // bucket_ms) - self.span - 1
        self._latest = Admission(self, 0)

    def reader(self, now_ms: int) -> int:
        """The first checkpoint that a request with this clock reading minds."""
        return (now_ms + self.phase_ms) // self.bucket_ms

    def written(self, now_ms: int) -> int:
        """The checkpoint that a request with this clock reading writes."""
        return now_ms // self.bucket_ms + self.span

    def end_ms(self, checkpoint: int) -> int:
        """From which clock reading on a checkpoint is not minded any more."""
        return (checkpoint + 1) * self.bucket_ms - self.phase_ms

    def admission(self, now_ms: int) -> Admission:
        """The expressions that admit one request now, or refuse it; kept while they are these."""
        plan = self._latest
        if not plan.from_ms <= now_ms < plan.until_ms:
            self._latest = plan = Admission(self, now_ms)
        return plan


class Admission:
    """What an admission needs in an UpdateItem while the clock reads from `from_ms` to `until_ms`.

    Placeholders: `#u` stands for `used`, or for a cost's shadow of it; `:c` for the cost (N).
    """

    __slots__ = ("assignments", "condition", "from_ms", "live", "removals", "until_ms")

    def __init__(self, window: Window, now_ms: int) -> None:
        reader, begun = window.reader(now_ms), now_ms // window.bucket_ms
        swept = reader - window.kept - SWEEP
        names = checkpoint_names(swept, reader + window.checks - swept)
        own = names[window.written(now_ms) - swept]
        self.from_ms = max(window.end_ms(reader - 1), begun * window.bucket_ms)
        self.until_ms = min(window.end_ms(reader), (begun + 1) * window.bucket_ms)
        # Short as can be: a third of a warm decision is the hashing of these bytes.
        self.condition = "#u<cap AND " + " AND ".join(
            [f"(attribute_not_exists({name}) OR #u<{name})" for name in names[reader - swept :]]
        )
        self.assignments = f"used = used + :c, cap = cap + :c, {own} = if_not_exists({own}, cap)"
        self.removals = ",".join(names[:SWEEP])
        # Names that some clock may mind, each with the Unix second from which on none does.
        slow = window.reader(now_ms - MAX_SKEW_MS)
        step_s = window.bucket_ms // 1_000
        free_s = (window.end_ms(slow) + MAX_SKEW_MS) // 1_000
        self.live = dict(zip(names[slow - swept :], count(free_s, step_s), strict=False))


class WindowState(RateLimitStatus):
    """What an item says about its window, as one clock sees it.

    limit: requests for each window.
    remaining: never more than what is then admitted, whichever clock decides.
    more_s: Unix second at which more than that are admitted; past when the whole limit is there.
    reset_s: Unix second from which, without further requests, the whole limit is available.
    retry_at_ms: when one more is admitted whichever clock decides; None when that is now.
    blocked_until_ms: until when this clock's requests are refused; None when one is admitted now.
    upkeep: whether the item asks for `window_upkeep.maintenance`.
    """

    __slots__ = ("blocked_until_ms", "retry_at_ms", "upkeep")

    retry_at_ms: int | None
    blocked_until_ms: int | None
    upkeep: bool


def checkpoint_names(first: int, number: int) -> list[str]:
    """Attribute names of `number` checkpoints from `first` on."""
    names: list[str] = []
    while number > 0:
        head, tail = divmod((first - _EPOCH) % RING, _RADIX)
        prefix = ""
        for _ in range(3):
            head, digit = divmod(head, _RADIX)
            prefix = _DIGITS[digit] + prefix
        prefix = _LETTERS[head] + prefix
        run = _DIGITS[tail : tail + number]
        names += [prefix + digit for digit in run]
        first += len(run)
        number -= len(run)
    return names


def checkpoint_of(name: str) -> int:
    """Which checkpoint a name stands for, modulo RING."""
    number = _LETTERS.index(name[0])
    for digit in name[1:]:
        number = number * _RADIX + _DIGITS.index(digit)
    return number + _EPOCH


def is_checkpoint(name: str) -> bool:
    """Whether an attribute is a checkpoint, live or stale: no other has a name of that length."""
    return len(name) == NAME_LENGTH


#: The window of every key and every session.
MINUTE = Window(length_ms=60_000, bucket_ms=1_000)


def fresh(limit: int) -> dict[str, dict[str, str]]:
    """The window of an item that has admitted nothing yet."""
    return {"used": {"N": "0"}, "cap": {"N": str(limit)}}


def first_admission(
    *, now_ms: int, limit: int, window: Window = MINUTE, cost: int = 1
) -> dict[str, dict[str, str]]:
    """The window of an item that is created together with its first admitted request."""
    (name,) = checkpoint_names(window.written(now_ms), 1)
    return {"used": {"N": str(cost)}, "cap": {"N": str(limit + cost)}, name: {"N": str(limit)}}


def read(
    item: Item, *, now_ms: int, limit: int, window: Seen = MINUTE, cost: int = 1
) -> WindowState:
    """The figures of an item as the store returned it, admitted or refused; `limit` from 1.

    When to try again is for a request of this cost, which is at most the limit; the rest is in
    units of one.
    """
    live = window.admission(now_ms).live
    used = int(item["used"]["N"])
    room = int(item["cap"]["N"]) - used
    ceilings = {live[name]: int(value["N"]) for name, value in item.items() if name in live}
    remaining = min(limit, room)  # no call
    more_s, reset_s, retry_at_ms, blocked_until_ms = 0, -(-now_ms // 1_000), None, None
    if ceilings:
        reset_s = max(ceilings)
        lowest = min(ceilings.values())
        remaining = min(remaining, lowest - used)
        if remaining < limit:
            bar = max(used, lowest)
            more_s = max([end_s for end_s, ceiling in ceilings.items() if ceiling <= bar])
            bar = used + cost - 1
            if lowest <= bar:
                retry_s = more_s
                if cost > 1:
                    retry_s = max([end_s for end_s, ceiling in ceilings.items() if ceiling <= bar])
                retry_at_ms = retry_s * 1_000
                if now_ms < retry_at_ms - MAX_SKEW_MS:
                    blocked_until_ms = retry_at_ms - MAX_SKEW_MS
    if remaining < 0:  # noqa: PLR1730 - no call
        remaining = 0
    state = WindowState(limit=limit, remaining=remaining, more_s=more_s, reset_s=reset_s)
    state.retry_at_ms = retry_at_ms
    state.blocked_until_ms = blocked_until_ms
    state.upkeep = (
        room != limit
        or used >= REBASE_AT
        or (len(item) > window.most and sum(map(is_checkpoint, item)) > window.most)
    )
    return state


def blocked(item: Item, *, now_ms: int, window: Seen = MINUTE, cost: int = 1) -> bool:
    """Whether the window refuses a request now, that is, whether `Admission.condition` is false."""
    used = int(item["used"]["N"]) + cost - 1
    live = window.admission(now_ms).live
    return used >= int(item["cap"]["N"]) or any(
        int(value["N"]) <= used and now_ms < live[name] * 1_000 - MAX_SKEW_MS
        for name, value in item.items()
        if name in live
    )


def retry_after_s(retry_at_ms: int, *, now_ms: int) -> int:
    """`Retry-After` for a moment on the clock that reads now: whole seconds, rounded up, from 1."""
    return max(1, -((now_ms - retry_at_ms) // 1_000))
