"""Derived tokens: short-lived credentials that a key's holder makes, of what the key may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.key_errors import (
    NotFound,
    ScopeMissing,
    TokenMakesNone,
)
from chatgrid_auth.domain.scopes import SCOPES, WRITE
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.tokens.format import GRANTABLE, Token
from chatgrid_auth.services.key_changes.policies import check_allowed_ips
from chatgrid_auth.services.key_rules import InvalidKey, KeyProblem

if TYPE_CHECKING:
    from chatgrid_auth.domain.credentials import ApiKey
    from chatgrid_auth.domain.verdicts import Caller

DEFAULT_SECONDS = 900
SHORTEST_SECONDS = 60
LONGEST_SECONDS = 3_600


class Homes(Protocol):
    """Where keys are kept."""

    def home_of(self, owner: str, key_id: str) -> tuple[ApiKey, str] | None:
        """One of the owner's non-revoked keys, and the hash that its home lies under."""


class SigningSecret(Protocol):
    """The stack's secret for tokens."""

    def signing(self, now_ms: int) -> bytes:
        """What to make tokens with.

        Raises:
            TokenSecretUnavailable: it cannot be read.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeToken:
    """A token at the one moment when it is known here."""

    text: str = field(repr=False)
    expires_at_ms: int
    scopes: tuple[str, ...]


class Tokens:
    """Makes tokens.

    Args:
        homes: where keys are kept.
        secret: the stack's.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(self, homes: Homes, secret: SigningSecret, *, now_ms: Callable[[], int]) -> None:
        self._homes = homes
        self._secret = secret
        self._now_ms = now_ms

    def make(
        self,
        caller: Caller,
        raw_key: str,
        *,
        expires_in_seconds: int = DEFAULT_SECONDS,
        scopes: Sequence[object] | None = None,
        allowed_ips: Sequence[str] | None = None,
    ) -> MadeToken:
        """A token of the key that the caller came with.

        Nothing is written: the request itself was counted as a use of the key.

        Args:
            caller: the holder of a key.
            raw_key: the secret that came with the request.
            scopes: ``None`` for all that the key has and a token may have.
            allowed_ips: where it may come from, beside what its key's hold; ``None`` for no more.

        Raises:
            TokenMakesNone: the caller came with a token.
            InvalidKey: a rule is broken.
            ScopeMissing: a scope is not the key's to give.
            NotFound: the key has been revoked meanwhile.
            TokenSecretUnavailable: the stack's secret cannot be read.
            StoreUnavailable: the store is out.
        """
        if caller.token is not None:
            raise TokenMakesNone
        problems = [
            *_of_lifetime(expires_in_seconds),
            *_of_scopes(scopes),
            *check_allowed_ips(allowed_ips),
        ]
        if problems:
            raise InvalidKey(problems)
        found = self._homes.home_of(caller.user_id, caller.key_id or "")
        if found is None:
            raise NotFound
        key, home = found
        granted = _granted(key.scopes if scopes is None else scopes, key, asked=scopes is not None)
        now_ms = self._now_ms()
        ends_ms = now_ms + expires_in_seconds * 1_000
        capped = caller.expires_at_ms is not None and caller.expires_at_ms <= ends_ms
        if capped and caller.expires_at_ms is not None:
            ends_ms = caller.expires_at_ms
        token = Token(
            home=home,
            tag=keys.tag_of(keys.hash_of(raw_key)),
            environment=key.environment,
            scopes=granted,
            expires_at_ms=ends_ms,
            capped=capped,
            allowed_ips=tuple(allowed_ips or ()),
        )
        text = token_format.write(token, self._secret.signing(now_ms))
        return MadeToken(text=text, expires_at_ms=ends_ms, scopes=granted)


def _granted(wanted: Sequence[object], key: ApiKey, *, asked: bool) -> tuple[str, ...]:
    """The scopes of a token: those that were asked for, or the key's own without ``admin``.

    Raises:
        ScopeMissing: the key does not include one of them, or no token may have it.
    """
    held = SCOPES[: max(SCOPES.index(scope) for scope in key.scopes) + 1]
    for scope in SCOPES:
        if asked and scope in wanted and (scope not in held or scope not in GRANTABLE):
            raise ScopeMissing(scope)
    return tuple(scope for scope in GRANTABLE if scope in wanted) or (WRITE,)


def _of_lifetime(seconds: int) -> list[KeyProblem]:
    path = "expires_in_seconds"
    if seconds < SHORTEST_SECONDS:
        return [KeyProblem(path, "too_small", f"Must be at least {SHORTEST_SECONDS}")]
    if seconds > LONGEST_SECONDS:
        return [KeyProblem(path, "too_big", f"Must be at most {LONGEST_SECONDS}")]
    return []


def _of_scopes(scopes: Sequence[object] | None) -> list[KeyProblem]:
    if scopes is None:
        return []
    if not scopes:
        return [KeyProblem("scopes", "too_small", "Must contain at least 1 item(s)")]
    rule = f"Expected {', '.join(SCOPES)}"
    return [
        KeyProblem(f"scopes.{at}", "invalid_value", rule)
        for at, scope in enumerate(scopes)
        if scope not in SCOPES
    ]
