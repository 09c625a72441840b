"""People with accounts of their own, signed in without a browser by the local identity provider."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

#: Where the page keeps Supabase's session.
STORAGE_KEY = "chatgrid-dashboard"

_DEADLINE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Somebody with a session, and the API as they see it."""

    email: str
    session: dict[str, Any] = field(repr=False)
    url: str
    http: httpx.Client

    def api(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request to the API with this account's token."""
        headers = {"Authorization": f"Bearer {self.session['access_token']}"}
        return self.http.request(method, f"{self.url}/{path}", headers=headers, **request)

    def make_key(self, name: str, **facts: Any) -> dict[str, Any]:
        """A key made elsewhere: by curl, or in another browser."""
        answer = self.api("POST", "me/api-keys", json={"name": name, **facts})
        assert answer.status_code == 201, answer.text
        data: dict[str, Any] = answer.json()["data"]
        return data

    def revoke(self, key_id: str) -> None:
        """Revoke a key elsewhere."""
        answer = self.api("DELETE", f"me/api-keys/{key_id}")
        assert answer.status_code == 200, answer.text

    def key_names(self) -> list[str]:
        """The names of all keys, newest first, at most a hundred."""
        answer = self.api("GET", "me/api-keys?limit=100")
        return [key["name"] for key in answer.json()["data"]]

    def browser_storage(self, origin: str) -> dict[str, Any]:
        """What a browser holds in which this account is signed in (Playwright's format)."""
        return stored(origin, self.session)


def stored(origin: str, session: dict[str, Any]) -> dict[str, Any]:
    """A browser's storage with a session in it, a forged one if you like."""
    kept = [{"name": STORAGE_KEY, "value": json.dumps(session)}]
    return {"cookies": [], "origins": [{"origin": origin, "localStorage": kept}]}


class Accounts:
    """Signs up and signs in; reads the links that would be sent by e-mail off the stack's log.

    Args:
        url: the API's, with the stage.
        log: the stack's output.
        http: sends what is not sent by a browser.
    """

    def __init__(self, url: str, log: Path, http: httpx.Client) -> None:
        self._http = http
        self._url = url
        self._log = log
        parts = urlsplit(url)
        self.origin = f"{parts.scheme}://{parts.netloc}"
        self._auth = f"{self.origin}/auth/v1"

    def new(self) -> Account:
        """A new account, signed in."""
        email = f"{secrets.token_hex(6)}@example.com"
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode()).digest()
        challenge = urlsafe_b64encode(digest).rstrip(b"=").decode()
        asked = {"email": email, "code_challenge": challenge, "code_challenge_method": "s256"}
        back = {"redirect_to": f"{self.origin}/"}
        self._http.post(f"{self._auth}/otp", params=back, json=asked).raise_for_status()
        followed = self._http.get(self.link_for(email))
        (code,) = parse_qs(urlsplit(followed.headers["location"]).query)["code"]
        answer = self._http.post(
            f"{self._auth}/token?grant_type=pkce",
            json={"auth_code": code, "code_verifier": verifier},
        )
        session = answer.raise_for_status().json()
        return Account(email=email, session=session, url=self._url, http=self._http)

    def link_for(self, email: str, *, earlier: Sequence[str] = ()) -> str:
        """The newest link for an address, as soon as it has been written."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        pattern = re.compile(rf"Sign-in link for {re.escape(email)}:\n +(\S+)\n")
        while True:
            links = [link for link in pattern.findall(self._log.read_text()) if link not in earlier]
            if links:
                return str(links[-1])
            assert time.monotonic() < deadline, f"no link for {email}"
            time.sleep(0.02)
