"""What the gate promises about credentials, seen from outside."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chatgrid_auth.domain.keys import generate
from tests.support.stack.api import Api, problem

#: An id that nobody has; fixed, so that every process names the same tests.
NOBODYS = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"
INVALID = (401, "unauthorized", "Missing or invalid token")
FIGURES = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset")


@pytest.fixture(scope="module")
def admin(as_user: Callable[..., Api]) -> Api:
    """An admin key of a user of this module's own."""
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])


def test_a_key_lives_from_creation_to_revocation(admin: Api) -> None:
    made = admin.create_key(name="Life of a key", scopes=["read"])
    holder = admin.holding(made["raw_key"])
    assert holder.ask("GET", "/boards").status_code == 200

    listed = next(key for key in admin.walk("/me/api-keys") if key["id"] == made["id"])
    assert "raw_key" not in listed
    assert listed["key_prefix"] == made["raw_key"][:13]
    assert listed["last_used_at"] is not None
    unused = {**{name: made[name] for name in listed}, "last_used_at": listed["last_used_at"]}
    assert listed == unused
    assert admin.ask("GET", f"/me/api-keys/{made['id']}").json()["data"] == listed

    revoked = admin.ask("DELETE", f"/me/api-keys/{made['id']}")
    assert revoked.status_code == 200
    assert revoked.json() == {
        "object": "api_key_revoked",
        "data": {"id": made["id"], "revoked": True},
    }
    refused = holder.ask("GET", "/boards")
    assert problem(refused) == (401, "unauthorized", "API key has been revoked")
    assert problem(admin.ask("DELETE", f"/me/api-keys/{made['id']}"))[:2] == (404, "not_found")
    assert made["id"] not in {key["id"] for key in admin.walk("/me/api-keys")}


def test_an_expired_key_says_so(admin: Api) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=5)
    made = admin.create_key(expires_at=soon.isoformat(), rate_limit=10_000)
    holder = admin.holding(made["raw_key"])
    deadline = time.monotonic() + 30
    while (response := holder.ask("GET", "/boards")).status_code == 200:
        assert time.monotonic() < deadline, "the key outlives its expiry"
    assert problem(response) == (401, "unauthorized", "API key has expired")
    assert datetime.now(UTC) >= soon - timedelta(seconds=1)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/boards", "write"),
        ("PATCH", f"/boards/{NOBODYS}", "write"),
        ("DELETE", f"/boards/{NOBODYS}", "write"),
        ("GET", "/me/api-keys", "admin"),
        ("POST", "/me/api-keys", "admin"),
        ("GET", f"/me/api-keys/{NOBODYS}", "admin"),
        ("DELETE", f"/me/api-keys/{NOBODYS}", "admin"),
    ],
)
def test_a_read_key_is_told_the_scope_that_it_lacks(
    admin: Api, method: str, path: str, scope: str
) -> None:
    holder = admin.holding(admin.create_key(scopes=["read"])["raw_key"])
    response = holder.ask(method, path)
    assert problem(response) == (403, "forbidden", f"Missing required scope: {scope}")


def test_greater_scopes_include_lesser_ones(admin: Api) -> None:
    writer = admin.holding(admin.create_key(scopes=["write"])["raw_key"])
    assert writer.ask("GET", "/boards").status_code == 200
    board = {"name": "b", "view_mode": "docs"}
    assert writer.ask("POST", "/boards", json=board).is_success
    assert writer.ask("GET", "/me/api-keys").status_code == 403


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Basic dXNlcjpwYXNz",
        "Bearer nonsense",
        "Bearer cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6",
        "Bearer a.b.c",
        "Bearer a b",
    ],
)
def test_what_is_no_credential_is_a_401_everywhere(
    http: httpx.Client, authorization: str | None
) -> None:
    nobody = Api(http, None)
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("GET", "/boards"), ("POST", "/me/api-keys"), ("GET", "/me")):
        response = nobody.ask(method, path, headers=headers)
        assert problem(response) == INVALID
        assert "cgk_" not in response.text


def test_an_unknown_key_is_a_401_without_a_hint(http: httpx.Client) -> None:
    stranger = Api(http, generate("live", entropy=os.urandom))
    assert problem(stranger.ask("GET", "/boards")) == INVALID


