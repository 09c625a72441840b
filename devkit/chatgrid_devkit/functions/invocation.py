"""What comes of calling a function."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned this value."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The handler raised, ran out of time, or its process died.

    Attributes:
        message: the exception's own text; it may hold anything, so it goes into no answer.
    """

    kind: Literal["error", "timeout", "crash"]
    message: str = ""
    error_type: str = ""

    def __str__(self) -> str:
        return f"the function failed: {self.error_type or self.kind}"


Outcome = Returned | Failed


class Functions(Protocol):
    """Whatever can call functions by name."""

    async def invoke(self, name: str, event: Any) -> Outcome:
        """Call a function once; a failure of its code is an outcome, not an exception."""
