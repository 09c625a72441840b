"""Derived tokens, made by whoever holds a key."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.tokens import format as token_format
from chatgrid_auth.domain.tokens.format import Token
from chatgrid_auth.domain.verdicts import Caller, DerivedFrom
from chatgrid_auth.services.instants import instant_ms
from tests.support.http_api import JSON, Api, Reply, jwt_caller, key_caller
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.tokens import CURRENT, Secrets

TOKENS = "/me/tokens"
OWN = "/me/api-key"


class Holder:
    """Who holds a new key of the caller's, and asks with it."""

    def __init__(self, api: Api, scopes: list[str], **facts: Any) -> None:
        body = {"name": "CI", "scopes": scopes, **facts}
        made = api("POST", "/me/api-keys", json_body=body).data
        self._api = api
        self.raw_key: str = made["raw_key"]
        self.caller = key_caller(user_id=api.caller.user_id, scope=scopes[-1], key_id=made["id"])

    def make(self, body: object = None, caller: Caller | None = None) -> Reply:
        headers = {**JSON, "Authorization": f"Bearer {self.raw_key}"}
        return self._api(
            "POST", TOKENS, caller=caller or self.caller, json_body=body, headers=headers
        )


def read(text: str) -> Token:
    parts = token_format.parts_of(text)
    assert parts is not None
    token = token_format.read(parts, (CURRENT,))
    assert token is not None
    return token


@pytest.mark.parametrize(
    ("held", "scopes"),
    [
        (["read"], ["read"]),
        (["write"], ["write"]),
        (["read", "write"], ["read", "write"]),
        (["admin"], ["write"]),
        (["read", "admin"], ["read"]),
    ],
)
def test_a_token_has_the_scopes_of_its_key_without_admin(
    api: Api, store: MemoryKeyStore, held: list[str], scopes: list[str]
) -> None:
    holder = Holder(api, held)
    before_ms = time.time_ns() // 1_000_000
    reply = holder.make()
    assert (reply.status, reply.json["object"]) == (201, "token")
    data = reply.data
    assert set(data) == {"access_token", "token_type", "expires_at", "scopes"}
    assert (data["token_type"], data["scopes"]) == ("Bearer", scopes)
    token = read(data["access_token"])
    assert token.home == store.homes[holder.caller.key_id or ""]
    assert token.tag == keys.tag_of(keys.hash_of(holder.raw_key))
    assert (list(token.scopes), token.environment, token.capped) == (scopes, "live", False)
    assert token.expires_at_ms == instant_ms(data["expires_at"])
    assert 0 <= token.expires_at_ms - 900_000 - before_ms < 60_000


def test_a_token_of_a_rotated_secret_leads_to_the_keys_first_home(
    api: Api, store: MemoryKeyStore
) -> None:
    holder = Holder(api, ["read"])
    home = store.homes[holder.caller.key_id or ""]
    rotated = api("POST", "/me/api-keys/{id}/rotate", id=holder.caller.key_id)
    holder.raw_key = rotated.data["raw_key"]
    token = read(holder.make().data["access_token"])
    assert (token.home, token.tag) == (home, keys.tag_of(keys.hash_of(holder.raw_key)))


@pytest.mark.parametrize("wanted", [["read"], ["write"], ["write", "read", "read"]])
def test_a_token_may_have_any_scopes_that_its_keys_include(api: Api, wanted: list[str]) -> None:
    data = Holder(api, ["admin"]).make({"scopes": wanted}).data
    assert data["scopes"] == sorted(set(wanted))
    assert list(read(data["access_token"]).scopes) == data["scopes"]


