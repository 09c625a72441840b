"""Whoever finds a container with a wrong clock gains nothing: not one request over the limit.

The whole authorizer decides, put together as it is deployed; the store alone knows the true time.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_authorizer import wiring
from chatgrid_authorizer.response import respond
from chatgrid_devkit.functions.invocation import Failed, Outcome, Returned
from chatgrid_devkit.stack.deployment import read_deployment
from tests.support import gateway_world
from tests.support.stack.authorizer_settings import SETTINGS
from tests.support.tables.stores import moto_client
from tests.support.tables.two_clocks import LIMIT, World, clocked_client
from tests.unit.authorizer.test_event import request_event

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
FAULT = "fault"


class Gate:
    """A container of the deployed authorizer, its clock off by some seconds."""

    def __init__(self, world: World, *, off: float = 0.0) -> None:
        self.off = off
        self._world = world
        tables = {"KEYS_TABLE": world.table, "RATE_LIMITS_TABLE": world.users_table}
        client = clocked_client(world, lambda: self.off)
        credentials = FixedCredentials(Credentials(access_key_id="A", secret_access_key="x"))
        tiers = {"USAGE_KEY_STANDARD": gateway_world.TIER_KEY}
        self.gate = wiring._gate({**SETTINGS, **tables, **tiers}, credentials, client)
        self.gate.log = lambda _line: None

    def ask(self) -> str:
        """What a request with the key gets now; the true time of an admission is written down."""
        event = request_event(
            resource="/boards",
            methodArn="arn:aws:execute-api:r:1:a/v1/GET/boards",
            multiValueHeaders={"Authorization": [f"Bearer {self._world.raw_key}"]},
        )
        try:
            verdict: str = respond(event, gate=self.gate)["context"]["verdict"]
        except StoreUnavailable:
            return FAULT
        if verdict == "allowed":
            self._world.admitted.append(self._world.true)
        return verdict


@pytest.fixture
def world() -> Iterator[World]:
    with moto_client() as client:
        yield World(client)


@pytest.mark.parametrize("off", [-66.0, 66.0])
def test_who_asks_two_containers_of_unequal_clocks_never_gets_over_the_limit(
    world: World, off: float
) -> None:
    """It asks each as long as it is let in, the wrong one first when the right one is closed."""
    right, wrong = Gate(world), Gate(world, off=off)
    faults = 0
    for _ in range(12):
        for gate in (right, wrong, right):
            while (got := gate.ask()) == "allowed":
                pass
            faults += got == FAULT
        world.true += 11.3
    assert world.most_in_a_window() == LIMIT
    # Twice in these two minutes; the request that met the fault may have used a place.
    assert len(world.admitted) >= 2 * LIMIT - 1
    assert faults == 1, "what is wrong by always the same is corrected after one answer"


def test_a_clock_that_keeps_jumping_is_503_and_lets_nobody_in(
    world: World,
) -> None:
    gate, jumps = Gate(world), cycle([-66.0, 66.0, 600.0, -7_200.0])

    def authorizer(event: dict[str, object]) -> Outcome:
        gate.off = next(jumps)
        try:
            return Returned(respond(event, gate=gate.gate))
        except StoreUnavailable as fault:
            world.faults.append(fault.code)
            return Failed(kind="error", error_type=type(fault).__name__)

    api = gateway_world.World(authorizer=authorizer)
    api.responding(**read_deployment(TEMPLATE).api.responses)
    headers = [("Authorization", f"Bearer {world.raw_key}")]
    for _ in range(2 * LIMIT):
        reply = api.ask("GET", "/v1/boards", headers=headers)
        assert (reply.status, reply.json()["code"]) == (503, "service_unavailable")
        assert int(reply.headers["retry-after"]) >= 1
        world.true += 0.4
    assert world.faults == ["ClockWasWrong"] * (2 * LIMIT)
    assert not api.called(gateway_world.BOARDS)
