"""A Supabase access token becomes a caller, or nothing, or an outage; never anything else.

The order is from cheap to dear, and nothing is fetched on behalf of a token that would be refused
anyway: size, hash and memory; shape; algorithm; claims; and only then key and signature. Nor is
PyJWT loaded for one.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING

from chatgrid_auth.adapters.jwt.claims import ClaimRules, TokenClaims
from chatgrid_auth.adapters.jwt.jwks import fetch_jwks
from chatgrid_auth.adapters.jwt.jwks_cache import JwksCache
from chatgrid_auth.adapters.jwt.loading import load_pyjwt
from chatgrid_auth.adapters.jwt.parts import MAX_TOKEN_LENGTH, UnverifiedToken, read_unverified
from chatgrid_auth.adapters.jwt.secret_source import SecretSource
from chatgrid_auth.adapters.jwt.token_cache import TokenCache
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.settings import JwtSettings

if TYPE_CHECKING:
    from chatgrid_auth.adapters.awslite.credentials import CredentialSource
    from chatgrid_auth.adapters.jwt.key_set import KeySet
    from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey


class Remembered:
    """A verified token: what it says, until when, and whose key must still be trusted."""

    __slots__ = ("claims", "keys", "until_ms")

    def __init__(self, claims: TokenClaims, until_ms: int, keys: JwksCache) -> None:
        self.claims = claims
        self.until_ms = until_ms
        self.keys = keys


class JwtVerifier:
    """Verifies access tokens of one Supabase project.

    Args:
        rules: what the claims must say.
        algorithms: those that the operator accepts.
        published: the provider's public keys; ``None`` = no asymmetric algorithm.
        secret: the legacy secret's cache; ``None`` = no HS256.
        memory: which tokens were verified; whoever withdraws a key must empty it.
    """

    def __init__(
        self,
        *,
        rules: ClaimRules,
        algorithms: frozenset[str],
        published: JwksCache | None,
        secret: JwksCache | None,
        memory: TokenCache[Remembered],
    ) -> None:
        self._rules = rules
        self._algorithms = algorithms
        self._published = published
        self._secret = secret
        self._memory = memory
        self._source_of: JwksCache | None = None
        self._can_verify = False

    def verify(self, token: str, *, now_ms: int) -> TokenClaims | None:
        """The caller; ``None`` for the contract's 401 `Missing or invalid token`.

        Raises:
            IdentityProviderUnavailable: the token may be good, but its key cannot be known.
        """
        if len(token) > MAX_TOKEN_LENGTH or not token.isascii():
            return None
        digest = sha256(token.encode("ascii")).digest()
        generation = self._memory.generation
        entry = generation.get(digest)
        if (
            entry is not None
            and now_ms < entry.keys.due_at_ms
            and generation
            is self._memory.generation  # last: or it may be new keys that are not due
        ):
            self._source_of = entry.keys
            return entry.claims if now_ms < entry.until_ms else None
        return self._verify(token, digest, now_ms)

    def jwks_age_ms(self, now_ms: int) -> int | None:
        """How old the published keys are, if it was they that vouched for the last token."""
        source = self._source_of
        if source is None or source is not self._published:
            return None
        return now_ms - source.loaded_at_ms

    def _verify(self, token: str, digest: bytes, now_ms: int) -> TokenClaims | None:
        unverified = read_unverified(token)
        if unverified is None or unverified.algorithm not in self._algorithms:
            return None
        claims = self._rules.accept(unverified.claims, now_ms=now_ms)
        if claims is None:
            return None
        source = self._secret if unverified.algorithm == "HS256" else self._published
        if source is None:
            return None
        self._source_of = source
        if not self._can_verify:
            self._get_ready(source, now_ms)
        deadline = source.deadline()  # one for all that this decision may have to wait for
        # Now, so that a key withdrawn meanwhile has emptied the memory.
        source.current(now_ms, deadline=deadline)
        generation = self._memory.generation  # before the key is looked for: see TokenCache
        if (entry := generation.get(digest)) is not None:
            return entry.claims  # its time was tested above
        key = self._key(source, unverified, now_ms, deadline)
        if key is None or not key.verifies(token, payload=unverified.payload):
            return None
        until_ms = claims.expires_at_ms + self._rules.leeway_ms
        self._memory.put(generation, digest, Remembered(claims, until_ms, source))
        return claims

    def _get_ready(self, source: JwksCache, now_ms: int) -> None:
        source.ask_ahead(now_ms)  # most of a fetch is waiting, and loading is all work
        try:
            load_pyjwt()
        except Exception as error:  # a layer that is missing or broken is not the token's fault
            raise IdentityProviderUnavailable("what verifies tokens cannot be loaded") from error
        self._can_verify = True

    @staticmethod
    def _key(
        source: JwksCache, token: UnverifiedToken, now_ms: int, deadline: float
    ) -> VerificationKey | None:
        # There is one shared secret; some tokens name it, some do not.
        key_id = "" if token.algorithm == "HS256" else token.key_id
        if key_id is None:
            return None
        return source.find(key_id, token.algorithm, now_ms=now_ms, deadline=deadline)


def build_verifier(
    settings: JwtSettings, *, credentials: CredentialSource | None = None
) -> JwtVerifier:
    """A verifier for these settings; nothing is fetched before a token asks for it.

    Args:
        settings: what the operator accepts.
        credentials: for the secret store; needed only when HS256 is accepted.
    """
    memory: TokenCache[Remembered] = TokenCache()

    def cache(load: Callable[[int], KeySet]) -> JwksCache:
        return JwksCache(
            load,
            hard_age_ms=settings.jwks_max_age_seconds * 1000,
            on_withdrawn=memory.forget_all,
        )

    algorithms = settings.algorithms if settings.issuer else frozenset()
    published = secret = None
    if algorithms - {"HS256"}:
        published = cache(lambda _now_ms: fetch_jwks(settings.jwks_url))
    if "HS256" in algorithms:
        if credentials is None:
            raise ValueError("HS256 needs credentials for the secret store")
        source = SecretSource(
            settings.secret_arn, credentials=credentials, endpoints=settings.endpoints
        )
        secret = cache(source.load)
    return JwtVerifier(
        rules=ClaimRules(
            issuer=settings.issuer,
            audience=settings.audience,
            leeway_seconds=settings.leeway_seconds,
            accept_anonymous=settings.accept_anonymous,
        ),
        algorithms=frozenset(algorithms),
        published=published,
        secret=secret,
        memory=memory,
    )
