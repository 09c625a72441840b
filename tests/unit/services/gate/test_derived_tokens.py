"""A derived token at the gate: as good as its key, and never better."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import StoreUnavailable, TokenSecretUnavailable
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.rules.policy import read_rules
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused, Verdict
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.gate.token_fence import Fence
from tests.support.memory.gate import World
from tests.support.tokens import PREVIOUS, token_of
from tests.vectors.tokens import forge

HOSTILE = json.loads(Path(forge.__file__).with_name("hostile.json").read_text("utf-8"))
SOON_MS = 60_000


def decide(world: World, token: str, scope: str = "read", **request: Any) -> Verdict:
    return world.gate.authenticator.decide(
        f"Bearer {token}", request=Request(scope, **request), now_ms=world.now_ms
    )


def told(verdict: Verdict) -> str:
    match verdict:
        case Refused():
            return verdict.message
        case Forbidden():
            return verdict.message
        case Limited():
            return "Rate limit exceeded"
        case Allowed():
            return "allowed"


@pytest.fixture
def world() -> World:
    return World(imported_keys=True)


def test_a_token_acts_as_its_key_and_tells_backends_what_it_is(world: World) -> None:
    key = world.key(scopes=["read", "write"])
    token = token_of(key, scopes=("read",), expires_at_ms=world.now_ms + SOON_MS)
    verdict = decide(world, token)
    assert isinstance(verdict, Allowed)
    caller = verdict.caller
    assert (caller.auth_mode, caller.scopes, caller.environment) == ("api-key", ("read",), "live")
    assert caller.expires_at_ms == world.now_ms + SOON_MS
    assert caller.token is not None
    assert (caller.token.scopes, caller.token.expires_at_ms) == (("read",), caller.expires_at_ms)


@pytest.fixture(scope="module")
def attacked() -> World:
    return World(imported_keys=True)


@pytest.mark.parametrize("recipe", HOSTILE, ids=lambda recipe: recipe["name"])
def test_no_hostile_token_is_admitted_or_makes_the_gate_fail(
    attacked: World, recipe: dict[str, Any]
) -> None:
    """Nor does the store hear of one: the gate keeps the key, and would have admitted it."""
    before = attacked.store.requests
    text = forge.forged(recipe, attacked.keys["read"], attacked.keys["write"])
    assert told(decide(attacked, text)) == "Missing or invalid token"
    assert attacked.store.requests == before or not text.startswith("cgt_")


def test_the_file_has_all_of_more_than_a_hundred_hostile_tokens() -> None:
    assert len({recipe["name"] for recipe in HOSTILE}) == len(HOSTILE) > 100
    assert forge.recipes() == HOSTILE


def test_the_previous_secret_of_the_stack_is_good_for_tokens_too(world: World) -> None:
    assert told(decide(world, token_of(world.keys["read"], secret=PREVIOUS))) == "allowed"


@pytest.mark.parametrize("scope", ["write", "admin"])
def test_a_token_has_no_scope_that_it_was_not_given(world: World, scope: str) -> None:
    verdict = decide(world, token_of(world.keys["admin"]), scope)
    assert told(verdict) == f"Missing required scope: {scope}"
    assert world.store.requests == 1


def test_a_token_loses_the_scopes_that_its_key_loses(world: World) -> None:
    token = token_of(world.keys["read"], scopes=("read", "write"))
    assert told(decide(world, token, "write")) == "Missing required scope: write"
    verdict = decide(world, token)
    assert isinstance(verdict, Allowed)
    assert verdict.caller.scopes == ("read",)


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"lvl": None, "off": {"S": items.REVOKED}}, "API key has been revoked"),
        ({"lvl": None, "off": {"S": items.MANUAL}}, "API key is disabled"),
        ({"expires_at_ms": 1}, "API key has expired"),
    ],
    ids=["revoked", "disabled", "expired"],
)
def test_a_dead_keys_token_is_told_of_the_key_before_any_scope(
    world: World, facts: dict[str, Any], text: str, scope: str
) -> None:
    token = token_of(world.key(scopes=["read"], **facts))
    assert told(decide(world, token, scope)) == text
    assert told(decide(world, token, scope)) == text
    assert world.store.requests == 1


def test_a_token_dies_with_the_secret_that_made_it(world: World) -> None:
    key = world.key(scopes=["read"])
    other = keys.tag_of(keys.hash_of(keys.generate("live", entropy=os.urandom)))
    assert told(decide(world, token_of(key, tag=other))) == "API key has been revoked"
    assert told(decide(world, token_of(key))) == "allowed"


def test_a_token_capped_by_its_keys_end_tells_of_that_end(world: World) -> None:
    ended = world.key(scopes=["read"], expires_at_ms=world.now_ms)
    capped = token_of(ended, expires_at_ms=world.now_ms, capped=True)
    assert told(decide(world, capped)) == "API key has expired"
    alive = token_of(world.keys["read"], expires_at_ms=world.now_ms, capped=True)
    assert told(decide(world, alive)) == "Missing or invalid token"


def test_a_key_that_is_gone_leaves_no_good_token(world: World) -> None:
    token = token_of(keys.generate("live", entropy=os.urandom))
    assert told(decide(world, token)) == "Missing or invalid token"


def test_no_token_is_let_through_over_its_keys_limit(world: World) -> None:
    (ceiling,) = window.checkpoint_names(window.MINUTE.written(world.now_ms) - 5, 1)
    full: dict[str, Any] = {"used": items.n(120), "cap": items.n(240), ceiling: items.n(120)}
    key = world.key(scopes=["write"], **full)
    assert told(decide(world, key, unlimited=True)) == "allowed"
    assert told(decide(world, token_of(key), unlimited=True)) == "Rate limit exceeded"


def test_an_unreadable_secret_is_a_fault_and_never_a_refusal(world: World) -> None:
    world.secrets.out = True
    with pytest.raises(TokenSecretUnavailable):
        decide(world, token_of(world.keys["read"]))


def test_a_token_of_a_secret_not_read_yet_is_a_fault(world: World) -> None:
    world.secrets.overdue = True
    with pytest.raises(TokenSecretUnavailable):
        decide(world, token_of(world.keys["read"], secret=b"a secret that was made since"))
    assert told(decide(world, token_of(world.keys["read"]))) == "allowed"


def test_a_text_that_is_no_token_does_not_have_the_secret_read(world: World) -> None:
    decide(world, "cgt_live_0123")
    assert world.secrets.asked == 0


def test_a_store_that_is_out_is_a_fault_for_tokens_too(world: World) -> None:
    world.store.out = True
    with pytest.raises(StoreUnavailable):
        decide(world, token_of(world.keys["read"]))


@pytest.mark.parametrize(
    ("own", "source", "text"),
    [
        (("192.0.2.0/24",), "192.0.2.7", "allowed"),
        (("192.0.2.0/24", "2001:db8::/32"), "2001:db8::1", "allowed"),
        (("192.0.2.0/24",), "198.51.100.7", "Source address not allowed"),
        (("192.0.2.0/24",), "", "Source address not allowed"),
        (("0.0.0.0/0",), "2001:db8::1", "Source address not allowed"),
    ],
)
def test_a_token_is_used_from_its_own_addresses_alone(
    world: World, own: tuple[str, ...], source: str, text: str
) -> None:
    token = token_of(world.keys["read"], allowed_ips=own)
    assert told(decide(world, token, source=source)) == text
    assert world.store.requests == 1


def test_a_tokens_address_comes_before_its_scope_behind_a_dead_key(world: World) -> None:
    elsewhere: dict[str, Any] = {"allowed_ips": ("192.0.2.0/24",)}
    token = token_of(world.keys["read"], **elsewhere)
    assert told(decide(world, token, "write", source="::1")) == "Source address not allowed"
    dead = world.key(scopes=["read"], lvl=None, off={"S": items.REVOKED})
    assert told(decide(world, token_of(dead, **elsewhere), source="::1")) == (
        "API key has been revoked"
    )


def test_both_address_lists_hold_of_a_token() -> None:
    rules = read_rules(allowed_ips="192.0.2.0/25", allowed_origins=None, granted="boards:read")
    fence = Fence.of(("192.0.2.64/26",)).beside(rules)
    assert fence.permissions == ("boards:read",)
    for source, broken in (
        ("192.0.2.65", None),
        ("192.0.2.1", "address"),
        ("192.0.2.129", "address"),
    ):
        request = Request("read", permission="boards:read", source=source)
        assert fence.broken_by(request) == broken
    other = Request("read", permission="boards:write", source="192.0.2.65")
    assert fence.broken_by(other) == "permission"
