"""The rules of a key at the edge: what they refuse reaches no backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.stack.api import Api

#: Of nobody (RFC 5737): no request comes from there.
ELSEWHERE = ["203.0.113.0/24", "2001:db8::/32"]
ANYWHERE = ["0.0.0.0/0", "::/0"]
PAGE = "https://app.example.com"


@pytest.fixture(scope="module")
def admin(as_user: Callable[..., Api]) -> Api:
    """An admin key of a user of this module's own."""
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])


def assert_refused_at_the_edge(response: httpx.Response, message: str) -> None:
    """A 403 of API Gateway's own: every response of a function carries the caller's figures."""
    assert response.json() == {
        "object": "error",
        "status": 403,
        "code": "forbidden",
        "message": message,
    }
    assert response.status_code == 403
    assert not [name for name in response.headers if "ratelimit" in name]


def token_of(holder: Api, **said: Any) -> str:
    made = holder.ask("POST", "/me/tokens", json=said)
    assert made.status_code == 201
    token: str = made.json()["data"]["access_token"]
    return token


def test_another_source_address_reaches_no_backend(admin: Api) -> None:
    made = admin.create_key(allowed_ips=ANYWHERE)
    holder = admin.holding(made["raw_key"])
    passing = holder.ask("GET", "/boards")
    assert (passing.status_code, "x-ratelimit-limit" in passing.headers) == (200, True)
    bound = admin.holding(token_of(holder, allowed_ips=ELSEWHERE))
    assert_refused_at_the_edge(bound.ask("GET", "/boards"), "Source address not allowed")
    token = admin.holding(token_of(holder))
    changed = admin.ask("PATCH", f"/me/api-keys/{made['id']}", json={"allowed_ips": ELSEWHERE})
    assert [one["path"] for one in changed.json()["warnings"]] == ["allowed_ips"]
    spoofed = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
    for one in (holder, token):
        for headers in ({}, spoofed):
            refused = one.ask("GET", "/boards", headers=headers)
            assert_refused_at_the_edge(refused, "Source address not allowed")


def test_a_permission_that_is_missing_reaches_no_backend(admin: Api) -> None:
    made = admin.create_key(scopes=["write"], permissions=["boards:read"])
    holder = admin.holding(made["raw_key"])
    board = {"name": "none", "view_mode": "canvas"}
    for one in (holder, admin.holding(token_of(holder))):
        assert one.ask("GET", "/boards").status_code == 200
        refused = one.ask("POST", "/boards", json=board)
        assert_refused_at_the_edge(refused, "Missing required permission: boards:write")
    assert admin.ask("GET", "/boards").json()["data"] == [], "nobody made one"


def test_another_page_reaches_no_backend(admin: Api) -> None:
    made = admin.create_key(kind="publishable", allowed_origins=[PAGE])
    holder = admin.holding(made["raw_key"])
    page = {"Origin": PAGE}
    assert holder.ask("GET", "/boards", headers=page).status_code == 200
    made_there = holder.ask("POST", "/me/tokens", headers=page).json()["data"]
    for one in (holder, admin.holding(made_there["access_token"])):
        for headers in ({}, {"Origin": "null"}, {"Origin": PAGE + "/"}, {"Origin": "https://b.ex"}):
            refused = one.ask("GET", "/boards", headers=headers)
            assert_refused_at_the_edge(refused, "Origin not allowed")
    write = holder.ask("POST", "/boards", headers=page, json={"name": "x", "view_mode": "docs"})
    assert_refused_at_the_edge(write, "Missing required scope: write")
