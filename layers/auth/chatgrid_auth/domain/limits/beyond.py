"""What is told of a request beside the minute of its credential: further limits, and credits.

Loaded only for requests of which there is something to tell. As text in the authorizer's context:
limits are set apart by ``|``, and what is told of each by ``;``: name, limit, length in seconds,
and of those that were asked what remains, when there is more, when the whole is back.
"""

from __future__ import annotations

from chatgrid_auth.domain.verdicts import RateLimitStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from chatgrid_auth.domain.verdicts import Told

DEFAULT, OWNER, CREDITS, ROUTE = "default", "owner", "credits", "route:"
_MOST_DIGITS = 16
_NAMES = ("limits", "refused_by", "credits")


class AppliedLimit:
    """A limit that applies to a request.

    Attributes:
        name: ``default``, ``owner``, or ``route:`` with the route.
        limit: units in any time of its length.
        window_seconds: that length.
        status: where it stands after the request; ``None`` when it was not asked.
    """

    __slots__ = ("limit", "name", "status", "window_seconds")

    def __init__(
        self, name: str, limit: int, window_seconds: int, status: RateLimitStatus | None = None
    ) -> None:
        self.name = name
        self.limit = limit
        self.window_seconds = window_seconds
        self.status = status


class Beyond:
    """What there is beside the minute.

    Attributes:
        limits: all that apply, the credential's own first; empty where that is the only one.
        refused_by: which limit refused, or ``credits``; empty for an allowed request.
        credits_left: credits after the request; ``None`` for who has none to spend.
        spent: credits that the request took.
        give_back: takes that back; ``None`` where nothing was spent.
    """

    __slots__ = ("credits_left", "give_back", "limits", "refused_by", "spent")

    def __init__(
        self,
        *,
        limits: Sequence[AppliedLimit] = (),
        refused_by: str = "",
        credits_left: int | None = None,
        spent: int = 0,
        give_back: Callable[[], None] | None = None,
    ) -> None:
        self.limits = limits
        self.refused_by = refused_by
        self.credits_left = credits_left
        self.spent = spent
        self.give_back = give_back

    def closest(self) -> RateLimitStatus | None:
        """The limit with the least left, of those that were asked."""
        asked = [applied.status for applied in self.limits if applied.status is not None]
        return min(asked, key=lambda status: status.remaining, default=None)


def write(beyond: Told) -> dict[str, str | int]:
    """What the authorizer's context holds of it."""
    told: dict[str, str | int] = {}
    if beyond.limits:
        told["limits"] = "|".join(map(_text_of, beyond.limits))
    if beyond.refused_by:
        told["refused_by"] = beyond.refused_by
    if beyond.credits_left is not None:
        told["credits"] = beyond.credits_left
    return told


def is_told(context: Mapping[str, object]) -> bool:
    """Whether a context holds any of it."""
    return any(name in context for name in _NAMES)


def read(context: Mapping[str, object]) -> Beyond:
    """What a context holds; what cannot be read there is passed over."""
    limits, refused_by, left = (context.get(name) for name in _NAMES)
    applied = []
    for text in limits.split("|") if isinstance(limits, str) and limits else ():
        one = _read(text)
        if one is not None:
            applied.append(one)
    return Beyond(
        limits=applied,
        refused_by=refused_by if isinstance(refused_by, str) else "",
        credits_left=_number(left),
    )


def _text_of(applied: AppliedLimit) -> str:
    told: list[str | int] = [applied.name, applied.limit, applied.window_seconds]
    if applied.status is not None:
        status = applied.status
        told += [status.remaining, status.more_s, status.reset_s]
    return ";".join(map(str, told))


def _read(text: str) -> AppliedLimit | None:
    name, *rest = text.split(";")
    numbers = [number for number in map(_number, rest) if number is not None]
    if len(numbers) != len(rest) or len(numbers) not in {2, 5}:
        return None
    status = None
    if len(numbers) == 5:
        remaining, more_s, reset_s = numbers[2:]
        status = RateLimitStatus(
            limit=numbers[0], remaining=remaining, more_s=more_s, reset_s=reset_s
        )
    return AppliedLimit(name, numbers[0], numbers[1], status)


def _number(value: object) -> int | None:
    if isinstance(value, int):
        return value
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return None
    return int(value) if len(value) <= _MOST_DIGITS else None
