"""The window in any length from a second to a day, for items that hold nothing else.

Up to a minute it is cut into seconds. A longer one has thirty buckets, and whoever uses a whole
limit at once would wait for the end of its bucket as well. So its item also keeps when each bucket
was last used, rounded up to two seconds, and the condition lets a ceiling go once that is a window
ago: the wait is at most the window and 3 s.

A last use only ever rises. A write that would lower it is refused, and asked again with what the
item says: so nothing that comes late makes a ceiling end before its time. Only buckets of which
a part may lie a window back are asked for it: the two oldest. The places of last uses are used
again; what a later bucket leaves there is later, and lets nothing go.
docs/decisions/0030-limits-beyond-the-minute.md has the proof.
"""

from __future__ import annotations

from chatgrid_auth.domain.limits.window import (
    MAX_SKEW_MS,
    MINUTE,
    Admission,
    Window,
    checkpoint_names,
    retry_after_s,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.domain.limits.window import Seen

    Item = Mapping[str, Any]

SHORTEST_SECONDS, LONGEST_SECONDS = 1, 86_400

_STEP_MS = 2_000
"""What a last use is rounded up to. Seldom do two containers disagree on it, and the wait has room
for no more: the window, this, and twice half a second of skew."""
_STEP_S = _STEP_MS // 1_000
_BUCKETS = 30
_PLACES = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfg"


class AnyLength(Window):
    """A window of up to a minute.

    Args:
        length_ms: how long the promise reaches back; whole seconds.
        bucket_ms: how exactly; whole seconds.
    """

    __slots__ = ()

    def __init__(self, *, length_ms: int, bucket_ms: int = 1_000) -> None:
        super().__init__(length_ms=length_ms, bucket_ms=bucket_ms)

    def times(self, now_ms: int, seen: Item | None) -> dict[str, dict[str, str]]:  # noqa: ARG002 - for longer ones
        """What the expressions want to know of the time.

        Args:
            now_ms: Unix time in milliseconds.
            seen: the item that refused a request before this one; ``None`` for none. Where this
                makes another answer of it, the request has to be asked again.
        """
        return {}

    def begun(self, now_ms: int) -> dict[str, dict[str, str]]:  # noqa: ARG002 - for longer ones
        """What an item that is made with its first admitted request holds of last uses."""
        return {}

    def of(self, item: Item) -> Seen:  # noqa: ARG002 - for longer ones
        """The window as an item has it, to be read."""
        return self

    def wait_s(self, retry_at_ms: int, *, now_ms: int) -> int:
        """`Retry-After` of a refusal: enough on every clock, at most the window and 3 s.

        Only what a clock told that is ahead asks for more; from this clock on that much is enough.
        """
        return min(retry_after_s(retry_at_ms, now_ms=now_ms), self.length_ms // 1_000 + 3)


class _Long(AnyLength):
    """A window of more than a minute.

    Args:
        length_ms: how long the promise reaches back; whole seconds.
    """

    __slots__ = ()

    #: At most 34 checkpoints are not yet stale.
    most = 37

    def __init__(self, *, length_ms: int) -> None:
        step_ms = _STEP_MS * _BUCKETS
        super().__init__(length_ms=length_ms, bucket_ms=-(-length_ms // step_ms) * _STEP_MS)
        self._latest = _Admission(self, 0)

    def admission(self, now_ms: int) -> _Admission:
        """As of any window."""
        plan = self._latest
        if not (isinstance(plan, _Admission) and plan.from_ms <= now_ms < plan.until_ms):
            self._latest = plan = _Admission(self, now_ms)
        return plan

    def times(self, now_ms: int, seen: Item | None) -> dict[str, dict[str, str]]:
        """The last use that this request makes, and the one that lets a ceiling go."""
        use_s = _last_use_s(now_ms)
        place = _last_use(self.written(now_ms))
        if seen is not None and place in seen:
            use_s = max(use_s, int(seen[place]["N"]))
        past_s = (now_ms - self.length_ms - MAX_SKEW_MS) // 1_000
        return {":use": {"N": str(use_s)}, ":past": {"N": str(past_s)}}

    def begun(self, now_ms: int) -> dict[str, dict[str, str]]:
        """The last use of the item's first bucket."""
        return {_last_use(self.written(now_ms)): {"N": str(_last_use_s(now_ms))}}

    def of(self, item: Item) -> Seen:
        """The window with ceilings that end by their buckets' last uses."""
        return _Seen(self, item)


class _Admission(Admission):
    """Placeholders beside those of ``Admission`` are what ``_Long.times`` gives.

    Attributes:
        uses: where the last use lies that belongs to a checkpoint, of those in `live`.
    """

    __slots__ = ("uses",)

    def __init__(self, window: _Long, now_ms: int) -> None:
        super().__init__(window, now_ms)
        reader = window.reader(now_ms)
        for checkpoint, name in enumerate(checkpoint_names(reader, 2), reader):
            place = _last_use(checkpoint)
            self.condition = self.condition.replace(f"#u<{name})", f"#u<{name} OR {place}<=:past)")
        own = _last_use(window.written(now_ms))
        self.condition += f" AND (attribute_not_exists({own}) OR {own} <= :use)"
        self.assignments += f", {own} = :use"
        # From the slowest clock's on, for as long as this plan serves.
        slow = window.reader(self.from_ms - MAX_SKEW_MS)
        number = reader + window.checks - slow
        names = checkpoint_names(slow, number)
        step_s = window.bucket_ms // 1_000
        free_s = (window.end_ms(slow) + MAX_SKEW_MS) // 1_000
        self.live = {name: free_s + step_s * after for after, name in enumerate(names)}
        self.uses = {name: _last_use(slow + after) for after, name in enumerate(names)}


class _Seen:
    """A window in one item, as ``window.read`` and ``window.blocked`` want it.

    Attributes:
        live: the ceilings that some clock may mind, each with the second from which on none does.
    """

    __slots__ = ("_item", "_window", "live", "most")

    def __init__(self, window: _Long, item: Item) -> None:
        self._window = window
        self._item = item
        self.most = window.most
        self.live: dict[str, int] = {}

    def admission(self, now_ms: int) -> _Seen:
        """Itself, with what is live at this time."""
        plan, item = self._window.admission(now_ms), self._item
        after_s = (self._window.length_ms + 2 * MAX_SKEW_MS) // 1_000
        self.live = {}
        for name, end_s in plan.live.items():
            place = plan.uses[name]
            free_s = min(end_s, int(item[place]["N"]) + after_s) if place in item else end_s
            if now_ms < free_s * 1_000:
                self.live[name] = free_s
        return self


def _last_use(checkpoint: int) -> str:
    """Where an item keeps when the bucket of a checkpoint was last used, in Unix seconds."""
    return "t" + _PLACES[checkpoint % len(_PLACES)]


def _last_use_s(now_ms: int) -> int:
    return (now_ms // _STEP_MS + 1) * _STEP_S


def of_seconds(length_seconds: int) -> AnyLength:
    """A window of so many whole seconds, from one to a day.

    Raises:
        ValueError: it is shorter or longer than that.
    """
    if not SHORTEST_SECONDS <= length_seconds <= LONGEST_SECONDS:
        raise ValueError(f"a window has {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds")
    length_ms = length_seconds * 1_000
    kind = AnyLength if length_ms <= MINUTE.length_ms else _Long
    return kind(length_ms=length_ms)
