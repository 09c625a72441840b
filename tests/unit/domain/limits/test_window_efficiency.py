"""What exactness costs: at least 0.97 of an exact log under steady overload, from a limit of 20."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.support.memory.window_model import ExactLog, Item

START_US = 1_795_000_000_437_000
MINUTES = 63

Arrivals = Iterator[tuple[int, int]]


def at_random(*, per_minute: float, minutes: int) -> Arrivals:
    """Independent arrivals at a steady rate; from 5 a second on, those of 0.2 s come together."""
    chance = random.Random(round(per_minute))
    batch = max(1, round(per_minute / 60 / 5))
    now_us = float(START_US)
    while now_us < START_US + minutes * 60_000_000:
        yield int(now_us), batch
        now_us += chance.expovariate(per_minute / batch / 60_000_000)


def in_step(*, per_minute: float, minutes: int) -> Arrivals:
    """A metronome."""
    for beat in range(round(per_minute * minutes)):
        yield START_US + int(beat * 60_000_000 / per_minute), 1


def share_of_exact_log(arrivals: Arrivals, *, limit: int, offsets: tuple[int, ...] = (0,)) -> float:
    """Admitted by the shipped expressions, for each request that an exact log admits."""
    chance = random.Random(limit)
    item, exact = Item({"used": 0, "cap": limit}), ExactLog()
    admitted = 0
    for now_us, requests in arrivals:
        exact.admit(now_us, limit=limit, requests=requests)
        now_ms = (now_us + chance.choice(offsets)) // 1_000
        admitted += item.admit(now_ms=now_ms, requests=requests)
    return admitted / exact.total


OVERLOADS = [
    *((20, factor) for factor in (1.05, 2, 50)),
    *((50, factor) for factor in (1.05, 2)),
    *((120, factor) for factor in (1.05, 1.5, 5)),
    *((1_000, factor) for factor in (1.05, 10)),
    *((100_000, factor) for factor in (1.05, 4)),
]


@pytest.mark.parametrize(("limit", "factor"), OVERLOADS)
def test_steady_overload_gets_at_least_097_of_an_exact_log(limit: int, factor: float) -> None:
    minutes = MINUTES * (2 if limit * factor < 100 else 1)
    arrivals = at_random(per_minute=limit * factor, minutes=minutes)
    assert share_of_exact_log(arrivals, limit=limit) >= 0.97


@pytest.mark.parametrize(("limit", "factor"), [(20, 3), (120, 5)])
def test_containers_whose_clocks_differ_still_get_097(limit: int, factor: float) -> None:
    arrivals = at_random(per_minute=limit * factor, minutes=MINUTES)
    offsets = (0, 200_000, 500_000)
    assert share_of_exact_log(arrivals, limit=limit, offsets=offsets) >= 0.97


@pytest.mark.parametrize(("limit", "factor"), [(20, 1.05), (20, 1.2), (20, 1.5), (120, 2)])
def test_a_metronome_loses_no_more_than_the_wait_for_its_next_beat(
    limit: int, factor: float
) -> None:
    """A slot is free after 61.5 s at the latest and taken by the next beat."""
    arrivals = in_step(per_minute=limit * factor, minutes=MINUTES)
    beat_s = 60 / (limit * factor)
    assert share_of_exact_log(arrivals, limit=limit) >= 0.998 * 60 / (61.5 + beat_s)
