"""A JSON Web Key Set, read so that a broken document is a fault and a broken key is no key."""

from __future__ import annotations

from chatgrid_auth.adapters.awslite.fetch import fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.parts import strict_json
from chatgrid_auth.domain.errors import IdentityProviderUnavailable


def fetch_jwks(url: str) -> KeySet:
    """The keys that are published there now.

    Raises:
        IdentityProviderUnavailable: there is no answer, or none that is a key set.
    """
    try:
        document = fetch(url, headers={"Accept": "application/json"})
    except HttpFault as fault:
        raise IdentityProviderUnavailable(f"no key set: {fault.code}") from None
    return parse_jwks(document)


def parse_jwks(document: bytes) -> KeySet:
    """The usable keys of a set, possibly none (RFC 7517 section 5).

    A set without keys is an answer: Supabase publishes one for projects that sign with the
    shared secret only. What is not a set at all says nothing, so that the last good one stays.

    Raises:
        IdentityProviderUnavailable: the document is not a key set.
    """
    from chatgrid_auth.adapters.jwt.verification_keys import (  # noqa: PLC0415 - loads PyJWT
        public_key,
    )

    try:
        content = strict_json(document)
    except (ValueError, RecursionError):
        raise IdentityProviderUnavailable("the key set is not JSON") from None
    members = content.get("keys") if isinstance(content, dict) else None
    if not isinstance(members, list) or not all(isinstance(jwk, dict) for jwk in members):
        raise IdentityProviderUnavailable("the key set has another shape")
    return KeySet(key for jwk in members if (key := public_key(jwk)) is not None)
