"""What can go wrong, as types. A refused credential is a verdict, never one of these.

ChatGridError
├── Fault                           something around us is broken: 5xx, never 401
│   ├── StoreUnavailable            DynamoDB did not do what was asked
│   │   └── StoreThrottled          … because it, or we, were too busy
│   ├── IdentityProviderUnavailable the keys that sign JWTs cannot be known
│   └── TokenSecretUnavailable      the secret that tokens are made with cannot be read
├── ConditionFailed                 a conditional write found another state
├── Cancelled                       a transaction was refused, and nothing of it was done
└── …                               what stands against a wish about keys: `key_errors`
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class ChatGridError(Exception):
    """The root of all errors of this project."""


class Fault(ChatGridError):
    """A part that the system depends on failed; the caller's credential is not judged."""


class StoreUnavailable(Fault):
    """DynamoDB could not be asked, or answered with a fault.

    Args:
        operation: the DynamoDB operation, for instance ``UpdateItem``.
        code: DynamoDB's error code, or a word of ours for a network fault.
    """

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation}: {code}")
        self.operation = operation
        self.code = code


class StoreThrottled(StoreUnavailable):
    """DynamoDB refused for load, and went on refusing within the time there was."""


class IdentityProviderUnavailable(Fault):
    """The identity provider could not be asked, and nothing known serves in its place."""


class TokenSecretUnavailable(Fault):
    """The secret that derived tokens are made with cannot be read, and no known one serves."""


class ConditionFailed(ChatGridError):
    """A conditional write was refused.

    Args:
        item: the item as it was, in DynamoDB JSON, when the write asked for it
            and the item exists; ``None`` otherwise.
    """

    def __init__(self, item: Mapping[str, Any] | None) -> None:
        super().__init__("the condition of a conditional write does not hold")
        self.item = item


class Cancelled(ChatGridError):
    """A transaction was refused, and nothing of it was done.

    Args:
        reasons: DynamoDB's reason code for each of its writes, ``None`` for those it liked.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("a transaction was cancelled")
        self.reasons = reasons

    def refused(self, index: int) -> bool:
        """Whether the condition of that write did not hold."""
        return index < len(self.reasons) and self.reasons[index] == "ConditionalCheckFailed"
