"""What the gate says to a request. Closed: every request gets exactly one of these.

``Allowed`` is built last and holds the caller; a refusal never does. Plain slotted classes,
because importing ``dataclasses`` costs the authorizer as much as a bare Python start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never, Protocol

    class Told(Protocol):
        """What is told beside the credential's own minute, as ``limits.beyond`` has it."""

        limits: Any
        refused_by: str
        credits_left: int | None
        spent: int
        give_back: Any

        def closest(self) -> RateLimitStatus | None: ...


API_KEY = "api-key"
JWT = "jwt"

INVALID_TOKEN = "Missing or invalid token"  # noqa: S105 - the contract's words, not a secret
REVOKED = "API key has been revoked"
DISABLED = "API key is disabled"
EXPIRED = "API key has expired"
MISSING_SCOPE = "Missing required scope: {scope}"
MISSING_PERMISSION = "Missing required permission: {permission}"
WRONG_ADDRESS = "Source address not allowed"
WRONG_ORIGIN = "Origin not allowed"


class RateLimitStatus:
    """Where a caller stands with its limit.

    Attributes:
        limit: requests in any 60 seconds.
        remaining: how many more are admitted now.
        more_s: Unix time in seconds at which more than that are; past when all are there.
        reset_s: Unix time in seconds at which the whole limit is there again.
    """

    __slots__ = ("limit", "more_s", "remaining", "reset_s")

    def __init__(self, *, limit: int, remaining: int, more_s: int, reset_s: int) -> None:
        self.limit = limit
        self.remaining = remaining
        self.more_s = more_s
        self.reset_s = reset_s


class DerivedFrom:
    """What is told of the token that a key's holder came with.

    Attributes:
        expires_at_ms: from when on it is none, in Unix milliseconds.
        scopes: its scopes, as it was given them.
    """

    __slots__ = ("expires_at_ms", "scopes")

    def __init__(self, *, expires_at_ms: int, scopes: tuple[str, ...]) -> None:
        self.expires_at_ms = expires_at_ms
        self.scopes = scopes


class Caller:
    """Who is calling: known only once a request is allowed.

    Attributes:
        user_id: the user that the credential belongs to.
        auth_mode: ``api-key`` or ``jwt``.
        scopes: what the caller may do, lesser scopes included.
        permissions: what it may be used for beside that; ``None`` where nothing limits it.
        key_id: the API key's id; ``None`` for a JWT.
        environment: the API key's ``live`` or ``test``; ``None`` for a JWT.
        email: as the identity provider gave it; ``None`` when unknown.
        anonymous: whether the identity provider calls the user anonymous.
        expires_at_ms: when the credential ends, in Unix milliseconds; ``None`` for never.
        metadata: what the owner has noted about the API key, for backends and never for a
            decision: a JSON object of strings, as text; ``None`` where there is nothing to tell.
        former: whether it came with a secret of the key that another has taken the place of.
        short_user_id: for logs: of an API key's user the UUID in 22 characters of base64.
        token: what came in the API key's place; ``None`` where that came itself.
    """

    __slots__ = (
        "anonymous",
        "auth_mode",
        "email",
        "environment",
        "expires_at_ms",
        "former",
        "key_id",
        "metadata",
        "permissions",
        "scopes",
        "short_user_id",
        "token",
        "user_id",
    )

    def __init__(  # noqa: PLR0913 -- a caller is all of this
        self,
        *,
        user_id: str,
        auth_mode: str,
        scopes: tuple[str, ...],
        key_id: str | None = None,
        environment: str | None = None,
        email: str | None = None,
        anonymous: bool = False,
        expires_at_ms: int | None = None,
        metadata: str | None = None,
        permissions: tuple[str, ...] | None = None,
        former: bool = False,
        short_user_id: str = "",
        token: DerivedFrom | None = None,
    ) -> None:
        self.user_id = user_id
        self.short_user_id = short_user_id
        self.auth_mode = auth_mode
        self.scopes = scopes
        self.key_id = key_id
        self.environment = environment
        self.email = email
        self.anonymous = anonymous
        self.expires_at_ms = expires_at_ms
        self.metadata = metadata
        self.permissions = permissions
        self.former = former
        self.token = token


