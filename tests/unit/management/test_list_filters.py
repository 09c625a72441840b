"""Which keys a list shows, what it tells of the revoked, and which queries it refuses."""

from __future__ import annotations

import pytest

from tests.support.http_api import Api
from tests.support.memory.key_store import MemoryKeyStore

KEYS, ONE = "/me/api-keys", "/me/api-keys/{id}"


def made(api: Api, name: str = "CI", **body: object) -> dict[str, object]:
    data: dict[str, object] = api("POST", KEYS, json_body={"name": name, **body}).data
    return data


def names(api: Api, **query: str) -> list[str]:
    reply = api("GET", KEYS, query={name: [value] for name, value in query.items()})
    assert reply.status == 200
    return sorted(key["name"] for key in reply.data)


def test_a_list_shows_what_its_filters_take(api: Api) -> None:
    made(api, "Billing LIVE")
    made(api, "billing test", environment="test")
    made(api, "50% off")
    gone = made(api, "Billing old")
    assert api("DELETE", ONE, id=gone["id"], query={"reason": ["superseded"]}).status == 200
    assert names(api) == ["50% off", "Billing LIVE", "billing test"]
    assert names(api, name="BILLING") == ["Billing LIVE", "billing test"]
    assert names(api, name="%") == ["50% off"]
    assert names(api, name=".*") == []
    assert names(api, environment="test") == ["billing test"]
    assert names(api, prefix="cgk_test_") == ["billing test"]
    assert names(api, status="revoked") == ["Billing old"]
    assert len(names(api, status="all", name="billing")) == 3


def test_every_item_of_a_list_with_revoked_keys_tells_of_its_revocation(api: Api) -> None:
    kept, gone = made(api, "kept"), made(api, "gone")
    api("DELETE", ONE, id=gone["id"], query={"reason": ["key_compromise"]})
    (active,) = api("GET", KEYS).data
    assert not {"revoked_at", "revocation_reason"} & active.keys()
    shown = {key["id"]: key for key in api("GET", KEYS, query={"status": ["all"]}).data}
    assert (shown[kept["id"]]["revoked_at"], shown[kept["id"]]["revocation_reason"]) == (None, None)
    assert shown[gone["id"]]["revocation_reason"] == "key_compromise"
    assert shown[gone["id"]]["revoked_at"].endswith("Z")
    assert api("GET", ONE, id=gone["id"]).status == 404


def test_a_revocation_without_a_reason_is_unspecified(api: Api, store: MemoryKeyStore) -> None:
    key = made(api)
    api("DELETE", ONE, id=key["id"])
    (shown,) = api("GET", KEYS, query={"status": ["revoked"]}).data
    assert shown["revocation_reason"] == "unspecified"
    assert store.events[-1].changes == {"revocation_reason": {"from": None, "to": "unspecified"}}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("status", ["disabled"]),
        ("status", [""]),
        ("status", ["Active"]),
        ("status", ["active", "active"]),
        ("environment", ["prod"]),
        ("environment", ["live", "test"]),
        ("name", [""]),
        ("name", ["x" * 65]),
        ("name", ["a", "b"]),
        ("prefix", [""]),
        ("prefix", ["cgk_live_" + "a" * 32]),
        ("prefix", ["a", "a"]),
    ],
)
def test_a_filter_that_is_unknown_or_repeated_is_refused(
    api: Api, name: str, values: list[str]
) -> None:
    reply = api("GET", KEYS, query={name: values})
    assert reply.problem() == (400, "validation_error", "Invalid query parameters")
    assert [path for _, path in reply.details()] == [name]
    assert "a" * 32 not in repr(reply.json)


@pytest.mark.parametrize(("name", "most"), [("name", 64), ("prefix", 13)])
def test_the_length_of_a_filter_is_told_in_characters(api: Api, name: str, most: int) -> None:
    reply = api("GET", KEYS, query={name: ["x" * (most + 1)]})
    (told,) = reply.json["details"]
    assert told["message"] == f"Must contain at most {most} character(s)"
    (told,) = api("GET", KEYS, query={name: [""]}).json["details"]
    assert told["message"] == "Must contain at least 1 character(s)"


@pytest.mark.parametrize("values", [["stolen"], [""], ["Superseded"], ["superseded", "superseded"]])
def test_an_odd_reason_revokes_nothing(api: Api, values: list[str]) -> None:
    key = made(api)
    reply = api("DELETE", ONE, id=key["id"], query={"reason": values})
    assert reply.problem() == (400, "validation_error", "Invalid query parameters")
    assert reply.details() == [("invalid_value", "reason")]
    assert api("GET", ONE, id=key["id"]).status == 200
