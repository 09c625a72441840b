"""DynamoDB as the stores ask it: by the lean client, or by boto3. For type checkers."""

from __future__ import annotations

from typing import Any, Protocol


class Transport(Protocol):
    """DynamoDB in its own JSON. Binary values go in as bytes, or as base 64."""

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Ask DynamoDB.

        Raises:
            ConditionFailed: the condition of a write did not hold.
            Cancelled: a transaction was refused.
            StoreUnavailable: any fault.
        """
