"""The key in one's hand: whatever its scopes, its holder may look at it and end it."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain import audit, keys
from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer import event
from tests.support.http_api import Api, jwt_caller, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
OWN = "/me/api-key"
ROTATE = "/me/api-key/rotate"
REVOKED = (401, "unauthorized", "API key has been revoked")


def holder(api: Api, *, scope: str = "read", **facts: object) -> Caller:
    """Who holds a new key of the caller's."""
    created = api("POST", KEYS, json_body={"name": "CI", "scopes": [scope], **facts}).data
    return key_caller(user_id=api.caller.user_id, scope=scope, key_id=created["id"])


@pytest.mark.parametrize("scope", ["read", "write", "admin"])
def test_a_holder_sees_its_key_with_any_scope(api: Api, scope: str) -> None:
    caller = holder(api, scope=scope)
    reply = api("GET", OWN, caller=caller)
    assert (reply.status, reply.json["object"]) == (200, "api_key")
    assert reply.data == api("GET", "/me/api-keys/{id}", id=caller.key_id).data


@pytest.mark.parametrize("scope", ["read", "admin"])
def test_a_holder_ends_its_key_with_any_scope(api: Api, store: MemoryKeyStore, scope: str) -> None:
    caller = holder(api, scope=scope)
    reply = api("DELETE", OWN, caller=caller)
    assert reply.status == 200
    assert reply.json == {
        "object": "api_key_revoked",
        "data": {"id": caller.key_id, "revoked": True},
    }
    assert store.events[-1].action == audit.REVOKED
    assert store.events[-1].actor.key_id == caller.key_id
    for method, resource in (("GET", OWN), ("DELETE", OWN), ("POST", ROTATE)):
        assert api(method, resource, caller=caller).problem() == REVOKED


def test_a_key_rotates_itself_only_where_its_owner_lets_it(api: Api, store: MemoryKeyStore) -> None:
    refused = api("POST", ROTATE, caller=holder(api))
    assert refused.problem() == (403, "forbidden", "Self-rotation is not allowed")
    caller = holder(api, self_rotation=True)
    assert api("GET", OWN, caller=caller).data["self_rotation"] is True
    reply = api("POST", ROTATE, caller=caller, json_body={"grace_period_seconds": 60})
    assert reply.status == 200
    assert store.hashes[-1] == keys.hash_of(reply.data["raw_key"])
    assert store.events[-1].actor.key_id == caller.key_id
    again = api("POST", ROTATE, caller=caller)
    assert again.problem()[:2] == (409, "previous_secret_active")


@pytest.mark.parametrize("body", [None, {"force": True}, {"grace_period_seconds": 0}])
def test_a_former_secret_never_takes_its_key_over(
    api: Api, store: MemoryKeyStore, body: dict[str, object] | None
) -> None:
    """Also not by the name of a request that the current secret sent."""
    caller = holder(api, self_rotation=True)
    named = {"Idempotency-Key": "abc", "Content-Type": "application/json"}
    body = body or {}
    assert api("POST", ROTATE, caller=caller, json_body=body, headers=named).status == 200
    issued, told = list(store.hashes), len(store.events)
    former = key_caller(
        user_id=caller.user_id, scope="read", key_id=caller.key_id or "", former=True
    )
    unnamed = {"Content-Type": "application/json"}
    for headers in (unnamed, named, {**named, "Idempotency-Key": "other"}):
        reply = api("POST", ROTATE, caller=former, json_body=body, headers=headers)
        assert reply.problem() == (403, "forbidden", "Self-rotation is not allowed")
    assert (store.hashes, len(store.events)) == (issued, told)


def test_a_former_secret_looks_at_its_key_and_ends_it(api: Api) -> None:
    """Whoever has a leaked secret in hand may make it useless, and the key is better dead."""
    caller = holder(api)
    former = key_caller(
        user_id=caller.user_id, scope="read", key_id=caller.key_id or "", former=True
    )
    assert api("GET", OWN, caller=former).data["id"] == caller.key_id
    assert api("DELETE", OWN, caller=former).data == {"id": caller.key_id, "revoked": True}
    assert api("GET", OWN, caller=caller).problem() == REVOKED


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"reason": ["key_compromise"]},
        {"reason": ["unspecified"], "other": ["x"]},
        {"Reason": ["nonsense"]},
        {"reason": ["nonsense"]},
        {"reason": [""]},
        {"reason": ["Key_Compromise"]},
        {"reason": ["key_compromise "]},
        {"reason": ["key_compromise", "key_compromise"]},
        {"reason": ["nonsense", "superseded"]},
    ],
)
@pytest.mark.parametrize("several", [True, False])
def test_the_limit_is_passed_over_exactly_where_the_key_is_revoked(
    api: Api, query: dict[str, list[str]], several: bool
) -> None:
    """Else a request that is refused for its query would be one that no limit counts."""
    caller = holder(api)
    asked = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:api/v1/DELETE/me/api-key",
        "resource": OWN,
        "queryStringParameters": {name: values[-1] for name, values in query.items()},
        "multiValueQueryStringParameters": query if several else None,
    }
    if not several:
        query = {name: values[-1:] for name, values in query.items()}
    reply = api("DELETE", OWN, caller=caller, query=query)
    assert reply.status in {200, 400}
    assert event.read(asked, routes=Routes(permissions={})).judged.unlimited is (
        reply.status == 200
    )


@pytest.mark.parametrize(("method", "resource"), [("GET", OWN), ("DELETE", OWN), ("POST", ROTATE)])
def test_a_session_has_no_key_in_its_hand(api: Api, method: str, resource: str) -> None:
    reply = api(method, resource, caller=jwt_caller())
    assert reply.problem() == (404, "not_found", "Not found")
