"""Codes, links and sessions of the local identity provider: what is good once, and for how long.

Everything is in memory and gone with the process: who was signed in signs in again.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

CODE_SECONDS = 300
LINK_SECONDS = 3600
#: How long a refresh token that has been used still works: two tabs may use it at once.
REUSE_SECONDS = 10

User = TypeVar("User")


class CannotGrant(Exception):
    """What was presented is not good, or not any longer; in Supabase's codes and words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code)
        self.code = code
        self.message = message


@dataclass(slots=True, kw_only=True)
class _Session(Generic[User]):
    user: User
    refresh_token: str
    used: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending(Generic[User]):
    user: User
    challenge: str
    until_s: int


class Grants(Generic[User]):
    """Who may have a session, and who has one.

    Args:
        now_s: the clock, in Unix seconds.
    """

    def __init__(self, *, now_s: Callable[[], int]) -> None:
        self._now_s = now_s
        self._codes: dict[str, _Pending[User]] = {}
        self._links: dict[str, _Pending[User]] = {}
        self._sessions: dict[str, _Session[User]] = {}  # by each refresh token that it has had
        self._access: dict[str, _Session[User]] = {}

    def code(self, user: User, challenge: str) -> str:
        """A code that is good once, for whoever knows what the challenge is the hash of."""
        return self._keep(self._codes, user, challenge, CODE_SECONDS)

    def link(self, user: User, challenge: str) -> str:
        """A link's token; following it gives a code."""
        return self._keep(self._links, user, challenge, LINK_SECONDS)

    def follow(self, token: str) -> str:
        """The code of a link, once.

        Raises:
            CannotGrant: it is used, too old, or none of ours.
        """
        found = self._links.pop(token, None)
        if found is None or found.until_s < self._now_s():
            raise CannotGrant("otp_expired", "Email link is invalid or has expired")
        return self.code(found.user, found.challenge)

    def redeem(self, code: str, verifier: str) -> User:
        """Whose code this is, once, from the browser that asked for it only (RFC 7636).

        Raises:
            CannotGrant: it is used, too old, none of ours, or another browser's.
        """
        found = self._codes.pop(code, None)
        if found is None or found.until_s < self._now_s():
            raise CannotGrant("flow_state_not_found", "invalid flow state, no valid flow found")
        digest = hashlib.sha256(verifier.encode()).digest()
        expected = urlsafe_b64encode(digest).rstrip(b"=").decode()
        if expected != found.challenge:
            raise CannotGrant("bad_code_verifier", "code challenge does not match the verifier")
        return found.user

    def begin(self, user: User) -> str:
        """A new session's refresh token."""
        token = secrets.token_urlsafe(24)
        self._sessions[token] = _Session(user=user, refresh_token=token, used={})
        return token

    def renew(self, token: str) -> tuple[User, str]:
        """Whose session this is, and its next refresh token.

        Raises:
            CannotGrant: the session has ended, or the token has been used before.
        """
        session = self._sessions.get(token)
        if session is None:
            raise CannotGrant("refresh_token_not_found", "Invalid Refresh Token")
        if token != session.refresh_token:
            if self._now_s() - session.used[token] > REUSE_SECONDS:
                raise CannotGrant("refresh_token_already_used", "Invalid Refresh Token: Used")
            return session.user, session.refresh_token
        session.used[token] = self._now_s()
        session.refresh_token = secrets.token_urlsafe(24)
        self._sessions[session.refresh_token] = session
        return session.user, session.refresh_token

    def remember(self, access_token: str, refresh_token: str) -> None:
        """Tie an access token to the session that it was issued in."""
        self._access[access_token] = self._sessions[refresh_token]

    def session(self, access_token: str) -> User | None:
        """Whose session an access token was issued in, while it has not ended."""
        found = self._access.get(access_token)
        return found.user if found else None

    def end(self, access_token: str) -> None:
        """End the session that the access token was issued in, if there is one."""
        ended = self._access.get(access_token)
        if ended is None:
            return
        for kept in (self._sessions, self._access):
            for token in [token for token, session in kept.items() if session is ended]:
                del kept[token]

    def _keep(
        self, where: dict[str, _Pending[User]], user: User, challenge: str, seconds: int
    ) -> str:
        token = secrets.token_urlsafe(24)
        where[token] = _Pending(user=user, challenge=challenge, until_s=self._now_s() + seconds)
        return token
