"""Under a load that always asks, costs mixed, next to nothing of an exact weighted log is lost."""

from __future__ import annotations

import random

from chatgrid_auth.domain.limits import window
from tests.support.memory.window_model import ExactLog
from tests.unit.domain.limits.test_costs_properties import Fleet

LIMIT = 500
COSTS = (1, 10, 50)
START_MS = 1_795_000_000_250
MINUTES = 12


def test_mixed_costs_admit_95_of_100_units_of_an_exact_log() -> None:
    """Ten requests a second of 20 units on average, against a limit of 500 in a minute."""
    chance = random.Random(16)
    fleet, log, ideal = Fleet(limit=LIMIT, used=0), ExactLog(), ExactLog()
    for step in range(MINUTES * 600):
        now_ms, cost = START_MS + step * 100, chance.choice(COSTS)
        if fleet.request(now_ms, (10, 50), cost):
            assert log.add(now_ms * 1_000, cost) <= LIMIT
        fleet.upkeep(now_ms)
        if ideal.count(now_ms * 1_000) + cost <= LIMIT:
            ideal.add(now_ms * 1_000, cost)
    assert log.total >= 0.95 * ideal.total
    assert window.MINUTE.length_ms == 60_000
