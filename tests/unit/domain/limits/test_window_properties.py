"""The promises of the window over arbitrary arrivals, against an exact log in real time.

Every request reads a clock of its own: real time plus anything from 0 to 0.5 s, so that any two
differ by up to 0.5 s, drift and step within that. Real time is in microseconds, clocks show whole
milliseconds. Nothing is remembered between requests but the item.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.limits import window, window_upkeep
from tests.support.memory.window_model import (
    CREDENTIAL,
    FLIGHT_US,
    SKEW_US,
    WINDOW_US,
    Decision,
    ExactLog,
    Item,
    ceilings,
    decide,
    item_bytes,
    parse,
)

START_US = 1_795_000_000_000_000
DAY_US = 86_400_000_000

limits = st.one_of(st.integers(1, 4), st.integers(1, 130), st.integers(1, 100_000))
offsets = st.one_of(st.sampled_from([0, SKEW_US]), st.integers(0, SKEW_US))
flights = st.one_of(st.sampled_from([0, FLIGHT_US]), st.integers(0, FLIGHT_US))
edges = st.sampled_from([58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 81, 125])
gaps = st.one_of(
    st.integers(0, 3_000_000),
    st.integers(0, 12).map(lambda half: half * 500_000),
    st.builds(lambda edge, by: edge * 1_000_000 + by, edges, st.integers(-2_500, 2_500)),
    st.integers(0, 130_000_000),
    st.one_of(st.just(0), st.integers(0, 400 * DAY_US)),
)
shares = st.sampled_from([0.0, 0.0, 0.3, 0.5, 1.0, 1.5])
steps = st.lists(st.tuples(gaps, offsets, shares), min_size=1, max_size=40)
starts = st.builds(lambda part: START_US + part, st.integers(0, 2_000_000))


def clock_ms(real_us: int, offset_us: int) -> int:
    return (real_us + offset_us) // 1_000


class Fleet:
    """Requests of one credential over real time, and the exact log of those admitted."""

    def __init__(self, *, limit: int, now_us: int, used: int = 0) -> None:
        self.limit = limit
        self.now_us = now_us
        self.item = Item({"used": used, "cap": used + limit})
        self.log = ExactLog()

    def request(self, offset_us: int, share: float) -> Decision:
        """As many requests at once as the share of the limit comes to, one at least."""
        decision = decide(
            self.item,
            now_ms=clock_ms(self.now_us, offset_us),
            limit=self.limit,
            requests=max(1, round(self.limit * share)),
        )
        if decision.admitted:
            in_window = self.log.add(self.now_us, decision.admitted)
            assert in_window <= self.limit, f"{in_window} admitted in 60 s, {self.limit} allowed"
        return decision

    def would_admit(self, requests: int, *, at_us: int, offset_us: int) -> int:
        return self.item.copy().admit(now_ms=clock_ms(at_us, offset_us), requests=requests)


@given(
    start=starts,
    used=st.integers(0, 9),
    room=st.integers(0, 3),
    held=st.dictionaries(st.integers(-3, 68), st.integers(0, 9)),
)
def test_the_model_judges_ceilings_by_the_general_rules(
    start: int, used: int, room: int, held: dict[int, int]
) -> None:
    now_ms = clock_ms(start, 0)
    shipped = window.MINUTE.admission(now_ms).condition.replace("#u", "used")
    quick, general = ceilings(shipped), parse(shipped)
    assert quick
    item = {"used": used, "cap": used + room}
    for ahead, ceiling in held.items():
        item |= dict.fromkeys(window.checkpoint_names(now_ms // 1_000 + ahead, 1), ceiling)
    assert quick(item, {}) is general(item, {})


@given(limit=limits, start=starts, used=st.integers(0, 800_100), plan=steps)
def test_no_window_of_60_seconds_admits_more_than_the_limit(
    limit: int, start: int, used: int, plan: list[tuple[int, int, float]]
) -> None:
    fleet = Fleet(limit=limit, now_us=start, used=used)
    for gap, offset, share in plan:
        fleet.now_us += gap
        fleet.request(offset, share)


@given(
    limit=limits,
    start=starts,
    used=st.sampled_from([0, 799_990]),
    plan=st.lists(st.tuples(gaps, offsets, shares, flights), min_size=2, max_size=40),
)
def test_no_window_is_exceeded_though_each_write_takes_up_to_2_seconds(
    limit: int, start: int, used: int, plan: list[tuple[int, int, float, int]]
) -> None:
    """The gaps are between writes; a request arrives, and reads its clock, up to 2 s before."""
    fleet = Fleet(limit=limit, now_us=start, used=used)
    admitted: list[tuple[int, int]] = []
    for gap, offset, share, flight in plan:
        fleet.now_us += gap
        arrived_us = fleet.now_us - flight
        now_ms, requests = clock_ms(arrived_us, offset), max(1, round(limit * share))
        decision = decide(fleet.item, now_ms=now_ms, limit=limit, requests=requests)
        admitted.append((arrived_us, decision.admitted))
    for arrived_us, number in sorted(admitted):
        if number:
            assert fleet.log.add(arrived_us, number) <= limit


@given(
    limit=st.integers(1, 60),
    start=starts,
    plan=st.lists(st.tuples(st.integers(0, 4_000_000), offsets, shares), min_size=20, max_size=60),
)
def test_dense_traffic_over_many_windows_keeps_the_limit(
    limit: int, start: int, plan: list[tuple[int, int, float]]
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        fleet.request(offset, share / 4)


@given(limit=limits, start=starts, plan=steps)
def test_a_refused_request_leaves_the_item_as_it_was(
    limit: int, start: int, plan: list[tuple[int, int, float]]
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        before = dict(fleet.item.numbers)
        if not fleet.request(offset, share).admitted:
            assert fleet.item.numbers == before


@given(limit=limits, start=starts, plan=steps, retry_offset=offsets)
def test_waiting_retry_after_is_enough_for_one_more_on_any_clock(
    limit: int, start: int, plan: list[tuple[int, int, float]], retry_offset: int
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        decision = fleet.request(offset, share)
        retry_at_ms = decision.reading.retry_at_ms
        if retry_at_ms is None:
            assert fleet.would_admit(1, at_us=fleet.now_us, offset_us=retry_offset) == 1
            continue
        wait_s = window.retry_after_s(retry_at_ms, now_ms=clock_ms(fleet.now_us, offset))
        assert 1 <= wait_s <= 63
        assert retry_at_ms <= decision.reading.reset_s * 1_000
        at_us = fleet.now_us + wait_s * 1_000_000
        assert fleet.would_admit(1, at_us=at_us, offset_us=retry_offset) == 1


@given(limit=limits, start=starts, plan=steps)
def test_blocked_until_is_when_this_very_clock_admits_again(
    limit: int, start: int, plan: list[tuple[int, int, float]]
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        until_ms = fleet.request(offset, share).reading.blocked_until_ms
        now_ms = clock_ms(fleet.now_us, offset)
        assert window.blocked(fleet.item.low_level, now_ms=now_ms) == (until_ms is not None)
        if until_ms is not None:
            assert fleet.item.copy().admit(now_ms=until_ms - 1) == 0
            assert fleet.item.copy().admit(now_ms=until_ms) == 1


@given(limit=limits, start=starts, plan=steps, later=gaps, other=offsets)
def test_remaining_is_never_more_than_what_is_then_admitted(
    limit: int, start: int, plan: list[tuple[int, int, float]], later: int, other: int
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        remaining = fleet.request(offset, share).reading.remaining
        assert 0 <= remaining <= limit
        for at_us in (fleet.now_us, fleet.now_us + later):
            assert fleet.would_admit(remaining, at_us=at_us, offset_us=other) == remaining


@given(limit=limits, start=starts, plan=steps, other=offsets)
def test_after_the_reset_the_whole_limit_is_back(
    limit: int, start: int, plan: list[tuple[int, int, float]], other: int
) -> None:
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share in plan:
        fleet.now_us += gap
        reset_s = fleet.request(offset, share).reading.reset_s
        at_us = max(fleet.now_us, reset_s * 1_000_000 - offset)
        assert fleet.would_admit(limit, at_us=at_us, offset_us=other) == limit
        assert at_us - fleet.now_us <= WINDOW_US + 3_000_000


@given(
    limit=limits,
    start=starts,
    plan=st.lists(st.tuples(gaps, offsets, shares, st.none() | limits, st.booleans()), max_size=30),
)
def test_a_changed_limit_holds_for_every_request_admitted_after_it(
    limit: int, start: int, plan: list[tuple[int, int, float, int | None, bool]]
) -> None:
    """At once through `change_limit`; where only the item's `limit` was edited, one later."""
    fleet = Fleet(limit=limit, now_us=start)
    for gap, offset, share, changed, properly in plan:
        fleet.now_us += gap
        if changed is not None:
            seen, now_ms = fleet.item.low_level, clock_ms(fleet.now_us, offset)
            fleet.limit = changed
            if properly:
                update = window_upkeep.change_limit(seen, now_ms=now_ms, limit=changed)
                assert fleet.item.apply(update)
                assert fleet.item.numbers.pop("lim") == changed
            elif decide(fleet.item, now_ms=now_ms, limit=changed).admitted:
                fleet.log.add(fleet.now_us)
        fleet.request(offset, share)
        assert fleet.item.numbers["cap"] - fleet.item.numbers["used"] == fleet.limit