@pytest.mark.parametrize(
    ("held", "wanted", "missing"),
    [
        (["read"], ["write"], "write"),
        (["read"], ["read", "write"], "write"),
        (["write"], ["admin"], "admin"),
        (["admin"], ["admin"], "admin"),
        (["admin"], ["read", "admin"], "admin"),
    ],
)
def test_no_token_gets_a_scope_beyond_its_key_or_admin(
    api: Api, held: list[str], wanted: list[str], missing: str
) -> None:
    reply = Holder(api, held).make({"scopes": wanted})
    assert reply.problem() == (403, "forbidden", f"Missing required scope: {missing}")


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"expires_in_seconds": 59}, ("too_small", "expires_in_seconds")),
        ({"expires_in_seconds": 3_601}, ("too_big", "expires_in_seconds")),
        ({"expires_in_seconds": "60"}, ("invalid_type", "expires_in_seconds")),
        ({"expires_in_seconds": None}, ("invalid_type", "expires_in_seconds")),
        ({"scopes": []}, ("too_small", "scopes")),
        ({"scopes": ["all"]}, ("invalid_value", "scopes.0")),
        ({"scopes": [["read"]]}, ("invalid_value", "scopes.0")),
        ({"expires_at": 1}, ("unrecognized_key", "expires_at")),
        ({"allowed_ips": []}, ("too_small", "allowed_ips")),
        ({"allowed_ips": ["10.0.0.1/8"]}, ("invalid_value", "allowed_ips.0")),
    ],
)
def test_a_token_that_breaks_a_rule_is_told_which(
    api: Api, body: object, detail: tuple[str, str]
) -> None:
    assert Holder(api, ["read"]).make(body).details() == [detail]


@pytest.mark.parametrize("seconds", [60, 3_600])
def test_a_token_lives_no_longer_than_asked_nor_than_its_secret(api: Api, seconds: int) -> None:
    holder = Holder(api, ["read"])
    before_ms = time.time_ns() // 1_000_000
    whole = read(holder.make({"expires_in_seconds": seconds}).data["access_token"])
    assert 0 <= whole.expires_at_ms - seconds * 1_000 - before_ms < 30_000
    holder.caller.expires_at_ms = before_ms + 30_001
    capped = read(holder.make({"expires_in_seconds": seconds}).data["access_token"])
    assert (capped.expires_at_ms, capped.capped) == (before_ms + 30_001, True)


def as_token(caller: Caller) -> Caller:
    caller.token = DerivedFrom(expires_at_ms=2_000_000_000_000, scopes=("read",))
    return caller


def test_a_token_makes_no_tokens(api: Api) -> None:
    holder = Holder(api, ["admin"])
    reply = holder.make(caller=as_token(holder.caller))
    assert reply.problem() == (403, "forbidden", "A token makes no tokens")


def test_a_session_makes_no_tokens(api: Api) -> None:
    reply = Holder(api, ["read"]).make(caller=jwt_caller())
    assert reply.problem() == (404, "not_found", "Not found")


def test_a_token_looks_at_its_key_and_does_nothing_to_it(api: Api, store: MemoryKeyStore) -> None:
    caller = as_token(Holder(api, ["read"], self_rotation=True).caller)
    assert api("GET", OWN, caller=caller).data["id"] == caller.key_id
    for method, resource in (("DELETE", OWN), ("POST", f"{OWN}/rotate")):
        reply = api(method, resource, caller=caller)
        assert reply.problem() == (403, "forbidden", "Not allowed with a token")
    assert (caller.user_id, caller.key_id) in store.keys


def test_who_comes_with_a_token_is_told_of_it(api: Api) -> None:
    holder = Holder(api, ["read"])
    assert api("GET", "/me", caller=holder.caller).data["token"] is None
    data = api("GET", "/me", caller=as_token(holder.caller)).data
    assert data["auth_mode"] == "api-key"
    assert data["token"] == {"expires_at": "2033-05-18T03:33:20.000Z", "scopes": ["read"]}


def test_a_revoked_key_makes_no_more_tokens(api: Api) -> None:
    holder = Holder(api, ["read"])
    api("DELETE", "/me/api-keys/{id}", id=holder.caller.key_id)
    assert holder.make().problem() == (401, "unauthorized", "API key has been revoked")


def test_an_unreadable_secret_is_503_and_no_refusal(api: Api, token_secret: Secrets) -> None:
    holder = Holder(api, ["read"])
    token_secret.out = True
    reply = holder.make()
    assert reply.problem()[:2] == (503, "service_unavailable")
    assert reply.headers["retry-after"]


def test_making_a_token_writes_nothing(api: Api, store: MemoryKeyStore) -> None:
    holder = Holder(api, ["read"])
    before = (dict(store.keys), list(store.events))
    assert holder.make().status == 201
    assert (dict(store.keys), list(store.events)) == before


def test_a_token_carries_the_addresses_that_it_was_given(api: Api) -> None:
    own = ["192.0.2.0/24", "2001:db8::/32"]
    made = Holder(api, ["read"]).make({"allowed_ips": own}).data
    assert list(read(made["access_token"]).allowed_ips) == own
