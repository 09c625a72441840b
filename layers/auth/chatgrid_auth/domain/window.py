"""Never more than the limit in any 60 seconds, decided by one conditional write.

The item holds `used` (requests admitted), `cap` (`used` + limit, kept in step) and checkpoints. The
first request admitted in second s writes the checkpoint of second s + 62, with the value that `cap`
had just before. It says: as long as the window of a request can reach back to second s, `used` must
stay below this value. The condition compares `used` with every checkpoint that can still apply, so
the store itself enforces the limit, however many containers write at once.

Clocks may differ by up to MAX_SKEW_MS, and a write may take up to MAX_FLIGHT_MS: the window is
enforced over 62 s of clock reading, a request also minds checkpoints later than its own, and names
are kept a little longer. docs/decisions/0002-sliding-window.md has the proof and the alternatives.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Item = Mapping[str, Any]

#: Requests of one JWT user in any 60 seconds: a promise of the API, not a setting.
JWT_RATE_LIMIT = 200

WINDOW_MS = 60_000
MAX_SKEW_MS = 2_000
MAX_FLIGHT_MS = 2_000
"""From reading the clock to the store's verdict; a client gives up before, or reads it again."""
BUCKET_MS = 1_000
SPAN = (WINDOW_MS + MAX_SKEW_MS) // BUCKET_MS
"""Buckets for which a checkpoint outlives its own: 62 s of clock reading hold any real 60 s."""
SKEW = MAX_SKEW_MS // BUCKET_MS
FLIGHT = MAX_FLIGHT_MS // BUCKET_MS

SWEEP = 16
"""How many names just gone stale each write removes; what it misses is left to the upkeep."""
MAX_CHECKPOINTS = 68
"""More than this in one item asks for upkeep. At most SPAN + FLIGHT + 1 = 65 are not yet stale."""
REBASE_AT = 800_000
"""`used` is lowered from here, so that a checkpoint's value keeps to six digits (four bytes)."""

# Second 0 of the names. Five characters last 29 years; only then does a name come round again.
_EPOCH_S = 1_767_225_600
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RADIX = len(_DIGITS)
RING = _RADIX**5
NAME_LENGTH = 6


class Admission:
    """What one bucket's admission needs in an UpdateItem; the only placeholder is `:one` (N 1)."""

    __slots__ = ("assignments", "bucket", "condition", "live", "removals")

    def __init__(self, bucket: int) -> None:
        own = SWEEP + FLIGHT
        names = checkpoint_names(bucket - own, own + SPAN + SKEW + FLIGHT + 1)
        checked = names[own:]
        written = checked[SPAN]
        self.bucket = bucket
        self.condition = " AND ".join(
            [f"(attribute_not_exists({name}) OR used < {name})" for name in checked]
        )
        self.assignments = (
            f"used = used + :one, cap = cap + :one, {written} = if_not_exists({written}, cap)"
        )
        self.removals = ", ".join(names[:SWEEP])
        # Names that some clock may mind, each with the last bucket in which it does.
        self.live = dict(
            zip(names[own - SKEW :], range(bucket - SKEW, bucket + len(names)), strict=False)
        )


class WindowState:
    """What an item says about its window, as one clock sees it.

    limit: requests for each window.
    remaining: never more than what is then admitted, whichever clock decides.
    more_s: Unix second at which more than that are admitted; past when the whole limit is there.
    reset_s: Unix second from which, without further requests, the whole limit is available.
    retry_at_ms: when one more is admitted whichever clock decides; None when that is now.
    blocked_until_ms: until when this clock's requests are refused; None when one is admitted now.
    upkeep: whether the item asks for `window_upkeep.maintenance`.
    """

    __slots__ = (
        "blocked_until_ms",
        "limit",
        "more_s",
        "remaining",
        "reset_s",
        "retry_at_ms",
        "upkeep",
    )

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.remaining = 0
        self.more_s = 0
        self.reset_s = 0
        self.retry_at_ms: int | None = None
        self.blocked_until_ms: int | None = None
        self.upkeep = False


