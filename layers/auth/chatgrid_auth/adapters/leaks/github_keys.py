"""GitHub signed this report: told from the raw body, before anything in it is read.

The secret-scanning partner protocol: ECDSA over P-256 with SHA-256, DER in base 64, under a key
that GitHub publishes by its identifier. What it publishes is kept by the rules of ``JwksCache``.
https://docs.github.com/en/code-security/secret-scanning/secret-scanning-partnership-program
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chatgrid_auth.adapters.awslite.fetch import fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.jwt.jwks_cache import JwksCache
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.parts import is_key_id, strict_json
from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey
from chatgrid_auth.domain.errors import IdentityProviderUnavailable

#: How long the last good keys serve while GitHub is out of reach.
HARD_AGE_MS = 86_400_000
_ALGORITHM = "ES256"
#: A DER signature of P-256 has at most 72 bytes, 96 characters in base 64.
_LONGEST_SIGNATURE = 128
# GitHub refuses requests that do not say who asks.
_HEADERS = {"Accept": "application/vnd.github+json", "User-Agent": "chatgrid-auth"}


class GithubKey(VerificationKey):
    """One of GitHub's keys."""

    __slots__ = ("_public",)

    def __init__(self, key_id: str, public: ec.EllipticCurvePublicKey, *, pem: str) -> None:
        super().__init__(key_id=key_id, algorithm=_ALGORITHM, key=public, thumbprint=pem)
        self._public = public

    def signed(self, body: bytes, signature: bytes) -> bool:
        """Whether this key signed exactly these bytes."""
        try:
            self._public.verify(signature, body, ec.ECDSA(SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


class GithubSignatures:
    """Tells reports of GitHub's from others.

    Args:
        url: where GitHub publishes its keys.
        cache: their cache; one over ``url`` unless a test brings its own.
    """

    def __init__(self, url: str, *, cache: JwksCache | None = None) -> None:
        self._cache = cache or JwksCache(
            lambda _now_ms: fetch_keys(url), hard_age_ms=HARD_AGE_MS, on_withdrawn=lambda: None
        )

    def hold(self, body: bytes, *, key_id: str | None, signature: str | None, now_ms: int) -> bool:
        """Whether GitHub signed this body.

        Args:
            key_id: the header ``Github-Public-Key-Identifier``.
            signature: the header ``Github-Public-Key-Signature``.

        Raises:
            IdentityProviderUnavailable: GitHub's keys are out of reach.
        """
        if not key_id or not is_key_id(key_id) or not signature:
            return False
        if len(signature) > _LONGEST_SIGNATURE:
            return False
        try:
            raw = b64decode(signature, validate=True)
        except ValueError:
            return False
        key = self._cache.find(key_id, _ALGORITHM, now_ms=now_ms)
        return isinstance(key, GithubKey) and key.signed(body, raw)


def fetch_keys(url: str) -> KeySet:
    """The keys that GitHub publishes now.

    Raises:
        IdentityProviderUnavailable: there is no answer, or none that is a list of keys.
    """
    try:
        document = fetch(url, headers=_HEADERS)
    except HttpFault as fault:
        raise IdentityProviderUnavailable(f"no keys of GitHub's: {fault.code}") from None
    return parse_keys(document)


def parse_keys(document: bytes) -> KeySet:
    """The usable keys of GitHub's list, former ones that it still publishes among them.

    Raises:
        IdentityProviderUnavailable: it is no such list, or has none that can be used.
    """
    try:
        members = strict_json(document)["public_keys"]
        keys = [key for one in members if (key := _key(one)) is not None]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IdentityProviderUnavailable("GitHub's keys have another shape") from None
    if not keys:
        raise IdentityProviderUnavailable("GitHub publishes no key that can be used")
    return KeySet(keys)


def _key(member: dict[str, Any]) -> GithubKey | None:
    key_id, pem = member["key_identifier"], member["key"]
    if not isinstance(key_id, str) or not is_key_id(key_id) or not isinstance(pem, str):
        return None
    try:
        public = load_pem_public_key(pem.encode())
    except Exception:  # whatever the library trips over, it is no key
        return None
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        return None
    return GithubKey(key_id, public, pem=pem)