def test_two_credentials_are_none(http: httpx.Client, admin: Api) -> None:
    raw = admin.create_key()["raw_key"]
    twice = http.get(
        "boards", headers=[("Authorization", f"Bearer {raw}"), ("Authorization", "Bearer x")]
    )
    assert problem(twice) == INVALID


def test_the_scheme_is_matched_in_any_case(http: httpx.Client, admin: Api) -> None:
    raw = admin.create_key()["raw_key"]
    for scheme in ("bearer", "BEARER"):
        assert http.get("me", headers={"authorization": f"{scheme} {raw}"}).status_code == 200


def test_every_answer_to_a_known_caller_carries_its_figures(admin: Api) -> None:
    holder = admin.holding(admin.create_key(scopes=["write"], rate_limit=7)["raw_key"])
    for response in (
        holder.ask("GET", "/boards"),
        holder.ask("GET", f"/boards/{uuid4()}"),
        holder.ask("POST", "/boards", json={}),
    ):
        assert response.headers["x-ratelimit-limit"] == "7"
        assert all(response.headers[name].isdigit() for name in FIGURES)
        assert response.headers["ratelimit-policy"] == '"default";q=7;w=60'
        assert response.headers["ratelimit"].startswith('"default";r=')
    assert response.headers["x-ratelimit-remaining"] == "4"


def test_the_limit_is_answered_with_a_wait(admin: Api) -> None:
    holder = admin.holding(admin.create_key(rate_limit=3)["raw_key"])
    assert [holder.ask("GET", "/boards").status_code for _ in range(5)] == [200] * 3 + [429] * 2
    limited = holder.ask("GET", "/boards")
    assert problem(limited) == (429, "rate_limit_exceeded", "Rate limit exceeded")
    assert limited.headers["x-ratelimit-remaining"] == "0"
    assert 1 <= int(limited.headers["retry-after"]) <= 66


def test_the_holder_of_a_key_can_inspect_it(admin: Api) -> None:
    made = admin.create_key(name="Inspect me", scopes=["read"], environment="test", rate_limit=9)
    data = admin.holding(made["raw_key"]).ask("GET", "/me").json()["data"]
    assert data["auth_mode"] == "api-key"
    assert made["raw_key"] not in str(data)
    text = str(data)
    for known in (made["id"], "Inspect me", "test"):
        assert known in text


def test_a_jwt_may_do_all_and_manages_the_same_users_keys(as_user: Callable[..., Api]) -> None:
    user_id = str(uuid4())
    user = as_user(user_id, email="ada@example.org")
    me: dict[str, Any] = user.ask("GET", "/me").json()["data"]
    assert (me["id"], me["email"], me["auth_mode"]) == (user_id, "ada@example.org", "jwt")
    key = user.holding(user.create_key(scopes=["admin"])["raw_key"])
    made = key.create_key()
    assert made["id"] in {found["id"] for found in user.walk("/me/api-keys")}
    assert user.ask("DELETE", f"/me/api-keys/{made['id']}").status_code == 200
    assert user.ask("GET", "/me").headers["x-ratelimit-limit"] == "200"


def test_two_users_never_see_each_others_keys_or_boards(as_user: Callable[..., Api]) -> None:
    ada, bob = as_user(str(uuid4())), as_user(str(uuid4()))
    key = ada.create_key()
    board = ada.ask("POST", "/boards", json={"name": "Ada's", "view_mode": "canvas"}).json()["data"]
    assert bob.walk("/me/api-keys") == []
    assert bob.walk("/boards") == []
    for method in ("GET", "DELETE"):
        assert problem(bob.ask(method, f"/me/api-keys/{key['id']}")) == problem(
            bob.ask(method, f"/me/api-keys/{uuid4()}")
        )
    patch = {"name": "Bob's now"}
    for method, body in (("GET", None), ("PATCH", patch), ("DELETE", None)):
        theirs = bob.ask(method, f"/boards/{board['id']}", json=body)
        absent = bob.ask(method, f"/boards/{uuid4()}", json=body)
        assert problem(theirs) == problem(absent)
        assert problem(theirs)[:2] == (404, "board_not_found")
    assert ada.ask("GET", f"/boards/{board['id']}").json()["data"]["name"] == "Ada's"
    assert ada.ask("GET", f"/me/api-keys/{key['id']}").status_code == 200
