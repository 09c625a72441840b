"""What made a key, what goes with it, and the line that tells who did it."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.domain.actors import API_KEY, JWT, Actor
from chatgrid_auth.domain.verdicts import Caller
from tests.support.audit import revoked
from tests.support.http_api import Api, jwt_caller, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
#: Of the event that a request comes in (tests/support/http_api.py).
SOURCE_IP, REQUEST_ID = "203.0.113.7", "0b5a2f6d-1e8c-4a70-9b5a-2f6d1e8c4a70"
ONE = "/me/api-keys/{id}"


@pytest.fixture
def session() -> Caller:
    return jwt_caller()


def made(api: Api, caller: Caller, **facts: Any) -> dict[str, Any]:
    reply = api("POST", KEYS, json_body={"name": "CI", **facts}, caller=caller)
    assert reply.status == 201
    data: dict[str, Any] = reply.data
    return data


def holder(session: Caller, key: dict[str, Any]) -> Caller:
    return key_caller(user_id=session.user_id, key_id=key["id"])


def ids(api: Api, session: Caller) -> set[str]:
    return {key["id"] for key in api("GET", KEYS, caller=session).json["data"]}


def test_every_key_tells_what_made_it_in_every_answer(api: Api, session: Caller) -> None:
    first = made(api, session)
    second = made(api, holder(session, first))
    assert first["created_by"] == {"type": "jwt", "key_id": None}
    assert second["created_by"] == {"type": "api_key", "key_id": first["id"]}
    assert (
        api("GET", ONE, id=second["id"], caller=session).data["created_by"]
        == (second["created_by"])
    )
    # Within one millisecond the list has no order.
    listed = {key["id"]: key["created_by"] for key in api("GET", KEYS, caller=session).json["data"]}
    assert listed == {key["id"]: key["created_by"] for key in (first, second)}


def test_descendants_go_with_a_key_and_nothing_else_does(api: Api, session: Caller) -> None:
    other, leaked = made(api, session), made(api, session)
    child = made(api, holder(session, leaked))
    grandchild = made(api, holder(session, child))
    assert api("DELETE", ONE, id=child["id"], caller=session).status == 200
    assert ids(api, session) == {other["id"], leaked["id"], grandchild["id"]}
    query = {"descendants": ["true"]}
    reply = api("DELETE", ONE, id=leaked["id"], caller=session, query=query)
    assert reply.json == {
        "object": "api_key_revoked",
        "data": {"id": leaked["id"], "revoked": True},
    }
    assert ids(api, session) == {other["id"]}
    assert api("DELETE", ONE, id=leaked["id"], caller=session, query=query).status == 404


def test_what_was_cut_off_is_done_by_the_same_request_again(
    api: Api, session: Caller, store: MemoryKeyStore
) -> None:
    leaked = made(api, session)
    made(api, holder(session, leaked))
    store.revoke(
        session.user_id, leaked["id"], event=revoked(session.user_id, leaked["id"], at_ms=0)
    )
    query = {"descendants": ["true"]}
    assert api("DELETE", ONE, id=leaked["id"], caller=session, query=query).status == 200
    assert ids(api, session) == set()


def test_without_descendants_only_the_key_itself_is_revoked(api: Api, session: Caller) -> None:
    parent = made(api, session)
    child = made(api, holder(session, parent))
    assert api("DELETE", ONE, id=parent["id"], caller=session).status == 200
    assert ids(api, session) == {child["id"]}


@pytest.mark.parametrize("values", [["yes"], ["TRUE"], [""], ["true", "true"]])
def test_an_odd_word_for_descendants_revokes_nothing(
    api: Api, session: Caller, values: list[str]
) -> None:
    key = made(api, session)
    reply = api("DELETE", ONE, id=key["id"], caller=session, query={"descendants": values})
    assert reply.problem() == (400, "validation_error", "Invalid query parameters")
    assert reply.details() == [("invalid_value", "descendants")]
    assert ids(api, session) == {key["id"]}


def test_a_key_that_was_revoked_meanwhile_makes_no_other(api: Api, session: Caller) -> None:
    key = made(api, session)
    api("DELETE", ONE, id=key["id"], caller=session)
    reply = api("POST", KEYS, json_body={"name": "x"}, caller=holder(session, key))
    assert reply.problem() == (401, "unauthorized", "API key has been revoked")
    assert ids(api, session) == set()


def test_each_creation_and_revocation_is_told_of_with_who_did_it(
    api: Api, session: Caller, store: MemoryKeyStore
) -> None:
    key = made(api, session)
    child = made(api, holder(session, key))
    api("DELETE", ONE, id=key["id"], caller=session, query={"descendants": ["true"]})
    place: dict[str, Any] = {"source_ip": SOURCE_IP, "request_id": REQUEST_ID}
    user = Actor(type=JWT, id=session.user_id, **place)
    by_key = Actor(type=API_KEY, id=session.user_id, key_id=key["id"], **place)
    assert [(told.action, told.target_id, told.actor) for told in store.events] == [
        ("api_key.created", key["id"], user),
        ("api_key.created", child["id"], by_key),
        ("api_key.revoked", key["id"], user),
        ("api_key.revoked", child["id"], user),
    ]
    assert {told.owner for told in store.events} == {session.user_id}
    assert store.events[0].changes == {
        "name": {"from": None, "to": key["name"]},
        "scopes": {"from": None, "to": key["scopes"]},
        "environment": {"from": None, "to": "live"},
        "rate_limit": {"from": None, "to": key["rate_limit"]},
        "enabled": {"from": None, "to": True},
        "kind": {"from": None, "to": "secret"},
        "self_rotation": {"from": None, "to": False},
        "metadata": {"from": None, "to": {}},
    }
    told = repr(store.events)
    assert not any(secret in told for secret in (key["raw_key"], child["raw_key"], *store.hashes))


def test_what_was_refused_is_not_told_of(api: Api, session: Caller, store: MemoryKeyStore) -> None:
    api("DELETE", ONE, id="019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70", caller=session)
    api("POST", KEYS, json_body={"name": ""}, caller=session)
    assert store.events == []
