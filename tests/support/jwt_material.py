"""An identity provider of the moment, for tests: keys, a forge and a verifier without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatgrid_auth.adapters.jwt.claims import ClaimRules
from chatgrid_auth.adapters.jwt.jwks_cache import JwksCache
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.token_cache import TokenCache
from chatgrid_auth.adapters.jwt.verification_keys import public_key, shared_secret
from chatgrid_auth.adapters.jwt.verifier import JwtVerifier, Remembered
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.vectors.jwt.forge import Forge, new_private_jwks, public_jwk

NOW_S = 1_800_000_000
NOW_MS = NOW_S * 1000
ISSUER = "https://abcdefghijklmnop.supabase.co/auth/v1"
AUDIENCE = "authenticated"
SECRET = "a-development-secret-of-more-than-thirty-two-bytes"
ALL = frozenset(("ES256", "RS256", "EdDSA", "HS256"))


def at_once(work: Callable[[], None]) -> None:
    """In place of a thread: the fetch happens while its caller looks on."""
    work()


class Provider:
    """Publishes keys; counts the fetches; can be down.

    Attributes:
        jwks: the private keys; their public halves are published.
        fetches: how often anybody asked.
        down: whether asking fails.
    """

    def __init__(self, jwks: list[dict[str, Any]] | None = None) -> None:
        self.jwks = new_private_jwks() if jwks is None else jwks
        self.fetches = 0
        self.down = False

    def load(self, _now_ms: int) -> KeySet:
        self.fetches += 1
        if self.down:
            raise IdentityProviderUnavailable("down")
        keys = (public_key(public_jwk(jwk)) for jwk in self.jwks)
        return KeySet(key for key in keys if key is not None)

    def forge(self, now_s: int = NOW_S) -> Forge:
        return Forge(
            private_jwks=self.jwks,
            secret=SECRET,
            issuer=ISSUER,
            audience=AUDIENCE,
            now_s=now_s,
        )


def verifier_for(
    provider: Provider,
    *,
    algorithms: frozenset[str] = ALL,
    accept_anonymous: bool = False,
    memory: TokenCache[Remembered] | None = None,
    hard_age_ms: int = 86_400_000,
    **waiting: Any,
) -> JwtVerifier:
    """A verifier whose fetches happen at once, in the calling thread, unless told otherwise."""
    kept: TokenCache[Remembered] = TokenCache() if memory is None else memory

    def cache(load: Callable[[int], KeySet]) -> JwksCache:
        return JwksCache(
            load,
            hard_age_ms=hard_age_ms,
            on_withdrawn=kept.forget_all,
            **{"spawn": at_once, **waiting},
        )

    return JwtVerifier(
        rules=ClaimRules(
            issuer=ISSUER,
            audience=AUDIENCE,
            leeway_seconds=5,
            accept_anonymous=accept_anonymous,
        ),
        algorithms=algorithms,
        published=cache(provider.load),
        secret=cache(lambda _now_ms: KeySet([shared_secret(SECRET)])),
        memory=kept,
    )
