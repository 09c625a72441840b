"""The audit log as its owner reads it: whole, in pages, verified, and nobody else's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.http_api.pagination import encode_cursor
from chatgrid_auth.services.audit.chain import hash_of
from tests.support.http_api import Api, jwt_caller, key_caller
from tests.support.memory.audit_log import MemoryAuditLog
from tests.support.memory.key_store import MemoryKeyStore

KEYS, LOG, VERIFY = "/me/api-keys", "/me/audit-log", "/me/audit-log/verify"


@pytest.fixture
def session() -> Caller:
    return jwt_caller()


def make(api: Api, caller: Caller) -> dict[str, Any]:
    made: dict[str, Any] = api("POST", KEYS, json_body={"name": "CI"}, caller=caller).data
    return made


def read(api: Api, caller: Caller, **query: str) -> dict[str, Any]:
    reply = api("GET", LOG, caller=caller, query={name: [text] for name, text in query.items()})
    assert reply.status == 200
    page: dict[str, Any] = reply.json
    return page


def test_entries_are_shown_newest_first_as_they_were_hashed(api: Api, session: Caller) -> None:
    key = make(api, session)
    api("DELETE", "/me/api-keys/{id}", id=key["id"], caller=session)
    page = read(api, session)
    assert [entry["action"] for entry in page["data"]] == ["api_key.revoked", "api_key.created"]
    assert (page["object"], page["has_more"], page["cursor"]) == ("list", False, None)
    for entry in page["data"]:
        assert hash_of(entry) == entry["hash"]
        assert entry["target"] == {"type": "api_key", "id": key["id"]}
    assert key["raw_key"] not in json.dumps(page)


@pytest.mark.parametrize(("order", "walked"), [("asc", [1, 2, 3, 4, 5]), ("desc", [5, 4, 3, 2, 1])])
def test_pages_give_each_entry_exactly_once(
    api: Api, session: Caller, order: str, walked: list[int]
) -> None:
    for _ in range(5):
        make(api, session)
    found: list[int] = []
    query = {"limit": "2", "order": order}
    while True:
        page = read(api, session, **query)
        found += [entry["seq"] for entry in page["data"]]
        if not page["has_more"]:
            break
        query["cursor"] = page["cursor"]
    assert found == walked


def test_nobody_reads_or_verifies_the_log_of_another(api: Api, session: Caller) -> None:
    make(api, session)
    other = jwt_caller()
    assert read(api, other)["data"] == []
    cursor = encode_cursor("00000000-0000-0000-0000-000000000009")
    assert read(api, other, cursor=cursor)["data"] == []
    assert api("GET", VERIFY, caller=other).data["entries"] == 0


def test_an_entry_that_somebody_has_spoiled_does_not_hide_the_others(
    api: Api, session: Caller, log: MemoryAuditLog
) -> None:
    for _ in range(3):
        make(api, session)
    read(api, session)
    log.chains[session.user_id][1] = {"seq": 2}
    assert [entry["seq"] for entry in read(api, session)["data"]] == [3, 1]
    found = api("GET", VERIFY, caller=session).data
    assert found == {"status": "broken", "entries": 3, "first_broken_seq": 2}


def test_a_verification_tells_how_many_entries_hold(api: Api, session: Caller) -> None:
    make(api, session)
    reply = api("GET", VERIFY, caller=session)
    assert reply.json == {
        "object": "audit_verification",
        "data": {"status": "ok", "entries": 1, "first_broken_seq": None},
    }


OF_A_KEY = encode_cursor("0195b6f0-0000-7000-8000-000000000001")


def test_a_malformed_cursor_is_refused(api: Api, session: Caller) -> None:
    reply = api("GET", LOG, caller=session, query={"cursor": ["x"]})
    assert reply.problem()[:2] == (400, "invalid_cursor")


@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("cursor", ["A" * 22, "_" * 21 + "w", OF_A_KEY])
def test_a_cursor_that_the_log_never_gave_is_a_place(
    api: Api, session: Caller, cursor: str, order: str
) -> None:
    make(api, session)
    before_all = cursor == "A" * 22
    found = read(api, session, cursor=cursor, order=order)["data"]
    assert len(found) == (before_all == (order == "asc"))


@pytest.mark.parametrize("route", [LOG, VERIFY])
def test_the_log_is_for_admins_alone(api: Api, route: str) -> None:
    reply = api("GET", route, caller=key_caller(scope="write"))
    assert reply.status == 403


@pytest.mark.parametrize("route", [LOG, VERIFY])
def test_an_unreadable_log_is_a_fault_and_never_empty(
    api: Api, store: MemoryKeyStore, route: str
) -> None:
    store.fault = StoreUnavailable("Query", "down")
    assert api("GET", route).problem()[:2] == (503, "service_unavailable")
