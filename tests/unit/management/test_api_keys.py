from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from chatgrid_auth.domain import keys
from tests.support.http_api import Api, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
KEY = "/me/api-keys/{id}"
FIELDS = {
    "kind",
    "id",
    "key_prefix",
    "name",
    "scopes",
    "rate_limit",
    "last_used_at",
    "self_rotation",
    "previous_secret",
    "created_by",
    "environment",
    "enabled",
    "disabled_reason",
    "allowed_ips",
    "allowed_origins",
    "permissions",
    "metadata",
    "credits",
    "updated_at",
    "created_at",
    "expires_at",
}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
NOT_FOUND = (404, "not_found", "Not found")


def test_a_new_key_has_the_defaults_and_shows_its_raw_form(api: Api) -> None:
    reply = api("POST", KEYS, json_body={"name": "CI"})
    assert reply.status == 201
    assert reply.json["object"] == "api_key"
    data = reply.data
    assert set(data) == FIELDS | {"raw_key"}
    assert UUID(data["id"]).version == 7
    assert keys.is_well_formed(data["raw_key"])
    assert data["raw_key"].startswith("cgk_live_")
    assert data["key_prefix"] == data["raw_key"][:13]
    assert data["name"] == "CI"
    assert data["scopes"] == ["read", "write"]
    assert data["rate_limit"] == 120
    assert data["last_used_at"] is None
    assert data["expires_at"] is None
    assert INSTANT.fullmatch(data["created_at"])


def test_a_new_key_is_what_was_asked_for(api: Api) -> None:
    body = {
        "name": "naïve \N{ROCKET}",
        "scopes": ["admin", "read", "admin"],
        "rate_limit": 5_000,
        "expires_at": "2090-01-31T13:00:00.5+01:00",
        "environment": "test",
    }
    data = api("POST", KEYS, json_body=body).data
    assert data["name"] == "naïve \N{ROCKET}"
    assert data["scopes"] == ["read", "admin"]
    assert data["rate_limit"] == 5_000
    assert data["expires_at"] == "2090-01-31T12:00:00.500Z"
    assert data["raw_key"].startswith("cgk_test_")


def test_null_means_left_out_wherever_a_response_may_hold_it(api: Api) -> None:
    body = {"name": "CI", "rate_limit": None, "expires_at": None}
    data = api("POST", KEYS, json_body=body).data
    assert (data["rate_limit"], data["expires_at"]) == (120, None)


def test_the_raw_form_is_shown_once_and_kept_nowhere(api: Api, store: MemoryKeyStore) -> None:
    created = api("POST", KEYS, json_body={"name": "CI"}).data
    raw_key = created.pop("raw_key")
    assert api("GET", KEY, id=created["id"]).json == {"object": "api_key", "data": created}
    assert api("GET", KEYS).data == [created]
    assert store.hashes == [keys.hash_of(raw_key)]
    assert raw_key not in repr(store.keys)
    assert raw_key not in api("GET", KEYS).text + api("GET", KEY, id=created["id"]).text


