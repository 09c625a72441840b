"""Derived tokens for tests: secrets that are known, and tokens made with them."""

from __future__ import annotations

from typing import Any

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import TokenSecretUnavailable
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.tokens.format import Token
from chatgrid_auth.services.gate.derived_tokens import DerivedTokens

CURRENT = b"current-secret-of-a-test-stack-of-no-use-elsewhere"
PREVIOUS = b"previous-secret-of-a-test-stack-of-no-use-elsewhere"
#: Behind every clock of a test.
LATE_MS = 4_000_000_000_000


class Secrets:
    """The secrets of a stack, and its source's faults.

    Attributes:
        asked: how often they were asked for.
        out: whether they cannot be read.
        overdue: whether another one may be current by now.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._secrets = secrets or (CURRENT, PREVIOUS)
        self.asked = 0
        self.out = False
        self.overdue = False

    def accepted(self, now_ms: int) -> tuple[bytes, ...]:
        self.asked += 1
        if self.out:
            raise TokenSecretUnavailable("out")
        return self._secrets

    def signing(self, now_ms: int) -> bytes:
        return self.accepted(now_ms)[0]

    def is_overdue(self, now_ms: int) -> bool:
        return self.overdue


def derived(*secrets: bytes) -> DerivedTokens:
    """What reads tokens of a stack with these secrets."""
    return DerivedTokens(Secrets(*secrets))


def token_of(raw_key: str, *, secret: bytes = CURRENT, **said: Any) -> str:
    """A token of a key that was never rotated, made with this secret; good by default."""
    key_hash = keys.hash_of(raw_key)
    facts: dict[str, Any] = {
        "home": key_hash,
        "tag": keys.tag_of(key_hash),
        "environment": keys.environment_of(raw_key),
        "scopes": ("read",),
        "expires_at_ms": LATE_MS,
        **said,
    }
    return token_format.write(Token(**facts), secret)