class Refused:
    """The credential is not accepted: 401.

    Attributes:
        message: the contract's words for the client.
        reason: ours, for logs: ``malformed``, ``unknown``, ``revoked``, ``disabled``,
            ``expired``, ``ended`` (a secret that was replaced), ``invalid_token``, ``token_ended``,
            ``canary`` (told like ``unknown``).
        key_id, user_id: for logs: which key, and whose; ``None`` where it is not known.
    """

    __slots__ = ("key_id", "message", "reason", "user_id")

    def __init__(
        self, *, message: str, reason: str, key_id: str | None = None, user_id: str | None = None
    ) -> None:
        self.message = message
        self.reason = reason
        self.key_id = key_id
        self.user_id = user_id


class Forbidden:
    """The credential is good, but not for this request: 403.

    Attributes:
        message: the contract's words for the client.
        reason: ours, for logs: the scope that is missing, or ``address``, ``origin`` or
            ``permission``.
        figures: where the caller stands; ``None`` where nobody asked.
        key_id, user_id: for logs: which key, and whose.
    """

    __slots__ = ("figures", "key_id", "message", "reason", "user_id")

    #: No further limit is asked about what is forbidden.
    beyond: Told | None = None

    def __init__(
        self,
        *,
        message: str,
        reason: str,
        figures: RateLimitStatus | None,
        key_id: str | None = None,
        user_id: str | None = None,
    ) -> None:
        self.message = message
        self.reason = reason
        self.figures = figures
        self.key_id = key_id
        self.user_id = user_id


class Limited:
    """The credential is good, but its limit is used up: 429.

    Attributes:
        retry_after_s: waiting this many seconds is enough for one more request of this cost;
            ``None`` where none is, because it costs more than the whole limit.
        usage_key: the API Gateway key that the request is counted on: never the credential's own.
        key_id: for logs: the key's id; ``None`` for a JWT.
        user_id: for logs: whose limit it is.
        beyond: which limit it was, and what is told of others and of credits; ``None`` where only
            the credential's own minute could refuse.
    """

    __slots__ = ("beyond", "figures", "key_id", "retry_after_s", "usage_key", "user_id")

    def __init__(
        self,
        *,
        figures: RateLimitStatus,
        retry_after_s: int | None,
        usage_key: str,
        key_id: str | None = None,
        user_id: str | None = None,
        beyond: Told | None = None,
    ) -> None:
        self.beyond = beyond
        self.figures = figures
        self.retry_after_s = retry_after_s
        self.usage_key = usage_key
        self.key_id = key_id
        self.user_id = user_id


class Allowed:
    """The request may go on to the backend, on behalf of ``caller``.

    Attributes:
        usage_key: the API Gateway key that the request is counted on.
        jwks_age_ms: for logs: how old the identity provider's key set was that vouched for the
            caller; ``None`` where no key set did.
        beyond: what is told of further limits and of credits; ``None`` for nothing.
    """

    __slots__ = ("beyond", "caller", "figures", "jwks_age_ms", "usage_key")

    def __init__(
        self,
        *,
        caller: Caller,
        figures: RateLimitStatus,
        usage_key: str,
        jwks_age_ms: int | None = None,
        beyond: Told | None = None,
    ) -> None:
        self.beyond = beyond
        self.caller = caller
        self.figures = figures
        self.usage_key = usage_key
        self.jwks_age_ms = jwks_age_ms


#: One of these, for every request.
Verdict = Allowed | Limited | Forbidden | Refused


def assert_never(verdict: Never) -> Never:
    """Ends a ``match`` over verdicts, so that a new one cannot fall through to *allowed*.

    The type checker refuses a ``match`` that can come here. ``typing`` has the same, at the price
    of half a bare start.

    Raises:
        AssertionError: always; it names the type alone.
    """
    raise AssertionError(f"a verdict that nobody expected: {type(verdict).__name__}")
