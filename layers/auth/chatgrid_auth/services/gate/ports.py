"""What the gate asks of the store and of the identity provider.

For type checkers alone: the gate loads none of it.
"""

from __future__ import annotations

from typing import Protocol

from chatgrid_auth.domain.limits.key_credits import KeyCredits
from chatgrid_auth.domain.limits.window import WindowState
from chatgrid_auth.domain.rules.policy import Rules
from chatgrid_auth.domain.verdicts import DerivedFrom
from chatgrid_auth.services.gate.requests import Request


class KnownKey(Protocol):
    """What the store said of a key, together with its decision."""

    admitted: bool
    owner: str
    short_owner: str
    key_id: str
    scopes: tuple[str, ...]
    fault: str | None
    expires_at_ms: int | None
    environment: str
    metadata: str | None
    rules: Rules | None
    former: bool
    usage_key: str | None
    reading: WindowState
    credits: KeyCredits | None


class Keys(Protocol):
    """Decides about keys, one store request each."""

    def admit(
        self, key_hash: str, *, now_ms: int, request: Request, tag: str | None = None
    ) -> KnownKey | None: ...


class Users(Protocol):
    """Counts the requests of JWT users, one store request each."""

    def admit(self, user_id: str, *, cost: int) -> tuple[bool, WindowState]: ...


class TokenSecrets(Protocol):
    """The secrets of the stack that derived tokens are made with."""

    def accepted(self, now_ms: int) -> tuple[bytes, ...]: ...

    def is_overdue(self, now_ms: int) -> bool: ...


class Presented(Protocol):
    """A derived token that the stack has made, and that has not ended by itself."""

    facts: DerivedFrom

    def admit(self, keys: Keys, *, request: Request, now_ms: int) -> KnownKey | None: ...


class Derived(Protocol):
    """Reads derived tokens; ``None`` for one that is not accepted."""

    def read(self, text: str, *, now_ms: int) -> Presented | None: ...


class Claims(Protocol):
    """What a verified token says."""

    user_id: str
    email: str | None
    anonymous: bool
    expires_at_ms: int


class Tokens(Protocol):
    """Verifies JWTs; ``None`` for one that is not accepted."""

    def verify(self, token: str, *, now_ms: int) -> Claims | None: ...

    def jwks_age_ms(self, now_ms: int) -> int | None: ...
