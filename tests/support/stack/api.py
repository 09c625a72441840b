"""The API as a client meets it, with one credential."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import jwt
import pytest

ENVELOPE = {"object", "status", "code", "message"}


class Api:
    """Requests with one credential; answers are checked for their shape on the way."""

    def __init__(self, http: httpx.Client, credential: str | None) -> None:
        self._http = http
        self._headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}

    def ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Send a request; every error must come in the envelope."""
        headers = {**self._headers, **request.pop("headers", {})}
        response = self._http.request(method, path.lstrip("/"), headers=headers, **request)
        if response.status_code >= 400 and method != "HEAD":
            assert_envelope(response)
        return response

    def create_key(self, **facts: Any) -> dict[str, Any]:
        """A new key, ``raw_key`` included."""
        response = self.ask("POST", "/me/api-keys", json={"name": "e2e", **facts})
        assert response.status_code == 201, response.text
        data: dict[str, Any] = response.json()["data"]
        return data

    def holding(self, raw_key: str) -> Api:
        """The API as the holder of another credential sees it."""
        return Api(self._http, raw_key)

    def walk(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Every item of a list, page by page."""
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = {"cursor": cursor} if cursor else {}
            answer = self.ask("GET", path, params={**query, **page}).json()
            found += answer["data"]
            cursor = answer["cursor"]
            assert (cursor is not None) == answer["has_more"]
            if not answer["has_more"]:
                return found


def assert_envelope(response: httpx.Response) -> None:
    """Every error has the contract's shape, whoever gives it."""
    assert response.headers["content-type"].split(";")[0] == "application/json", response.text
    body = response.json()
    assert ENVELOPE <= set(body) <= ENVELOPE | {"details"}, body
    assert body["object"] == "error"
    assert body["status"] == response.status_code
    if response.status_code == 401:
        assert response.headers["www-authenticate"] == "Bearer"
    if response.status_code in {429, 503}:
        assert int(response.headers["retry-after"]) >= 1


def problem(response: httpx.Response) -> tuple[int, str, str]:
    """Status, code and message of an error."""
    body = response.json()
    return body["status"], body["code"], body["message"]


def mint(supabase: dict[str, Any], user_id: str, *, lifetime_s: int = 600, **claims: Any) -> str:
    """An access token of the stack's identity provider."""
    key = next(k for k in supabase["private_jwks"]["keys"] if k["alg"] == "ES256")
    now_s = int(time.time())
    standard = {
        "iss": supabase["issuer"],
        "aud": supabase["audience"],
        "sub": str(UUID(user_id)),
        "role": "authenticated",
        "iat": now_s,
        "exp": now_s + lifetime_s,
        "session_id": str(uuid4()),
        "is_anonymous": False,
    }
    return jwt.encode({**standard, **claims}, jwt.PyJWK(key), "ES256", headers={"kid": key["kid"]})


def users_of(stack: dict[str, Any], http: httpx.Client) -> Callable[..., Api]:
    """Signs users in at a stack's identity provider, each with a budget of its own."""
    if "supabase" not in stack:
        pytest.skip("the stack's identity provider gives no private keys: no second user here")

    def sign_in(user_id: str, **claims: Any) -> Api:
        return Api(http, mint(stack["supabase"], user_id, **claims))

    return sign_in
