"""Who tries keys pays for it alone: the neighbour's good key is always looked up."""

from __future__ import annotations

import os
from typing import Any

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.services.gate.throttle import MINUTE_MS
from chatgrid_authorizer.response import respond
from tests.support.memory.gate import World
from tests.unit.authorizer.test_event import request_event

LIMIT = 30
GUESSER, ELSEWHERE = "198.51.100.7", "203.0.113.9"


def guess() -> str:
    return keys.generate("live", entropy=os.urandom)


def ask(world: World, raw_key: str, *, source: str = GUESSER) -> dict[str, Any]:
    return respond(
        request_event(
            resource="/boards",
            methodArn="arn:aws:execute-api:r:1:a/v1/GET/boards",
            multiValueHeaders={"Authorization": [f"Bearer {raw_key}"]},
            requestContext={"requestId": "r", "identity": {"sourceIp": source}},
        ),
        gate=world.gate,
    )


def asked_of_the_store(world: World, raw_key: str, *, source: str = GUESSER) -> int:
    before = world.store.requests
    ask(world, raw_key, source=source)
    return world.store.requests - before


@pytest.fixture
def world() -> World:
    """A gate with a throttle that an address has just run into."""
    world = World(failed_attempts_per_minute=LIMIT)
    for _ in range(LIMIT):
        ask(world, guess())
    return world


def test_a_good_key_is_let_in_from_an_address_that_is_throttled(world: World) -> None:
    for raw_key in (world.keys["read"], world.key(scopes=["write"]), world.token):
        assert ask(world, raw_key)["context"]["verdict"] == "allowed"


def test_what_failed_from_there_costs_one_store_request_a_minute(world: World) -> None:
    wrong = guess()
    assert asked_of_the_store(world, wrong) == 1
    for _ in range(11):
        world.now_ms += 5_000
        assert asked_of_the_store(world, wrong) == 0
    world.now_ms += MINUTE_MS
    assert asked_of_the_store(world, wrong) == 1


def test_refusals_that_an_owner_can_end_are_short_there_too(
    world: World,
) -> None:
    """For an address over its failed attempts, what an owner may change is asked again."""
    expired = world.key(scopes=["read"], expires_at_ms=world.now_ms - 1)
    revoked = world.key(scopes=["read"], off={"S": "revoked"}, lvl=None)
    for raw_key in (expired, revoked):
        assert [asked_of_the_store(world, raw_key) for _ in range(3)] == [1, 0, 0]
    world.now_ms += 5_000
    for raw_key in (expired, revoked):
        assert asked_of_the_store(world, raw_key) == 1


def test_elsewhere_the_same_credential_is_looked_up(world: World) -> None:
    wrong = guess()
    ask(world, wrong)
    assert asked_of_the_store(world, wrong, source=ELSEWHERE) == 1


def test_below_the_limit_a_key_that_appears_is_let_in_after_seconds() -> None:
    world = World(failed_attempts_per_minute=LIMIT)
    late = guess()
    ask(world, late)
    world.store.put(late, scopes=["read"])
    world.now_ms += 5_000
    assert ask(world, late)["context"]["verdict"] == "allowed"


def test_a_flood_of_guesses_pushes_out_nothing_that_was_known_of_others(world: World) -> None:
    revoked = world.key(scopes=["read"], off={"S": "revoked"}, lvl=None)
    assert asked_of_the_store(world, revoked, source=ELSEWHERE) == 1
    for _ in range(3_000):
        ask(world, guess())
    assert asked_of_the_store(world, revoked, source=ELSEWHERE) == 0


def test_malformed_and_unknown_keys_and_bad_tokens_get_one_answer() -> None:
    world = World(failed_attempts_per_minute=LIMIT)
    good = guess()
    mistyped = good[:-1] + ("a" if good[-1] != "a" else "b")
    answers = [ask(world, raw) for raw in (good, mistyped, "x", "a.b.c", world.token[:-4] + "AAAA")]
    for given in answers:
        told = {**given["context"], "reason": "for the operator's log alone"}
        assert {**given, "context": told} == {
            **answers[0],
            "context": {**answers[0]["context"], "reason": "for the operator's log alone"},
        }
    assert [given["context"]["reason"] for given in answers] == [
        "unknown",
        "malformed",
        "malformed",
        "invalid_token",
        "invalid_token",
    ]


def test_a_throttled_address_is_answered_like_any_other(world: World) -> None:
    wrong = guess()
    assert ask(world, wrong) == ask(world, wrong) == ask(world, wrong, source=ELSEWHERE)


@pytest.mark.parametrize("limit", [0, LIMIT])
def test_failing_attempts_cost_at_most_one_store_request_each(limit: int) -> None:
    world = World(failed_attempts_per_minute=limit)
    for raw in ("x", "a.b.c", "cgk_live_" + "a" * 32, guess()[:-1]):
        assert asked_of_the_store(world, raw) == 0
    for _ in range(2 * LIMIT):
        assert asked_of_the_store(world, guess()) == 1
