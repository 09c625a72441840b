"""The compact form of a JWT, read strictly and believed in nothing.

What comes out of here has not been verified: it only says which key to ask for and which
claims to test. RFC 7515 section 7.1 (three parts), RFC 8259 (JSON), RFC 8725 section 3.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, NoReturn

#: Larger ones are refused unread. Supabase's tokens are 0.6 to 2 KB.
MAX_TOKEN_LENGTH = 8_192

_COMPACT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII)
_KEY_ID = re.compile(r"[A-Za-z0-9._~-]{1,128}", re.ASCII)

# Each would change what is signed, how it is read, or where the key comes from. Supabase sends
# none of them, so a token that carries one was not made by it, whatever its signature says.
_REFUSED_HEADERS = frozenset(
    ("b64", "crit", "cty", "enc", "jku", "jwk", "x5c", "x5t", "x5t#S256", "x5u", "zip")
)


class UnverifiedToken:
    """A well-formed token whose signature nobody has looked at yet."""

    __slots__ = ("algorithm", "claims", "key_id", "payload")

    def __init__(
        self, *, algorithm: str, key_id: str | None, payload: bytes, claims: dict[str, Any]
    ) -> None:
        self.algorithm = algorithm
        self.key_id = key_id
        self.payload = payload
        self.claims = claims


def read_unverified(token: str) -> UnverifiedToken | None:
    """The parts of a token, or ``None`` when it is not exactly what Supabase would send."""
    if len(token) > MAX_TOKEN_LENGTH:
        return None
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        return None
    try:
        header = _json_object(_decode(parts[1]))
        payload = _decode(parts[2])
        _decode(parts[3])
        claims = _json_object(payload)
    except (ValueError, RecursionError):
        return None
    if not _is_plain(header):
        return None
    return UnverifiedToken(
        algorithm=header["alg"], key_id=header.get("kid"), payload=payload, claims=claims
    )


def is_key_id(value: object) -> bool:
    """Whether a ``kid`` is one that a provider would choose: no path, no query, no quotes."""
    return isinstance(value, str) and _KEY_ID.fullmatch(value) is not None


def strict_json(text: bytes) -> Any:
    """The value of a JSON text; ``ValueError`` for what parsers are known to disagree about.

    Duplicate names, NaN and Infinity, other encodings than UTF-8, integers without end.
    ``RecursionError`` for nesting without end.
    """
    return json.loads(
        text.decode("utf-8"),
        object_pairs_hook=_without_duplicates,
        parse_constant=_no_constant,
    )


def _is_plain(header: dict[str, Any]) -> bool:
    if not isinstance(header.get("alg"), str) or not _REFUSED_HEADERS.isdisjoint(header):
        return False
    if "kid" in header and not is_key_id(header["kid"]):
        return False
    # RFC 8725 section 3.11: a token of another kind (dpop+jwt, logout+jwt) is not ours.
    return "typ" not in header or header["typ"] in ("JWT", "jwt")


def _decode(part: str) -> bytes:
    """Base64url with one spelling for each value: no padding, no stray bits (RFC 7515 2)."""
    raw = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(raw).rstrip(b"=") != part.encode("ascii"):
        raise ValueError("not the canonical base64url text")
    return raw


def _json_object(text: bytes) -> dict[str, Any]:
    value = strict_json(text)
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for every bad text
    return value


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name occurs twice")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not a JSON number")
