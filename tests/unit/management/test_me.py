from __future__ import annotations

from uuid import uuid4

from chatgrid_auth.domain.verdicts import Caller
from tests.support.http_api import FIGURES, Api, jwt_caller, key_caller


def test_a_user_with_a_jwt_sees_who_they_are_and_no_key(api: Api) -> None:
    caller = jwt_caller(email="ada@example.com")
    reply = api("GET", "/me", caller=caller)
    assert reply.status == 200
    assert reply.json == {
        "object": "user",
        "data": {
            "id": caller.user_id,
            "email": "ada@example.com",
            "created_at": None,
            "auth_mode": "jwt",
        },
    }


def test_what_is_unknown_of_a_user_is_null(api: Api) -> None:
    assert api("GET", "/me", caller=jwt_caller(email=None)).data["email"] is None


def issued(api: Api, **facts: object) -> tuple[dict[str, object], Caller]:
    created = api("POST", "/me/api-keys", json_body={"name": "CI", **facts}).data
    return created, key_caller(user_id=api.caller.user_id, scope="read", key_id=created["id"])


def test_the_holder_of_a_key_sees_what_the_key_is(api: Api) -> None:
    facts = {"scopes": ["read"], "environment": "live", "expires_at": "2090-01-31T12:00:00Z"}
    created, holder = issued(api, **facts)
    reply = api("GET", "/me", caller=holder)
    assert reply.json == {
        "object": "user",
        "data": {
            "id": holder.user_id,
            "email": None,
            "created_at": None,
            "auth_mode": "api-key",
            "api_key": {
                "id": created["id"],
                "name": "CI",
                "scopes": ["read"],
                "environment": "live",
                "expires_at": "2090-01-31T12:00:00.000Z",
                "rate_limit": FIGURES.limit,
                "metadata": {},
                "credits": None,
                "rate_limit_remaining": FIGURES.remaining,
            },
            "token": None,
        },
    }


def test_head_says_the_same_without_saying_it(api: Api) -> None:
    _, holder = issued(api)
    head = api("HEAD", "/me", caller=holder)
    assert (head.status, head.text) == (200, "")
    assert head.headers["x-ratelimit-remaining"] == "119"


def test_a_key_revoked_since_it_was_let_in_is_told_so(api: Api) -> None:
    gone = key_caller(key_id=str(uuid4()))
    reply = api("GET", "/me", caller=gone)
    assert reply.problem() == (401, "unauthorized", "API key has been revoked")
    assert reply.headers["www-authenticate"] == "Bearer"
