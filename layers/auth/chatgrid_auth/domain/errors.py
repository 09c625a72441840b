"""What can go wrong, as types. A refused credential is a verdict, never one of these.

ChatGridError
├── Fault                           something around us is broken: 5xx, never 401
│   ├── StoreUnavailable            DynamoDB did not do what was asked
│   │   └── StoreThrottled          … because it, or we, were too busy
│   ├── IdentityProviderUnavailable the keys that sign JWTs cannot be known
│   └── TokenSecretUnavailable      the secret that tokens are made with cannot be read
├── ConditionFailed                 a conditional write found another state
├── Cancelled                       a transaction was refused, and nothing of it was done
├── NotFound                        no such thing, or not the caller's
├── KeyLimitReached                 the owner holds as many keys as allowed
├── CreationLimitReached            the owner made as many keys in the last hour as allowed
│   └── SecretLimitReached          the key got as many secrets in the last hour as allowed
├── MakerRevoked                    the key that was to make another has been revoked
├── KeyConflict                     a key stands so that it cannot be rotated
│   ├── PreviousSecretActive        … its previous secret still passes
│   ├── KeyDisabled                 … it is disabled
│   ├── KeyExpired                  … it has expired
│   ├── KeyIsCanary                 … it is a trap
│   └── KeyRotatedMeanwhile         … somebody else was faster
├── BeyondOwnPermissions            whoever asks may have less to do with it than it may itself
├── SelfRotationNotAllowed          a key may not rotate itself
├── TokenMakesNone                  a token is not what tokens are made with
├── ScopeMissing                    somebody wants a scope that is not its own to give
├── StillRunning                    somebody is at work on this very request
├── NameReused                      the client gave another request the same name
├── KeyExists                       a key with this hash, or with this id, is there already
└── InvalidCursor                   a page cursor that this API never gave
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


class NotFound(ChatGridError):
    """There is no such thing, or it belongs to somebody else: never told apart."""


class KeyLimitReached(ChatGridError):
    """The owner already holds as many keys as one user may.

    Args:
        maximum: how many keys one user may hold.
    """

    def __init__(self, maximum: int) -> None:
        super().__init__(f"a user may hold {maximum} API keys")
        self.maximum = maximum


class CreationLimitReached(ChatGridError):
    """The owner made as many keys in the last hour as one user may.

    Args:
        maximum: how many keys one user may make in any hour.
        retry_after_s: waiting this many seconds is enough for one more.
    """

    def __init__(self, maximum: int, *, retry_after_s: int) -> None:
        super().__init__(f"a user may make {maximum} API keys in an hour")
        self.maximum = maximum
        self.retry_after_s = retry_after_s


class SecretLimitReached(CreationLimitReached):
    """The key got as many other secrets in the last hour as one may."""


class MakerRevoked(ChatGridError):
    """The key that was to make another one has been revoked meanwhile."""


class KeyConflict(ChatGridError):
    """A key stands so that it cannot be rotated."""


class PreviousSecretActive(KeyConflict):
    """The key's previous secret still passes, and nobody said to end it."""


class KeyDisabled(KeyConflict):
    """The key is disabled."""


class KeyExpired(KeyConflict):
    """The key has expired."""


class KeyIsCanary(KeyConflict):
    """The key is a trap: nobody needs another secret of it."""


class KeyRotatedMeanwhile(KeyConflict):
    """The key got another secret while this was asked for; that one is not touched."""


class BeyondOwnPermissions(ChatGridError):
    """A key has, or would have, permissions that whoever asks for this lacks."""


class SelfRotationNotAllowed(ChatGridError):
    """The key's owner does not let it rotate itself."""


class KeyExists(ChatGridError):
    """A key with this hash, or one of the owner's with this id, is there already."""


class TokenMakesNone(ChatGridError):
    """A derived token is not what other tokens are made with."""


class ScopeMissing(ChatGridError):
    """Somebody wants to give away a scope that is not its own to give.

    Args:
        scope: the scope.
    """

    def __init__(self, scope: str) -> None:
        super().__init__(f"the scope {scope} is missing")
        self.scope = scope


class StillRunning(ChatGridError):
    """Somebody is at work on this very request, under the name that its client gave it."""


class NameReused(ChatGridError):
    """The client has given another request the same name."""


class InvalidCursor(ChatGridError):
    """A page cursor that this API did not hand out."""
