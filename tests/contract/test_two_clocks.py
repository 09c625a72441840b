"""The limit holds in true time over two containers of which one has a wrong clock."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.support.tables.stores import moto_client
from tests.support.tables.two_clocks import LIMIT, Container, World

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def world() -> Iterator[World]:
    with moto_client() as client:
        yield World(client)


wrong_clocks = pytest.mark.parametrize("off", [-66.0, 66.0, -600.0, 600.0, 3.0])
keys_and_users = pytest.mark.parametrize("users", [False, True], ids=["key", "user"])


@wrong_clocks
@keys_and_users
def test_a_container_starting_with_a_wrong_clock_keeps_the_limit(
    world: World, off: float, *, users: bool
) -> None:
    right, wrong = Container(world, users=users), Container(world, off=off, users=users)
    for _ in range(4):
        right.ask(LIMIT)
        world.true += 0.3
        wrong.ask(LIMIT)
        right.ask(2)
        world.true += 4.3
    assert world.most_in_a_window() <= LIMIT
    assert world.faults == ["ClockWasWrong"], "it is right from its second request on"


@pytest.mark.parametrize("jump", [-66.0, 66.0])
@keys_and_users
def test_a_container_whose_clock_jumps_lets_nobody_over_the_limit(
    world: World, jump: float, *, users: bool
) -> None:
    right, wrong = Container(world, users=users), Container(world, users=users)
    wrong.ask()
    right.ask(LIMIT)
    world.true += 8.0
    wrong.off += jump
    for _ in range(3):
        wrong.ask(LIMIT)
        right.ask(LIMIT)
        world.true += 2.1
    assert world.most_in_a_window() <= LIMIT
    assert world.faults == ["ClockWasWrong"]


@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_clock_does_the_limit_holds_in_true_time(world: World, seed: int) -> None:
    chance = random.Random(seed)
    right, wrong = Container(world), Container(world, off=chance.choice([-66.0, 66.0]))
    for _ in range(60):
        chance.choice([right, wrong]).ask(chance.randint(1, 3))
        world.true += chance.choice([0.05, 0.7, 3.1, 9.0])
        if chance.random() < 0.08:
            wrong.off = chance.choice([-400.0, -66.0, 0.0, 66.0, 400.0])
    assert world.most_in_a_window() == LIMIT
    assert world.admitted
    assert set(world.faults) == {"ClockWasWrong"}


def test_after_its_first_request_a_wrong_clock_costs_no_request_more(world: World) -> None:
    world.client.meta.events.register("before-send.dynamodb", lambda **_: sent.append(1))
    sent: list[int] = []
    wrong = Container(world, off=66.0)
    for number in range(1, 5):
        wrong.ask()
        assert len(sent) == number
        world.true += 1
    assert (len(world.admitted), len(world.faults)) == (3, 1)
