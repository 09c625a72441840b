"""Keys that verify signatures, each good for exactly one algorithm.

The algorithm belongs to the key and not to the token (RFC 8725 section 3.1): a token may only
name a key, and a key of another kind than the token says is no key at all.
"""

from __future__ import annotations

from typing import Any

from jwt.algorithms import (
    AllowedPublicKeys,
    HMACAlgorithm,
    get_default_algorithms,
    has_crypto,
)
from jwt.api_jws import PyJWS

from chatgrid_auth.adapters.jwt.parts import is_key_id

if not has_crypto:  # PyJWT goes on without; each published key would be none, each token forged
    raise ImportError("cryptography cannot be loaded")

#: kty and crv → the algorithm of such a key, and the members that make it up.
_KINDS = {
    "EC P-256": ("ES256", ("x", "y")),
    "RSA": ("RS256", ("n", "e")),
    "OKP Ed25519": ("EdDSA", ("x",)),
}
_RSA_BITS = range(2_048, 8_193)  # RFC 7518 section 3.3 below; above, verifying takes too long
_SECRET_BYTES = range(32, 4_097)  # RFC 7518 section 3.2


class VerificationKey:
    """One key, bound to its algorithm.

    Attributes:
        key_id: its ``kid``; empty for the shared secret.
        algorithm: the only algorithm that it verifies.
        thumbprint: two keys are the same key exactly when these are equal.
    """

    __slots__ = ("_key", "_verifier", "algorithm", "key_id", "thumbprint")

    def __init__(
        self, *, key_id: str, algorithm: str, key: AllowedPublicKeys | bytes, thumbprint: object
    ) -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self.thumbprint = thumbprint
        self._key = key
        self._verifier = PyJWS([algorithm])

    def verifies(self, token: str, *, payload: bytes) -> bool:
        """Whether this key signed this token, and this payload is what it signed."""
        try:
            verified = self._verifier.decode_complete(
                token,
                self._key,
                algorithms=[self.algorithm],
                options={"verify_signature": True, "enforce_minimum_key_length": True},
            )
        except Exception:  # whatever the library trips over, nothing was proven
            return False
        return bool(verified["payload"] == payload)


def public_key(jwk: dict[str, Any]) -> VerificationKey | None:
    """The key that a JWK describes, or ``None`` when this system could not or should not use it.

    Unknown kinds are skipped (RFC 7517 section 5). Only public members are ever read; symmetric
    keys, short RSA keys and points that are not on the curve are no keys.
    """
    key_id = jwk.get("kid")
    kind = _KINDS.get(f"{jwk.get('kty')} {jwk.get('crv', '')}".rstrip())
    if kind is None or not isinstance(key_id, str) or not is_key_id(key_id):
        return None
    algorithm, members = kind
    if not _is_for_verifying(jwk, algorithm):
        return None
    material = {name: jwk.get(name) for name in ("kty", "crv", *members)}
    try:
        key = get_default_algorithms()[algorithm].from_jwk(material)
        if algorithm == "RS256" and key.key_size not in _RSA_BITS:
            return None
    except Exception:  # whatever the library trips over, it is no key
        return None
    return VerificationKey(
        key_id=key_id, algorithm=algorithm, key=key, thumbprint=tuple(material.values())
    )


def shared_secret(secret: str) -> VerificationKey:
    """The legacy HS256 secret as a key; ``ValueError`` when no such secret can be in use.

    Too short to be one, or a public key that somebody put in its place: anybody could sign.
    """
    raw = secret.encode("utf-8")
    if len(raw) not in _SECRET_BYTES:
        raise ValueError("the JWT secret has an impossible length")
    try:
        HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(raw)
    except Exception:  # the reason might quote the secret
        raise ValueError("the JWT secret is not a secret") from None
    return VerificationKey(key_id="", algorithm="HS256", key=raw, thumbprint=raw)


def _is_for_verifying(jwk: dict[str, Any], algorithm: str) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        jwk.get("alg", algorithm) == algorithm
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
    )
