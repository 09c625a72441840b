"""Requests of several costs, from containers of several deployments, against an exact log.

For the minute and for windows of other lengths: one arithmetic, its length a parameter.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatgrid_auth.domain.limits import costs, window, window_upkeep
from chatgrid_auth.domain.limits.any_length import of_seconds
from tests.support.memory.window_model import ExactLog, Item, item_bytes
from tests.unit.domain.limits.test_window_properties import (
    clock_ms,
    flights,
    gaps,
    offsets,
    starts,
)
from tests.unit.domain.limits.test_windows_of_any_length import times

SETS = [(), (5,), (5, 10), (10,), (2, 3), (2, 3, 7)]
limits = st.sampled_from([4, 10, 12, 20, 37])
#: Which deployment's container asks, and which of its costs the request has.
askers = st.tuples(st.sampled_from(SETS), st.integers(0, 3))
#: Of the window, in seconds: most often the minute's.
lengths = st.sampled_from([60, 60, 60, 1, 61, 90, 119, 3_600, 86_399, 86_400])
used_before = st.sampled_from([0, 0, 799_900, 799_990, 1_000_000])


class Fleet:
    """Containers that remember which costs the item keeps, and nothing else."""

    def __init__(
        self, *, limit: int, used: int, credits_left: int | None = None, seconds: int = 60
    ) -> None:
        self.kind = of_seconds(seconds)
        self.limit = limit
        self.credits_left = credits_left
        numbers = {"used": used, "cap": used + limit}
        if credits_left is not None:
            numbers["top"] = used + credits_left
        self.item = Item(numbers)
        self.known: dict[tuple[int, ...], tuple[int, ...]] = {}

    def request(self, now_ms: int, own: tuple[int, ...], cost: int) -> bool:
        for _ in range(4):
            known = self.known.get(own, own)
            if self._ask(now_ms, known, cost):
                if self.credits_left is not None:
                    self.credits_left -= cost
                self.in_step()
                return True
            kept, write = costs.in_step(self.item.low_level, own)
            if write is None and kept == known:
                return False
            if write is not None:
                assert self.item.apply(write)
            self.known[own] = kept
        raise AssertionError("containers that evict each other's costs")

    def _ask(self, now_ms: int, known: tuple[int, ...], cost: int) -> bool:
        plan = self.kind.admission(now_ms)
        of_costs = "g = :g" if known else "attribute_not_exists(g)"
        of_credits = "(attribute_not_exists(top) OR #u < top)"
        when = f"{of_costs} AND {of_credits} AND {plan.condition}"
        values: dict[str, Any] = {":c": cost, **times(self.kind, now_ms, self.item)}
        if known:
            values[":g"] = costs.named(known)["S"]
        return self.item.write(
            f"SET {plan.assignments}{costs.raised(known)} REMOVE {plan.removals}",
            when=when.replace("#u", costs.counter(cost)),
            values=values,
        )

    def upkeep(self, now_ms: int) -> None:
        seen = self.item.low_level
        if window.read(seen, now_ms=now_ms, limit=self.limit, window=self.kind.of(seen)).upkeep:
            parts = window_upkeep.maintenance(
                seen, now_ms=now_ms, limit=self.limit, window=self.kind
            )
            if parts:
                self.item.apply(parts)
        self.in_step()

    def change(self, now_ms: int, limit: int) -> None:
        """A key's limit by its owner; another window's by a deployment, which the upkeep sees."""
        if self.kind.length_ms != window.MINUTE.length_ms:
            self.limit = limit
            self.upkeep(now_ms)
            return
        update = window_upkeep.change_limit(self.item.low_level, now_ms=now_ms, limit=limit)
        assert self.item.apply(update)
        del self.item.numbers["lim"]
        self.limit = limit
        self.in_step()

    def in_step(self) -> None:
        numbers = self.item.numbers
        assert numbers["cap"] - numbers["used"] == self.limit
        for cost in costs.kept(self.item.low_level):
            assert numbers[f"u{cost}"] == numbers["used"] + cost - 1
        if self.credits_left is not None:
            assert numbers["top"] - numbers["used"] == self.credits_left >= 0


def chosen(asker: tuple[tuple[int, ...], int]) -> tuple[tuple[int, ...], int]:
    own, which = asker
    choices = (1, *own)
    return own, choices[which % len(choices)]


def scaled(gap_us: int, seconds: int) -> int:
    """A gap that means to a window of this length what it means to the minute."""
    return gap_us * seconds // 60


@given(
    seconds=lengths,
    limit=limits,
    used=used_before,
    start=starts,
    plan=st.lists(st.tuples(gaps, offsets, flights, askers), min_size=4, max_size=50),
)
def test_no_window_admits_more_units_than_the_limit(
    seconds: int, limit: int, used: int, start: int, plan: list[tuple[int, int, int, Any]]
) -> None:
    """Clocks skewed, writes late, a rebase in between, and deployments of several costs at once."""
    fleet, now_us = Fleet(limit=limit, used=used, seconds=seconds), start
    admitted: list[tuple[int, int]] = []
    for gap, offset, flight, asker in plan:
        now_us += scaled(gap, seconds)
        own, cost = chosen(asker)
        now_ms = clock_ms(now_us - flight, offset)
        if fleet.request(now_ms, own, cost):
            admitted.append((now_us - flight, cost))
        fleet.upkeep(now_ms)
    log = ExactLog(seconds * 1_000_000)
    for arrived_us, cost in sorted(admitted):
        assert log.add(arrived_us, cost) <= limit


@given(
    seconds=lengths,
    limit=limits,
    used=used_before,
    start=starts,
    credits_left=st.integers(0, 60),
    plan=st.lists(st.tuples(gaps, offsets, askers, st.none() | limits), min_size=4, max_size=50),
)
def test_changed_limits_and_credits_hold_for_every_cost(
    seconds: int,
    limit: int,
    used: int,
    start: int,
    credits_left: int,
    plan: list[tuple[int, int, Any, int | None]],
) -> None:
    fleet = Fleet(limit=limit, used=used, credits_left=credits_left, seconds=seconds)
    log, now_us = ExactLog(seconds * 1_000_000), start
    for gap, offset, asker, changed in plan:
        now_us += scaled(gap, seconds)
        own, cost = chosen(asker)
        now_ms = clock_ms(now_us, offset)
        if changed is not None:
            fleet.change(now_ms, changed)
        if fleet.request(now_ms, own, cost):
            assert log.add(now_us, cost) <= fleet.limit
        fleet.upkeep(now_ms)
    assert log.total <= credits_left


@given(
    seconds=lengths,
    limit=limits,
    start=starts,
    plan=st.lists(st.tuples(gaps, offsets, askers), max_size=30),
    retry_offset=offsets,
)
def test_waiting_is_enough_for_the_cost_that_was_refused(
    seconds: int, limit: int, start: int, plan: list[tuple[int, int, Any]], retry_offset: int
) -> None:
    fleet, now_us = Fleet(limit=limit, used=0, seconds=seconds), start
    for gap, offset, asker in plan:
        now_us += scaled(gap, seconds)
        own, cost = chosen(asker)
        now_ms = clock_ms(now_us, offset)
        before = dict(fleet.item.numbers)
        if fleet.request(now_ms, own, cost):
            continue
        assert {n: v for n, v in fleet.item.numbers.items() if n[0] not in "gu"} == {
            n: v for n, v in before.items() if n[0] not in "gu"
        }
        seen = fleet.item.low_level
        state = window.read(seen, now_ms=now_ms, limit=limit, window=fleet.kind.of(seen), cost=cost)
        assert state.remaining < cost
        if cost > limit:
            continue
        assert state.retry_at_ms is not None
        assert state.more_s * 1_000 <= state.retry_at_ms
        wait_s = fleet.kind.wait_s(state.retry_at_ms, now_ms=now_ms)
        assert wait_s <= seconds + 3
        later = Fleet(limit=limit, used=0, seconds=seconds)
        later.item = fleet.item.copy()
        assert later.request(clock_ms(now_us + wait_s * 1_000_000, retry_offset), own, cost)


@settings(max_examples=30)
@given(start=starts, cost=st.sampled_from([5, 10]))
def test_a_cost_above_the_limit_never_passes_a_fresh_window(start: int, cost: int) -> None:
    fleet = Fleet(limit=4, used=0)
    assert not fleet.request(clock_ms(start, 0), (5, 10), cost)


@pytest.mark.parametrize("used", [0, 799_990])
def test_a_cost_that_went_and_came_back_counts_what_passed_meanwhile(used: int) -> None:
    fleet, now_ms = Fleet(limit=20, used=used), 1_795_000_000_250
    assert fleet.request(now_ms, (5,), 5)
    for _ in range(15):
        assert fleet.request(now_ms, (), 1)
        fleet.upkeep(now_ms)
    assert not fleet.request(now_ms, (5,), 5)


def test_an_item_keeps_four_costs_at_most() -> None:
    fleet, now_ms = Fleet(limit=60, used=0), 1_795_000_000_250
    for own in SETS:
        fleet.request(now_ms, own, 1)
        assert len(costs.kept(fleet.item.low_level)) <= 4
        assert item_bytes(fleet.item.low_level) < 100
