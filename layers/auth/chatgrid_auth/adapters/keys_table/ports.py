"""What decisions and windows ask of DynamoDB and of the clock. For type checkers: none loads it."""

from __future__ import annotations

from typing import Any, Protocol


class Transport(Protocol):
    """DynamoDB in its own JSON; raises ConditionFailed and StoreUnavailable."""

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]: ...


class Clock(Protocol):
    """A clock that is watched.

    Attributes:
        confirmed: whether the store has borne it out since anything may have changed it.
        answered_ms: when the store's last answer came, in Unix milliseconds.
    """

    confirmed: bool
    answered_ms: float
