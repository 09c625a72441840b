"""The credits of a key as its home says them; loaded for the first key that has some."""

from __future__ import annotations

from chatgrid_auth.domain.limits.beyond import Beyond
from chatgrid_auth.domain.limits.costs import TOP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

DUE = "due"


class KeyCredits:
    """Where a key stands with its credits.

    Attributes:
        left: units that are left.
        due_ms: when they come back next, in Unix milliseconds; ``None`` for never.
        short: whether they were too few for the request.
        comes_back: whether they will be enough for it then.
        spent: what the request took.
        give_back: gives that back; ``None`` where nothing was taken.
    """

    __slots__ = ("comes_back", "due_ms", "give_back", "left", "short", "spent")

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.left = int(item[TOP]["N"]) - int(item["used"]["N"])
        self.due_ms = int(item[DUE]["N"]) if DUE in item else None
        self.short = False
        self.comes_back = False
        self.spent = 0
        self.give_back: Callable[[], None] | None = None

    def told(self) -> Beyond:
        """What is told of them when the request is allowed."""
        return Beyond(credits_left=self.left, spent=self.spent, give_back=self.give_back)
