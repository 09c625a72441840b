"""The rules of a key: what may be said of them, by whom, and what clients are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.domain.verdicts import Caller
from tests.support.http_api import Api, key_caller
from tests.support.memory.key_store import MemoryKeyStore

KEYS, KEY = "/me/api-keys", "/me/api-keys/{id}"
VECTORS = Path(__file__).parents[2] / "vectors/rules"
BEYOND = (403, "forbidden", "Beyond your own permissions")
MANY = 20  # problems that one response tells


def hostile(name: str) -> list[str]:
    refused: list[str] = json.loads((VECTORS / f"{name}.json").read_text())["refused"]
    return refused


def made(api: Api, caller: Caller | None = None, **facts: object) -> dict[str, Any]:
    reply = api("POST", KEYS, json_body={"name": "CI", **facts}, caller=caller or api.caller)
    assert reply.status == 201, reply.json
    data: dict[str, Any] = reply.data
    return data


def details(reply: Any) -> list[tuple[str, str]]:
    assert (reply.status, reply.json["code"]) == (400, "validation_error"), reply.json
    return [(one["code"], one["path"]) for one in reply.json["details"]]


@pytest.fixture
def limited(api: Api, store: MemoryKeyStore) -> Caller:
    """A key with permissions, of the same user, that manages keys."""
    own = made(api, scopes=["admin"], permissions=["me:admin", "boards:*"])
    return key_caller(
        user_id=api.caller.user_id, key_id=own["id"], permissions=("me:admin", "boards:*")
    )


def test_rules_are_shown_as_they_were_given_wherever_a_key_is_shown(api: Api) -> None:
    rules = {
        "allowed_ips": ["2001:DB8::/32", "192.0.2.1", "::ffff:10.0.0.0/104", "192.0.2.1"],
        "permissions": ["exports:run", "boards:*"],
    }
    data = made(api, None, **rules)
    (listed,) = api("GET", KEYS).data
    for shown in (data, listed, api("GET", KEY, id=data["id"]).data):
        assert {name: shown[name] for name in rules} == rules
    assert made(api)["allowed_ips"] is made(api)["permissions"] is None


@pytest.mark.parametrize(
    ("field", "most"), [("allowed_ips", 20), ("permissions", 50)], ids=["addresses", "permissions"]
)
def test_a_list_of_rules_is_neither_empty_nor_too_long(api: Api, field: str, most: int) -> None:
    key_id = made(api)["id"]
    good = {"allowed_ips": "192.0.2.1", "permissions": "boards:read"}[field]
    for value, code in (([], "too_small"), ([good] * (most + 1), "too_big")):
        for reply in (
            api("POST", KEYS, json_body={"name": "CI", field: value}),
            api("PATCH", KEY, id=key_id, json_body={field: value}),
        ):
            assert details(reply) == [(code, field)]
    assert len(made(api, None, **{field: [good] * most})[field]) == most


@pytest.mark.parametrize(
    ("field", "name"),
    [("allowed_ips", "addresses"), ("permissions", "permissions"), ("allowed_origins", "origins")],
)
def test_no_hostile_rule_is_taken_and_each_is_told_of_unrepeated(
    api: Api, field: str, name: str
) -> None:
    publishable: dict[str, Any] = {"kind": "publishable", "allowed_origins": ["https://a.example"]}
    key = made(api, None, **publishable if name == "origins" else {})
    as_new = {"kind": key["kind"]} if name == "origins" else {}
    calls: list[tuple[str, str, dict[str, str], dict[str, Any]]] = [
        ("POST", KEYS, {"name": "CI", **as_new}, {}),
        ("PATCH", KEY, {"name": "CI"}, {"id": key["id"]}),
    ]
    if name == "addresses":
        calls.append(("POST", "/me/tokens", {}, {}))
    values = hostile(name)
    for start in range(0, len(values), MANY):
        chunk = values[start : start + MANY]
        for method, resource, more, parts in calls:
            headers = {"Content-Type": "application/json", "Authorization": "Bearer it"}
            body = {**more, field: chunk}
            reply = api(method, resource, json_body=body, headers=headers, **parts)
            expected = [("invalid_value", f"{field}.{place}") for place in range(len(chunk))]
            assert details(reply) == expected
            told = json.dumps(reply.json).replace("https://app.example.com", "an example")
            assert not any(len(one) > 11 and one in told for one in chunk)
    assert api("GET", KEY, id=key["id"]).data[field] == key[field]


@pytest.mark.parametrize("value", ["192.0.2.1", 7, {}, [7], [None], [["192.0.2.1"]], True])
@pytest.mark.parametrize("field", ["allowed_ips", "permissions"])
def test_rules_of_another_shape_are_refused(api: Api, field: str, value: object) -> None:
    key_id = made(api)["id"]
    assert details(api("POST", KEYS, json_body={"name": "CI", field: value}))
    assert details(api("PATCH", KEY, id=key_id, json_body={field: value}))


def test_null_takes_a_rule_away_and_what_is_left_out_stays(api: Api) -> None:
    key_id = made(api, allowed_ips=["192.0.2.1"], permissions=["a:b"])["id"]
    changed = api("PATCH", KEY, id=key_id, json_body={"allowed_ips": None}).data
    assert (changed["allowed_ips"], changed["permissions"]) == (None, ["a:b"])
    changed = api("PATCH", KEY, id=key_id, json_body={"permissions": None}).data
    assert (changed["allowed_ips"], changed["permissions"]) == (None, None)


def test_nobody_grants_through_the_api_what_an_operator_alone_grants(api: Api) -> None:
    own = key_caller(user_id=api.caller.user_id, permissions=("*", "keys:verify"))
    key_id = made(api)["id"]
    given = {"permissions": ["boards:read", "keys:verify"]}
    for caller in (api.caller, own):
        for reply in (
            api("POST", KEYS, json_body={"name": "CI", **given}, caller=caller),
            api("PATCH", KEY, id=key_id, json_body=given),
        ):
            assert details(reply) == [("invalid_value", "permissions.1")]
    assert made(api, own)["permissions"] == ["*"], "nor does it go on by itself"


def test_a_key_that_says_nothing_of_permissions_has_its_makers(api: Api, limited: Caller) -> None:
    assert made(api, limited)["permissions"] == ["me:admin", "boards:*"]
    assert made(api)["permissions"] is None


@pytest.mark.parametrize(
    "asked", [None, ["*"], ["boards:read", "exports:read"], ["me:*"], ["exports:*"]]
)
def test_nobody_makes_a_key_beyond_its_own_permissions(
    api: Api, limited: Caller, store: MemoryKeyStore, asked: object
) -> None:
    before = len(store.events)
    reply = api("POST", KEYS, json_body={"name": "CI", "permissions": asked}, caller=limited)
    assert reply.problem() == BEYOND
    within = made(api, limited, permissions=["boards:read"])["id"]
    reply = api("PATCH", KEY, id=within, json_body={"permissions": asked}, caller=limited)
    assert reply.problem() == BEYOND
    assert len(store.events) == before + 1
    assert api("GET", KEY, id=within).data["permissions"] == ["boards:read"]


def test_nobody_changes_or_rotates_a_key_beyond_its_own_permissions(
    api: Api, limited: Caller
) -> None:
    for permissions in (None, ["exports:run"]):
        key_id = made(api, permissions=permissions)["id"]
        for change in ({"name": "x"}, {"enabled": True}, {"enabled": False, "name": "x"}):
            reply = api("PATCH", KEY, id=key_id, json_body=change, caller=limited)
            assert reply.problem() == BEYOND
        narrower = {"permissions": ["boards:read"]}
        assert api("PATCH", KEY, id=key_id, json_body=narrower, caller=limited).problem() == BEYOND
        assert api("POST", f"{KEY}/rotate", id=key_id, caller=limited).problem() == BEYOND
        off = api("PATCH", KEY, id=key_id, json_body={"enabled": False}, caller=limited)
        assert off.status == 200, "disabling takes nothing that one lacks"
        assert api("DELETE", KEY, id=key_id, caller=limited).status == 200


def test_nobody_gets_a_lost_secret_again_that_is_beyond_it_by_now(
    api: Api, limited: Caller
) -> None:
    headers = {"Content-Type": "application/json", "Idempotency-Key": "once"}
    asked = {"body": json.dumps({"name": "CI"}), "headers": headers}
    first = api("POST", KEYS, caller=limited, **asked)
    assert first.status == 201
    api("PATCH", KEY, id=first.data["id"], json_body={"permissions": None})
    assert api("POST", KEYS, caller=limited, **asked).problem() == BEYOND


def test_whoever_shuts_itself_out_is_warned_and_not_refused(api: Api) -> None:
    reply = api("POST", KEYS, json_body={"name": "CI", "allowed_ips": ["192.0.2.0/24"]})
    told = {"code": "source_address_not_allowed", "path": "allowed_ips"}
    message = "Your own source address is not among them"
    assert reply.json["warnings"] == [{**told, "message": message}]
    for addresses, warned in ((["198.51.100.0/24", "203.0.113.0/24"], 0), (["::/0"], 1), (None, 0)):
        change = {"allowed_ips": addresses}
        reply = api("PATCH", KEY, id=reply.data["id"], json_body=change)
        assert len(reply.json["warnings"]) == warned
    assert api("POST", KEYS, json_body={"name": "CI"}).json["warnings"] == []
