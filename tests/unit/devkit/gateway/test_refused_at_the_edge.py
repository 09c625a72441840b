"""Our own template with its limited plan closed: API Gateway answers 429, and no backend runs."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.domain.limits.beyond import CREDITS, ROUTE, Beyond
from chatgrid_auth.domain.verdicts import Limited
from chatgrid_auth.guard import guarded
from chatgrid_authorizer import response, wiring
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.template.description import Deployment
from tests.support.gateway_world import BOARDS, Reply, World
from tests.support.stack.authorizer_settings import SETTINGS
from tests.unit.authorizer.gates import FIGURES

ROOT = Path(__file__).parents[4]
ENVELOPE = {
    "object": "error",
    "status": 429,
    "code": "rate_limit_exceeded",
    "message": "Rate limit exceeded",
}
OUT_OF_CREDITS = Beyond(refused_by=CREDITS, credits_left=0)


@cache
def deployment(seconds: int) -> Deployment:
    return read_deployment(
        ROOT / "template.yaml", parameters={"EdgeRetryAfterSeconds": str(seconds)}
    )


def asked(seconds: int, *, wait_s: int | None, beyond: Beyond | None = None) -> tuple[World, Reply]:
    """What a request over a limit is answered, by the real template, policy and guard."""
    deployed = deployment(seconds)
    (authorizer,) = (f for n, f in deployed.functions.items() if n.endswith("AuthorizerFunction"))
    given = {**SETTINGS, **authorizer.environment}
    given["AWS_ENDPOINT_URL_DYNAMODB"] = SETTINGS["AWS_ENDPOINT_URL_DYNAMODB"]
    given["TOKEN_SECRET_ARN"] = SETTINGS["TOKEN_SECRET_ARN"]
    gate = wiring.build(given)
    verdict = Limited(
        figures=FIGURES,
        retry_after_s=wait_s,
        usage_key=given["USAGE_KEY_LIMITED"],
        beyond=beyond,
    )

    def authorize(event: dict[str, Any]) -> dict[str, Any]:
        return response.policy(verdict, method_arn=event["methodArn"], closed=gate.closed)

    def never(_event: object, _context: object, _caller: object) -> dict[str, Any]:
        raise AssertionError("a request over its limit came to a handler")

    handler = guarded(allow_origin="*")(never)
    world = World(deployed, authorizer=authorize, boards=lambda event: handler(event, None))
    return world, world.ask("GET", "/v1/boards")


@pytest.mark.parametrize(
    ("seconds", "wait_s", "beyond"),
    [
        (63, 1, None),
        (63, 63, None),
        (63, 62, Beyond(refused_by="owner")),
        (3_603, 3_600, Beyond(refused_by=f"{ROUTE}POST /exports")),
    ],
)
def test_a_used_up_limit_is_429_and_runs_no_backend(
    seconds: int, wait_s: int, beyond: Beyond | None
) -> None:
    world, reply = asked(seconds, wait_s=wait_s, beyond=beyond)
    assert (reply.status, reply.json()) == (429, ENVELOPE)
    assert reply.headers["retry-after"] == str(seconds)
    assert "retry-after" in reply.headers["access-control-expose-headers"].lower()
    assert not [name for name in reply.headers if "ratelimit" in name or "rate-limit" in name]
    assert world.called(BOARDS) == []
    assert world.log_lines[-1]["response_type"] == "THROTTLED"


@pytest.mark.parametrize(
    ("wait_s", "beyond"),
    [
        (64, None),
        (86_403, Beyond(refused_by=f"{ROUTE}POST /exports")),
        (None, None),  # dearer than the whole limit
        (5, OUT_OF_CREDITS),
        (None, OUT_OF_CREDITS),
    ],
)
def test_what_the_one_wait_is_wrong_for_comes_to_the_guard(
    wait_s: int | None, beyond: Beyond | None
) -> None:
    world, reply = asked(63, wait_s=wait_s, beyond=beyond)
    assert reply.status == 429
    assert reply.headers.get("retry-after") == (None if wait_s is None else str(wait_s))
    assert reply.headers["x-ratelimit-limit"] == "120"
    assert (reply.json()["code"] == "credits_exhausted") == (beyond is OUT_OF_CREDITS)
    assert len(world.called(BOARDS)) == 1


def test_a_closed_plan_that_lets_one_through_meets_the_guard() -> None:
    """AWS calls its plans best effort: what passes one is refused behind it all the same."""
    closed, _ = asked(63, wait_s=17)
    # The same gateway keys, in plans that are open.
    world = World(deployment(0), authorizer=closed.authorizer, boards=closed.boards)
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.headers["retry-after"]) == (429, "17")
    assert len(world.called(BOARDS)) == 1


def test_every_429_is_left_to_the_guard_unless_asked_for() -> None:
    world, reply = asked(0, wait_s=17)
    assert (reply.status, reply.headers["retry-after"]) == (429, "17")
    assert reply.headers["x-ratelimit-limit"] == "120"
    assert len(world.called(BOARDS)) == 1
    assert wiring.build(SETTINGS).closed is None