@given(
    limit=limits,
    used=st.integers(799_900, 800_100),
    start=starts,
    plan=st.lists(
        st.tuples(st.integers(0, 3_000_000) | gaps, offsets, shares, st.integers(0, 4)),
        min_size=5,
        max_size=40,
    ),
)
def test_upkeep_that_arrives_late_or_twice_breaks_nothing(
    limit: int, used: int, start: int, plan: list[tuple[int, int, float, int]]
) -> None:
    """Several containers see the same need; their writes come after up to 4 other decisions."""
    fleet = Fleet(limit=limit, now_us=start, used=used)
    waiting: list[tuple[int, int, Mapping[str, Any]]] = []
    for gap, offset, share, delay in plan:
        fleet.now_us += gap
        waiting = [(due - 1, sent_us, parts) for due, sent_us, parts in waiting]
        for due, sent_us, parts in waiting:
            if due < 0 and fleet.now_us - sent_us <= 6_000_000:
                fleet.item.apply(parts)
        waiting = [entry for entry in waiting if entry[0] >= 0]
        now_ms = clock_ms(fleet.now_us, offset)
        upkeep = window_upkeep.maintenance(fleet.item.low_level, now_ms=now_ms, limit=limit)
        if upkeep:
            waiting += [(delay, fleet.now_us, upkeep), (delay + 1, fleet.now_us, upkeep)]
        admitted = fleet.item.admit(now_ms=now_ms, requests=max(1, round(limit * share)))
        assert fleet.log.add(fleet.now_us, admitted) <= limit
        assert fleet.item.numbers["cap"] - fleet.item.numbers["used"] == limit


@given(limit=limits, used=st.integers(0, 800_000), start=starts, plan=steps)
def test_the_item_stays_below_one_write_unit_at_any_time(
    limit: int, used: int, start: int, plan: list[tuple[int, int, float]]
) -> None:
    fleet = Fleet(limit=limit, now_us=start, used=used)
    for _ in range(4):
        for gap, offset, share in plan:
            fleet.now_us += gap
            fleet.request(offset, share)
            assert item_bytes({**CREDENTIAL, **fleet.item.low_level}) < 1_024
