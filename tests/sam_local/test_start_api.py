"""The API under the real `sam local start-api`: what it serves is exactly what AWS serves.

It applies no gateway responses, so the text of a 401 is its own; its status for a refused
credential is 403, whatever the reason. What the guard answers must be exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.sam_local.conftest import skip_unless_it_runs

skip_unless_it_runs()


class Caller:
    """Requests with one credential. A container may have to start first: patience."""

    def __init__(self, url: str, credential: str | None) -> None:
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        self.http = httpx.Client(base_url=url, headers=headers, timeout=180)

    def ask(self, method: str, path: str, body: Any = None) -> httpx.Response:
        return self.http.request(method, path, json=body)

    def key(self, **facts: Any) -> dict[str, Any]:
        response = self.ask("POST", "/me/api-keys", {"name": "sam local", **facts})
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()["data"]
        return made


@pytest.fixture(scope="module")
def admin(stack: dict[str, Any]) -> Iterator[Caller]:
    caller = Caller(stack["url"], stack["admin_key"])
    yield caller
    caller.http.close()


def holder_of(made: dict[str, Any], admin: Caller) -> Caller:
    return Caller(str(admin.http.base_url), made["raw_key"])


def test_a_key_is_made_used_and_revoked(admin: Caller) -> None:
    made = admin.key(scopes=["write"], rate_limit=60)
    holder = holder_of(made, admin)
    board = holder.ask("POST", "/boards", {"name": "Made in a container", "view_mode": "canvas"})
    assert board.status_code == 201, board.text
    assert board.headers["x-ratelimit-limit"] == "60"
    assert board.headers["x-ratelimit-remaining"] == "59"
    listed = holder.ask("GET", "/boards").json()["data"]
    assert [found["id"] for found in listed] == [board.json()["data"]["id"]]
    assert holder.ask("GET", "/me").json()["data"]["auth_mode"] == "api-key"

    assert admin.ask("DELETE", f"/me/api-keys/{made['id']}").status_code == 200
    refused = holder.ask("GET", "/boards")
    assert refused.status_code == 403  # its own; API Gateway answers our 401
    assert "x-ratelimit-limit" not in refused.headers


def test_a_missing_scope_is_the_guards_403(admin: Caller) -> None:
    reader = holder_of(admin.key(scopes=["read"]), admin)
    response = reader.ask("POST", "/boards", {"name": "No", "view_mode": "canvas"})
    assert response.status_code == 403
    assert response.json() == {
        "object": "error",
        "status": 403,
        "code": "forbidden",
        "message": "Missing required scope: write",
    }


def test_the_request_over_the_limit_is_the_guards_429(admin: Caller) -> None:
    holder = holder_of(admin.key(scopes=["read"], rate_limit=2), admin)
    answers = [holder.ask("GET", "/boards") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    limited = answers[2]
    assert limited.json()["code"] == "rate_limit_exceeded"
    assert limited.headers["x-ratelimit-remaining"] == "0"
    assert 1 <= int(limited.headers["retry-after"]) <= 66


@pytest.mark.parametrize("credential", [None, "nonsense"])
def test_nobody_gets_in_without_a_credential(stack: dict[str, Any], credential: str | None) -> None:
    response = Caller(stack["url"], credential).ask("GET", "/boards")
    assert response.status_code == (401 if credential is None else 403)
    assert "x-ratelimit-limit" not in response.headers


def test_a_wrong_method_and_head_reach_the_function(admin: Caller) -> None:
    wrong = admin.ask("PUT", "/me", {})
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in wrong.headers["allow"]
    assert admin.ask("HEAD", "/me").status_code == 200
