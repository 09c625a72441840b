from __future__ import annotations

from uuid import uuid4

from chatgrid_auth.domain.limits.beyond import AppliedLimit, Beyond
from chatgrid_auth.domain.verdicts import Allowed, Caller, RateLimitStatus
from tests.support.http_api import FIGURES, Api, context_of, jwt_caller, key_caller


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
                "limits": None,
            },
            "token": None,
        },
    }


def test_the_keys_own_limit_is_told_though_another_is_closer(api: Api) -> None:
    """The headers are about the closest; the key's own figures stay the key's own."""
    _, holder = issued(api)
    closest = RateLimitStatus(limit=10, remaining=2, more_s=1, reset_s=1_900_000_100)
    limits = [
        AppliedLimit("default", FIGURES.limit, 60, FIGURES),
        AppliedLimit("owner", 500, 60),
        AppliedLimit("route:GET /me", 10, 3_600, closest),
    ]
    beyond = Beyond(limits=limits, credits_left=41)
    verdict = Allowed(caller=holder, figures=closest, usage_key="k", beyond=beyond)
    reply = api("GET", "/me", authorizer=context_of(verdict))
    own = reply.data["api_key"]
    assert (own["rate_limit"], own["rate_limit_remaining"]) == (FIGURES.limit, FIGURES.remaining)
    assert [(one["name"], one["limit"], one["remaining"]) for one in own["limits"]] == [
        ("default", FIGURES.limit, FIGURES.remaining),
        ("owner", 500, None),
        ("route:GET /me", 10, 2),
    ]
    assert own["limits"][2]["window_seconds"] == 3_600
    assert own["limits"][2]["reset_at"] == "2030-03-17T17:48:20.000Z"
    assert reply.headers["x-ratelimit-limit"] == "10"
    assert reply.headers["x-credits-remaining"] == "41"


def test_the_holder_of_a_key_sees_its_credits(api: Api) -> None:
    said = {"remaining": 7, "refill": {"amount": 9, "interval": "month"}}
    created, holder = issued(api, credits=said)
    shown = api("GET", "/me", caller=holder).data["api_key"]["credits"]
    assert shown == created["credits"]
    assert (shown["remaining"], shown["refill"]["amount"]) == (7, 9)


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