def test_neither_log_lines_nor_metrics_hold_a_raw_key(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    raw_key = api("POST", KEYS, json_body={"name": "CI"}).data["raw_key"]
    out, err = capsys.readouterr()
    assert '"message":"request"' in out
    assert '"KeysIssued":[1' in out.replace(" ", "")
    assert raw_key not in out + err
    assert raw_key[9:30] not in out + err


def test_no_answer_that_holds_key_data_may_be_stored(api: Api) -> None:
    created = api("POST", KEYS, json_body={"name": "CI"})
    replies = [
        created,
        api("GET", KEYS),
        api("GET", KEY, id=created.data["id"]),
        api("DELETE", KEY, id=created.data["id"]),
        api("GET", "/me"),
    ]
    assert {reply.headers["cache-control"] for reply in replies} == {"no-store"}


def test_a_list_tells_when_a_key_was_last_used(api: Api, store: MemoryKeyStore) -> None:
    key_id = api("POST", KEYS, json_body={"name": "CI"}).data["id"]
    store.use(api.caller.user_id, key_id, at_ms=1_773_133_200_123)
    assert api("GET", KEYS).data[0]["last_used_at"] == "2026-03-10T09:00:00.123Z"


def test_revoking_is_final_and_the_second_time_finds_nothing(api: Api) -> None:
    key_id = api("POST", KEYS, json_body={"name": "CI"}).data["id"]
    revoked = api("DELETE", KEY, id=key_id)
    assert revoked.status == 200
    assert revoked.json == {"object": "api_key_revoked", "data": {"id": key_id, "revoked": True}}
    assert api("DELETE", KEY, id=key_id).problem() == NOT_FOUND
    assert api("GET", KEY, id=key_id).problem() == NOT_FOUND
    assert api("GET", KEYS).data == []


def test_an_id_is_the_same_in_capitals(api: Api) -> None:
    key_id = api("POST", KEYS, json_body={"name": "CI"}).data["id"]
    assert api("GET", KEY, id=key_id.upper()).data["id"] == key_id
    assert api("DELETE", KEY, id=key_id.upper()).data["id"] == key_id


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_anothers_an_unknown_and_a_malformed_keys_id_look_alike(api: Api, method: str) -> None:
    theirs = api("POST", KEYS, json_body={"name": "CI"}, caller=key_caller()).data["id"]
    replies = [
        api(method, KEY, id=id_)
        for id_ in (theirs, str(uuid4()), "42", "../boards", "%00", "\N{ROCKET}", "x" * 5_000)
    ]
    assert {(reply.status, reply.text) for reply in replies} == {(404, replies[0].text)}
    if method != "HEAD":
        assert replies[0].problem() == NOT_FOUND


def test_two_users_never_see_each_others_keys(api: Api) -> None:
    other = key_caller()
    mine = api("POST", KEYS, json_body={"name": "mine"}).data["id"]
    theirs = api("POST", KEYS, json_body={"name": "theirs"}, caller=other).data["id"]
    assert [key["id"] for key in api("GET", KEYS).data] == [mine]
    assert [key["id"] for key in api("GET", KEYS, caller=other).data] == [theirs]


def test_nothing_in_a_request_can_name_another_user(api: Api) -> None:
    other = key_caller()
    theirs = api("POST", KEYS, json_body={"name": "theirs"}, caller=other).data["id"]
    headers = {
        "Content-Type": "application/json",
        "X-User-Id": other.user_id,
        "user_id": other.user_id,
        "principalId": other.user_id,
    }
    query = {"user_id": [other.user_id], "owner": [other.user_id]}
    assert api("GET", KEYS, headers=headers, query=query).data == []
    assert api("GET", KEY, id=theirs, headers=headers, query=query).status == 404
    body = {"name": "x", "owner": other.user_id}
    assert api("POST", KEYS, json_body=body).details() == [("unrecognized_key", "owner")]


def test_an_expired_key_stays_in_the_list_until_it_is_revoked(
    api: Api, store: MemoryKeyStore
) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    key_id = api("POST", KEYS, json_body={"name": "CI", "expires_at": soon}).data["id"]
    (key,) = store.keys.values()
    object.__setattr__(key, "expires_at_ms", 1_773_133_200_000)
    assert api("GET", KEYS).data[0]["expires_at"] == "2026-03-10T09:00:00.000Z"
    assert api("DELETE", KEY, id=key_id).status == 200


@pytest.mark.parametrize("scope", ["read", "write"])
def test_without_admin_no_key_is_seen_or_touched(
    api: Api, store: MemoryKeyStore, scope: str
) -> None:
    caller = key_caller(scope=scope)
    calls = [("GET", KEYS), ("POST", KEYS), ("GET", KEY), ("DELETE", KEY), ("PUT", KEY)]
    for method, resource in calls:
        reply = api(method, resource, id=str(uuid4()), json_body={"name": "x"}, caller=caller)
        assert reply.problem() == (403, "forbidden", "Missing required scope: admin")
    assert not store.keys


def test_a_user_can_hold_no_more_keys_than_allowed(api: Api, store: MemoryKeyStore) -> None:
    for number in range(1_000):
        store.keys[api.caller.user_id, str(number)] = None  # type: ignore[assignment]
    reply = api("POST", KEYS, json_body={"name": "one too many"})
    assert reply.problem() == (409, "conflict", "A user may hold at most 1000 API keys")