def bucket(now_ms: int) -> int:
    """The bucket of a clock reading: whole seconds, so that 62 s apart is 62 buckets apart."""
    return now_ms // BUCKET_MS


def checkpoint_names(first: int, count: int) -> list[str]:
    """Attribute names of the checkpoints that apply until the `count` buckets from `first`."""
    names: list[str] = []
    while count > 0:
        head, tail = divmod((first - _EPOCH_S) % RING, _RADIX)
        prefix = ""
        for _ in range(4):
            head, digit = divmod(head, _RADIX)
            prefix = _DIGITS[digit] + prefix
        prefix = "k" + prefix
        run = _DIGITS[tail : tail + count]
        names += [prefix + digit for digit in run]
        first += len(run)
        count -= len(run)
    return names


def bucket_of(name: str) -> int:
    """The last bucket in which a checkpoint applies, modulo RING."""
    number = 0
    for digit in name[1:]:
        number = number * _RADIX + _DIGITS.index(digit)
    return number + _EPOCH_S


_latest = Admission(_EPOCH_S)


def admission(now_ms: int) -> Admission:
    """The expressions that admit one request now, or refuse it; kept for the current bucket."""
    global _latest  # noqa: PLW0603 - a memo of a pure function, replaced whole
    plan = _latest
    now = now_ms // BUCKET_MS
    if plan.bucket != now:
        _latest = plan = Admission(now)
    return plan


def fresh(limit: int) -> dict[str, dict[str, str]]:
    """The window of an item that has admitted nothing yet."""
    return {"used": {"N": "0"}, "cap": {"N": str(limit)}}


def first_admission(*, now_ms: int, limit: int) -> dict[str, dict[str, str]]:
    """The window of an item that is created together with its first admitted request."""
    (name,) = checkpoint_names(now_ms // BUCKET_MS + SPAN, 1)
    return {"used": {"N": "1"}, "cap": {"N": str(limit + 1)}, name: {"N": str(limit)}}


def read(item: Item, *, now_ms: int, limit: int) -> WindowState:
    """The figures of an item as the store returned it, admitted or refused; `limit` from 1."""
    live = admission(now_ms).live
    used = int(item["used"]["N"])
    cap = int(item["cap"]["N"])
    ceilings = {live[name]: int(value["N"]) for name, value in item.items() if name in live}
    lowest = min(ceilings.values(), default=cap)
    reading = WindowState(limit)
    reading.remaining = max(0, min(lowest - used, cap - used, limit))
    reading.reset_s = max(ceilings) + 1 + SKEW if ceilings else -(-now_ms // BUCKET_MS)
    if reading.remaining < limit:
        bar = max(used, lowest)
        blocking = max((end for end, ceiling in ceilings.items() if ceiling <= bar), default=0)
        reading.more_s = blocking + 1 + SKEW
    if lowest <= used:
        reading.retry_at_ms = (blocking + 1 + SKEW) * BUCKET_MS
        if blocking >= now_ms // BUCKET_MS:
            reading.blocked_until_ms = (blocking + 1) * BUCKET_MS
    reading.upkeep = (
        cap - used != limit
        or used >= REBASE_AT
        or (len(item) > MAX_CHECKPOINTS and sum(map(is_checkpoint, item)) > MAX_CHECKPOINTS)
    )
    return reading


def blocked(item: Item, *, now_ms: int) -> bool:
    """Whether the window refuses a request now, that is, whether `Admission.condition` is false."""
    used = int(item["used"]["N"])
    live = admission(now_ms).live
    now = now_ms // BUCKET_MS
    return any(
        int(value["N"]) <= used
        for name, value in item.items()
        if name in live and live[name] >= now
    )


def retry_after_s(retry_at_ms: int, *, now_ms: int) -> int:
    """`Retry-After` for a moment on the clock that reads now: whole seconds, rounded up, from 1."""
    return max(1, -((now_ms - retry_at_ms) // 1_000))


def is_checkpoint(name: str) -> bool:
    """Whether an attribute is a checkpoint, live or stale."""
    return len(name) == NAME_LENGTH and name[0] == "k"
