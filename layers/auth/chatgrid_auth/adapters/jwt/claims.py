"""What a Supabase access token must say before it speaks for a user.

https://supabase.com/docs/guides/auth/jwt-fields; RFC 7519 section 4.1; RFC 8725 section 3.
"""

from __future__ import annotations

import re
from typing import Any

_USER_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_LONGEST_EMAIL = 320
_LAST_SECOND = 253_402_300_799  # the end of the year 9999


class TokenClaims:
    """Who a verified token speaks for. Nothing in it comes from ``user_metadata``."""

    __slots__ = ("anonymous", "email", "expires_at_ms", "user_id")

    def __init__(
        self, *, user_id: str, email: str | None, anonymous: bool, expires_at_ms: int
    ) -> None:
        self.user_id = user_id
        self.email = email
        self.anonymous = anonymous
        self.expires_at_ms = expires_at_ms


class ClaimRules:
    """Claims become a caller only when every one of them is as Supabase writes it."""

    def __init__(
        self, *, issuer: str, audience: str, leeway_seconds: int, accept_anonymous: bool
    ) -> None:
        self._issuer = issuer
        self._audience = audience
        self._accept_anonymous = accept_anonymous
        self.leeway_ms = leeway_seconds * 1000

    def accept(self, claims: dict[str, Any], *, now_ms: int) -> TokenClaims | None:
        """The caller, or ``None``. The claims' signature is somebody else's business."""
        user_id = claims.get("sub")
        if (
            claims.get("iss") != self._issuer
            or not self._is_for_us(claims.get("aud"))
            or claims.get("role") != "authenticated"
            or not isinstance(user_id, str)
            or _USER_ID.fullmatch(user_id) is None
            or not self._is_its_time(claims, now_ms)
        ):
            return None
        anonymous = claims.get("is_anonymous", False)
        if not isinstance(anonymous, bool) or (anonymous and not self._accept_anonymous):
            return None
        return TokenClaims(
            user_id=user_id,
            email=_email(claims.get("email")),
            anonymous=anonymous,
            expires_at_ms=claims["exp"] * 1000,
        )

    def _is_for_us(self, audience: object) -> bool:
        if isinstance(audience, str):
            return audience == self._audience
        return (
            isinstance(audience, list)
            and all(isinstance(name, str) for name in audience)
            and self._audience in audience
        )

    def _is_its_time(self, claims: dict[str, Any], now_ms: int) -> bool:
        expiry: Any = claims.get("exp")
        if not _is_instant(expiry) or now_ms >= expiry * 1000 + self.leeway_ms:
            return False
        return all(
            _is_instant(claims[name]) and claims[name] * 1000 <= now_ms + self.leeway_ms
            for name in ("nbf", "iat")
            if name in claims
        )


def _is_instant(value: Any) -> bool:
    # `type` and not `isinstance`: True is an int for Python, but no moment in time.
    return type(value) is int and 0 < value <= _LAST_SECOND


def _email(value: object) -> str | None:
    # It travels in the authorizer's context and in JSON bodies: printable or not at all.
    if isinstance(value, str) and 0 < len(value) <= _LONGEST_EMAIL and value.isprintable():
        return value
    return None
