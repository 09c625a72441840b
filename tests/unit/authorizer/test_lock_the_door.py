"""A key over its limit can still be ended by whoever holds it, and does nothing else."""

from __future__ import annotations

import os
from typing import Any

import pytest

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.keys import generate
from chatgrid_auth.domain.limits import window
from chatgrid_authorizer.response import respond
from tests.support.memory.gate import World
from tests.support.tables.decisions import request_with


@pytest.fixture
def world() -> World:
    return World()


def used_up(world: World, *, revoked: bool = False) -> str:
    """A key whose limit of 120 was admitted five seconds ago."""
    (ceiling,) = window.checkpoint_names(window.MINUTE.written(world.now_ms) - 5, 1)
    facts: dict[str, Any] = {ceiling: items.n(120), "used": items.n(120), "cap": items.n(240)}
    if revoked:
        facts |= {items.LEVEL: None, items.OFF: items.s(items.REVOKED)}
    raw_key = generate("live", entropy=os.urandom)
    world.store.put(raw_key, scopes=["admin"], **facts)
    return raw_key


def context(world: World, raw_key: str, method: str, resource: str) -> dict[str, Any]:
    event = {**request_with(raw_key), "httpMethod": method, "resource": resource}
    event["methodArn"] = f"arn:aws:execute-api:eu-west-1:123456789012:api/v1/{method}{resource}"
    found: dict[str, Any] = respond(event, gate=world.gate)["context"]
    return found


def test_a_key_over_its_limit_may_end_itself_and_no_more(world: World) -> None:
    raw_key = used_up(world)
    for _ in range(2):  # from the store, then past what is remembered
        assert context(world, raw_key, "GET", "/me/api-key")["verdict"] == "rate_limited"
        ending = context(world, raw_key, "DELETE", "/me/api-key")
        assert (ending["verdict"], ending["rate_remaining"]) == ("allowed", 0)
        assert ending["user_id"]
    others = (("POST", "/me/api-key/rotate"), ("DELETE", "/me/api-keys/{id}"), ("DELETE", "/me"))
    for method, resource in others:
        assert context(world, raw_key, method, resource)["verdict"] != "allowed"


def test_each_ending_over_the_limit_asks_the_store(world: World) -> None:
    """An allow is never remembered: the key may be gone by now."""
    raw_key = used_up(world)
    context(world, raw_key, "DELETE", "/me/api-key")
    before = world.store.requests
    context(world, raw_key, "DELETE", "/me/api-key")
    assert world.store.requests == before + 1


def test_a_revoked_key_over_its_limit_ends_nothing(world: World) -> None:
    raw_key = used_up(world, revoked=True)
    for _ in range(2):
        ending = context(world, raw_key, "DELETE", "/me/api-key")
        assert ending["message"] == "API key has been revoked"
    assert world.store.requests == 1  # and then out of memory


def test_a_path_that_the_client_spelled_passes_over_no_limit(world: World) -> None:
    raw_key = used_up(world)
    for spelled in (
        {"type": "TOKEN", "authorizationToken": f"Bearer {raw_key}"},
        {"resource": None},
    ):
        arn = "arn:aws:execute-api:eu-west-1:123456789012:api/v1/DELETE/me/api-key"
        event = {**request_with(raw_key), "httpMethod": "DELETE", "methodArn": arn, **spelled}
        assert respond(event, gate=world.gate)["context"]["verdict"] == "rate_limited"
