"""A key is changed by a merge patch: what clients are told."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chatgrid_auth.domain import audit
from tests.support.http_api import Api, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"
KEY = "/me/api-keys/{id}"
LATER = "2099-01-01T00:00:00.000Z"


def made(api: Api, **facts: object) -> dict[str, object]:
    data: dict[str, object] = api("POST", KEYS, json_body={"name": "CI", **facts}).data
    return data


def patched(api: Api, key_id: object, **changes: object) -> dict[str, object]:
    reply = api("PATCH", KEY, id=str(key_id), json_body=changes)
    assert reply.status == 200, reply.json
    assert reply.json["object"] == "api_key"
    data: dict[str, object] = reply.data
    assert api("GET", KEY, id=str(key_id)).data == data
    return data


def wrong(api: Api, key_id: object, **changes: object) -> list[tuple[str, str]]:
    reply = api("PATCH", KEY, id=str(key_id), json_body=changes)
    assert (reply.status, reply.json["code"]) == (400, "validation_error")
    return [(one["code"], one["path"]) for one in reply.json["details"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Deploys"),
        ("scopes", ["admin"]),
        ("rate_limit", 7),
        ("expires_at", LATER),
        ("enabled", False),
        ("self_rotation", True),
        ("metadata", {"team": "core"}),
        ("allowed_ips", ["192.0.2.0/24", "2001:DB8::/32"]),
        ("permissions", ["boards:*", "exports:run"]),
        ("credits", {"remaining": 5, "refill": None}),
    ],
)
def test_a_change_touches_the_field_that_it_names_and_no_other(
    api: Api, store: MemoryKeyStore, field: str, value: object
) -> None:
    before = api("GET", KEY, id=str(made(api)["id"])).data
    after = patched(api, before["id"], **{field: value})
    assert after[field] == value
    changed = {name for name in before if before[name] != after[name]}
    also = {"disabled_reason"} if field == "enabled" else set()
    assert changed - {"updated_at"} == {field} | also
    (told,) = store.events[1:]
    assert told.changes == {
        name: {"from": before[name], "to": after[name]} for name in {field} | also
    }
    assert told.action == (audit.DISABLED if field == "enabled" else audit.UPDATED)


def test_null_clears_what_can_be_cleared(api: Api) -> None:
    created = made(api, rate_limit=7, expires_at=LATER, metadata={"team": "core"})
    data = patched(api, created["id"], rate_limit=None, expires_at=None, metadata=None)
    assert (data["rate_limit"], data["expires_at"], data["metadata"]) == (120, None, {})
    for field in ("name", "scopes", "enabled", "self_rotation"):
        assert wrong(api, created["id"], **{field: None}) == [("invalid_type", field)]


def test_metadata_merge_and_a_null_value_deletes_its_pair(api: Api) -> None:
    created = made(api, metadata={"team": "core", "stage": "one"})
    data = patched(api, created["id"], metadata={"stage": None, "owner": "ada", "none": None})
    assert data["metadata"] == {"team": "core", "owner": "ada"}
    assert patched(api, created["id"], metadata={})["metadata"] == data["metadata"]


def test_only_a_body_without_fields_changes_nothing(api: Api, store: MemoryKeyStore) -> None:
    created = made(api)
    reply = api("PATCH", KEY, id=str(created["id"]), json_body={})
    assert (reply.status, reply.json["code"]) == (400, "no_updates")
    same = {name: created[name] for name in ("name", "scopes", "rate_limit", "enabled")}
    assert patched(api, created["id"], **same)["updated_at"] == created["created_at"]
    assert len(store.events) == 1, "an entry tells of a change that was none"


@pytest.mark.parametrize(
    "field", ["environment", "id", "key_prefix", "disabled_reason", "updated_at", "kind"]
)
def test_unknown_and_read_only_fields_are_refused_by_name(api: Api, field: str) -> None:
    created = made(api)
    assert wrong(api, created["id"], **{field: "test"}) == [("unrecognized_key", field)]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("name", "", "too_small"),
        ("scopes", [], "too_small"),
        ("rate_limit", 0, "too_small"),
        ("rate_limit", 5_001, "too_big"),
        ("expires_at", "2001-01-01T00:00:00Z", "too_small"),
        ("metadata", {str(number): "" for number in range(17)}, "too_big"),
        ("metadata", {"a" * 65: ""}, "too_big"),
        ("metadata", {"": "a"}, "too_small"),
        ("metadata", {"a": "b\x07"}, "invalid_value"),
        ("metadata", {"a": "é" * 1_024}, "too_big"),
    ],
)
def test_a_change_that_breaks_a_rule_changes_nothing(
    api: Api, store: MemoryKeyStore, field: str, value: object, code: str
) -> None:
    created = made(api)
    before = dict(store.keys)
    assert wrong(api, created["id"], self_rotation=True, **{field: value}) == [(code, field)]
    assert store.keys == before


def test_the_pairs_are_counted_after_the_merge(api: Api) -> None:
    created = made(api, metadata={str(number): "" for number in range(16)})
    assert wrong(api, created["id"], metadata={"one": "more"}) == [("too_big", "metadata")]
    assert len(patched(api, created["id"], metadata={"0": None, "one": "more"})["metadata"]) == 16  # type: ignore[arg-type]


def test_an_expiry_is_said_in_one_way_only(api: Api) -> None:
    created = made(api)
    said = {"expires_at": LATER, "expires_in_seconds": 60}
    assert wrong(api, created["id"], **said) == [("invalid_value", "expires_in_seconds")]
    assert patched(api, created["id"], expires_in_seconds=3_600)["expires_at"] is not None


def test_values_that_a_key_has_already_keep_no_rule_again(api: Api, store: MemoryKeyStore) -> None:
    created = made(api)
    place = (api.caller.user_id, str(created["id"]))
    store.keys[place] = replace(store.keys[place], rate_limit=60_000, expires_at_ms=1_000)
    before = api("GET", KEY, id=str(created["id"])).data
    same = {"rate_limit": 60_000, "expires_at": before["expires_at"]}
    assert patched(api, created["id"], **same) == before


def test_whoever_disabled_a_key_first_is_remembered_until_it_is_enabled(
    api: Api, store: MemoryKeyStore
) -> None:
    created = made(api)
    place = (api.caller.user_id, str(created["id"]))
    store.keys[place] = replace(store.keys[place], disabled_reason="exposed")
    assert patched(api, created["id"], enabled=False)["disabled_reason"] == "exposed"
    data = patched(api, created["id"], enabled=True, name="Again")
    assert (data["enabled"], data["disabled_reason"]) == (True, None)
    assert store.events[-1].action == audit.ENABLED


def test_a_key_can_be_made_disabled_and_with_metadata(api: Api, store: MemoryKeyStore) -> None:
    data = made(api, enabled=False, metadata={"team": "core"})
    assert (data["enabled"], data["disabled_reason"]) == (False, "manual")
    assert data["metadata"] == {"team": "core"}
    assert data["updated_at"] == data["created_at"]
    assert store.events[0].changes["enabled"] == {"from": None, "to": False}


def test_anothers_a_revoked_and_an_unknown_key_are_not_found(api: Api) -> None:
    created, revoked = made(api), made(api)
    api("DELETE", KEY, id=str(revoked["id"]))
    other = Api(api.handler, key_caller())
    for caller, key_id in ((other, created["id"]), (api, revoked["id"]), (api, uuid4()), (api, 1)):
        reply = caller("PATCH", KEY, id=str(key_id), json_body={"name": "mine"})
        assert reply.problem() == (404, "not_found", "Not found")


def test_a_change_that_met_another_is_made_out_of_what_that_left(
    api: Api, store: MemoryKeyStore
) -> None:
    created = made(api)
    place = (api.caller.user_id, str(created["id"]))
    others = iter([{"a": "1"}, {"a": "1", "b": "2"}])

    def meanwhile() -> None:
        pairs = next(others, None)
        if pairs is not None:
            store.keys[place] = replace(store.keys[place], metadata=pairs)

    store.changes.meanwhile = meanwhile
    assert patched(api, created["id"], metadata={"c": "3"})["metadata"] == {
        "a": "1",
        "b": "2",
        "c": "3",
    }


def test_a_change_is_counted_and_one_that_is_refused_is_not(
    api: Api, capsys: pytest.CaptureFixture[str]
) -> None:
    key_id = made(api)["id"]
    capsys.readouterr()
    wrong(api, key_id, name="")
    assert "KeysChanged" not in capsys.readouterr().out
    patched(api, key_id, name="Deploys")
    assert '"KeysChanged":[1' in capsys.readouterr().out.replace(" ", "")
