"""Kinds of keys: what belongs to each, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.domain import keys
from tests.support.http_api import Api
from tests.support.memory.key_store import MemoryKeyStore

KEYS, KEY, ROTATE = "/me/api-keys", "/me/api-keys/{id}", "/me/api-keys/{id}/rotate"
PAGE = "https://app.example.com"
PUBLISHABLE: dict[str, Any] = {"name": "web", "kind": "publishable", "allowed_origins": [PAGE]}


def details(reply: Any) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = reply.details()
    return found


def test_a_publishable_key_reads_only_and_shows_its_pages(api: Api) -> None:
    made = api("POST", KEYS, json_body=PUBLISHABLE).data
    assert (made["kind"], made["scopes"], made["allowed_origins"]) == (
        "publishable",
        ["read"],
        [PAGE],
    )
    assert made["raw_key"].startswith("cgp_live_")
    assert made["key_prefix"] == made["raw_key"][:13]
    assert keys.is_well_formed(made["raw_key"])
    shown = api("GET", KEY, id=made["id"]).data
    assert (shown["kind"], shown["allowed_origins"]) == ("publishable", [PAGE])


@pytest.mark.parametrize(
    ("facts", "wrong"),
    [
        ({"allowed_origins": None}, [("required", "allowed_origins")]),
        ({"allowed_origins": []}, [("too_small", "allowed_origins")]),
        ({"allowed_origins": [PAGE] * 21}, [("too_big", "allowed_origins")]),
        ({"allowed_origins": ["null"]}, [("invalid_value", "allowed_origins.0")]),
        ({"allowed_origins": [PAGE, PAGE + "/"]}, [("invalid_value", "allowed_origins.1")]),
        ({"scopes": ["read", "write"]}, [("invalid_value", "scopes")]),
        ({"kind": "secret"}, [("invalid_value", "allowed_origins")]),
        ({"kind": "canary"}, [("invalid_value", "allowed_origins")]),
        ({"kind": "public"}, [("invalid_value", "kind")]),
        ({"kind": None}, [("invalid_value", "kind")]),
        ({"kind": ["secret"]}, [("invalid_value", "kind")]),
    ],
)
def test_what_does_not_belong_to_a_kind_is_refused(
    api: Api, facts: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    assert details(api("POST", KEYS, json_body={**PUBLISHABLE, **facts})) == wrong


def test_no_visitor_of_a_page_rotates_its_publishable_key(api: Api) -> None:
    """Whoever reads it there holds it: with a new secret he would have it to himself."""
    asked = api("POST", KEYS, json_body={**PUBLISHABLE, "self_rotation": True})
    assert details(asked) == [("invalid_value", "self_rotation")]
    made = api("POST", KEYS, json_body=PUBLISHABLE).data
    changed = api("PATCH", KEY, id=made["id"], json_body={"self_rotation": True})
    assert details(changed) == [("invalid_value", "self_rotation")]
    assert api("PATCH", KEY, id=made["id"], json_body={"self_rotation": False}).status == 200


def test_a_rotated_publishable_key_stays_one(api: Api, store: MemoryKeyStore) -> None:
    made = api("POST", KEYS, json_body=PUBLISHABLE).data
    rotated = api("POST", ROTATE, id=made["id"]).data
    assert rotated["raw_key"].startswith("cgp_live_")
    assert rotated["kind"] == "publishable"


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"allowed_origins": None}, [("required", "allowed_origins")]),
        ({"scopes": ["write"]}, [("invalid_value", "scopes")]),
        ({"kind": "secret"}, [("unrecognized_key", "kind")]),
    ],
)
def test_no_change_takes_a_publishable_keys_fence_away(
    api: Api, said: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    made = api("POST", KEYS, json_body=PUBLISHABLE).data
    assert details(api("PATCH", KEY, id=made["id"], json_body=said)) == wrong


def test_a_publishable_keys_pages_change_and_others_have_none(api: Api) -> None:
    made = api("POST", KEYS, json_body=PUBLISHABLE).data
    other = {"allowed_origins": ["http://localhost:3000"]}
    assert api("PATCH", KEY, id=made["id"], json_body=other).data["allowed_origins"] == [
        "http://localhost:3000"
    ]
    secret = api("POST", KEYS, json_body={"name": "s"}).data
    refused = api("PATCH", KEY, id=secret["id"], json_body=other)
    assert details(refused) == [("invalid_value", "allowed_origins")]


def test_a_canary_looks_like_a_secret_key_and_is_not_rotated(api: Api) -> None:
    made = api("POST", KEYS, json_body={"name": "trap", "kind": "canary"}).data
    assert (made["kind"], made["raw_key"][:9]) == ("canary", "cgk_live_")
    refused = api("POST", ROTATE, id=made["id"])
    assert refused.problem() == (409, "conflict", "API key is a canary")
    changed = api("PATCH", KEY, id=made["id"], json_body={"enabled": False})
    assert details(changed) == [("invalid_value", "enabled")]
