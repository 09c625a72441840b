"""What made a key, what goes with it, and the line that tells who did it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_auth.domain.verdicts import Caller
from tests.support.http_api import Api, jwt_caller, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
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


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in found if "event" in line]


def test_every_key_tells_what_made_it_in_every_answer(api: Api, session: Caller) -> None:
    first = made(api, session)
    second = made(api, holder(session, first))
    assert first["created_by"] == {"type": "jwt", "key_id": None}
    assert second["created_by"] == {"type": "api_key", "key_id": first["id"]}
    assert (
        api("GET", ONE, id=second["id"], caller=session).data["created_by"]
        == (second["created_by"])
    )
    listed = api("GET", KEYS, caller=session).json["data"]
    assert [key["created_by"] for key in listed] == [second["created_by"], first["created_by"]]


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
    store.revoke(session.user_id, leaked["id"], now_ms=0)
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


def test_each_creation_and_revocation_is_one_line_without_a_credential(
    api: Api, session: Caller, capsys: pytest.CaptureFixture[str], store: MemoryKeyStore
) -> None:
    key = made(api, session)
    child = made(api, holder(session, key))
    api("DELETE", ONE, id=key["id"], caller=session, query={"descendants": ["true"]})
    out = capsys.readouterr().out
    told = [json.loads(line) for line in out.splitlines() if '"event"' in line]
    user = {"type": "user", "id": session.user_id, "key_id": None}
    by_key = {"type": "api_key", "id": session.user_id, "key_id": key["id"]}
    assert [(line["event"], line["key_id"], line["actor"]) for line in told] == [
        ("api_key.created", key["id"], user),
        ("api_key.created", child["id"], by_key),
        ("api_key.revoked", key["id"], user),
        ("api_key.revoked", child["id"], user),
    ]
    for line in told:
        assert line["owner"] == session.user_id
        assert line["request_id"] == "0b5a2f6d-1e8c-4a70-9b5a-2f6d1e8c4a70"
        assert line["at"].endswith("Z")
    assert not any(secret in out for secret in (key["raw_key"], child["raw_key"], *store.hashes))


def test_what_was_refused_leaves_no_line(
    api: Api, session: Caller, capsys: pytest.CaptureFixture[str]
) -> None:
    api("DELETE", ONE, id="019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70", caller=session)
    api("POST", KEYS, json_body={"name": ""}, caller=session)
    assert lines(capsys) == []
