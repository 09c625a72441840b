"""What stands against a wish about keys, as types; those of the gate are in `errors`.

ChatGridError
├── NotFound                        no such thing, or not the caller's
│   └── NoPreviousSecret            the key is there, and has no previous secret
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

from chatgrid_auth.domain.errors import ChatGridError


class NotFound(ChatGridError):
    """There is no such thing, or it belongs to somebody else: never told apart."""


class NoPreviousSecret(NotFound):
    """The key is there, and the previous secret that was meant is not."""


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
