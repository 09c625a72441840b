"""A key gets so many other secrets in any hour, by rotation or by repeats, and no more."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.key_errors import SecretLimitReached
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.creations import HOUR_MS, another_secret
from chatgrid_auth.services.idempotency import Idempotency
from chatgrid_auth.services.repeatable import Repeatable
from chatgrid_auth.services.rotation import Rotations
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.tables.key_service import new_key

NOW_MS = 1_800_000_000_000
MOST = 3


class World:
    """Keys of one owner over a store in memory, and a clock."""

    def __init__(self) -> None:
        self.now_ms, self.owner, self.store = NOW_MS, str(uuid4()), MemoryKeyStore()
        clock: dict[str, Any] = {"now_ms": lambda: self.now_ms, "entropy": os.urandom}
        self.keys = ApiKeys(self.store, default_rate_limit=120, keys_per_user=9, **clock)
        secrets = self.store.rotations
        self.rotations = Rotations(secrets, secrets_per_hour=MOST, **clock)
        self.idempotency = Idempotency(self.store.notes, secrets, secrets_per_hour=MOST, **clock)

    def rotate(self, key_id: str) -> None:
        self.rotations.rotate(self.owner, key_id, force=True)
        self.now_ms += 60_000

    def repeat(self, key_id: str) -> None:
        request = Repeatable(owner=self.owner, route="POST /", name="n", body="b")
        self.idempotency.once(
            request,
            lambda claim: self.rotations.rotate(self.owner, key_id, force=True, claim=claim),
            actor=THE_SYSTEM,
        )
        self.now_ms += 60_000


@pytest.mark.parametrize("ask", [World.rotate, World.repeat])
def test_a_key_gets_no_more_secrets_in_any_hour(ask: Callable[[World, str], None]) -> None:
    world = World()
    key, other = (new_key(world.keys, world.owner).key for _ in range(2))
    for _ in range(MOST):
        ask(world, key.id)
    told = len(world.store.events)
    with pytest.raises(SecretLimitReached) as reached:
        ask(world, key.id)
    assert len(world.store.events) == told
    assert reached.value.retry_after_s == (HOUR_MS - MOST * 60_000) // 1_000
    world.rotate(other.id)  # who has one key in hand keeps its owner from nothing else
    new_key(world.keys, world.owner)
    world.now_ms = NOW_MS + HOUR_MS
    ask(world, key.id)


def test_no_count_is_kept_where_any_number_will_do() -> None:
    assert another_secret([1, 2], now_ms=3, most=0) is None


def test_times_of_more_than_an_hour_ago_are_forgotten() -> None:
    times = another_secret([1, 2, HOUR_MS], now_ms=HOUR_MS + 1, most=9)
    assert times == (2, HOUR_MS, HOUR_MS + 1)
    assert all(earlier <= later for earlier, later in pairwise(times))
