"""The same promise for a second, an hour and a day: one arithmetic, its length a parameter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.limits import window, window_upkeep
from tests.support.memory.window_model import FLIGHT_US, ExactLog, Item
from tests.unit.domain.limits.test_window import operators
from tests.unit.domain.limits.test_window_properties import (
    clock_ms,
    flights,
    offsets,
    starts,
)

lengths = st.one_of(
    st.sampled_from([1, 2, 59, 60, 61, 90, 119, 121, 3_600, 3_601, 86_399, 86_400]),
    st.integers(1, 86_400),
)
#: Gaps as shares of the window, and a little before and after it.
parts = st.one_of(st.sampled_from([0.0, 0.0, 0.01, 0.5, 1.0]), st.floats(0.0, 1.2))
near = st.one_of(st.just(0), st.integers(-3_500_000, 3_500_000))


def admit(item: Item, kind: window.Window, now_ms: int) -> bool:
    plan = kind.admission(now_ms)
    return item.write(
        f"SET {plan.assignments} REMOVE {plan.removals}",
        when=plan.condition.replace("#u", "used"),
        values={":c": 1},
    )


@given(
    seconds=lengths,
    limit=st.integers(1, 5),
    start=starts,
    plan=st.lists(st.tuples(parts, near, offsets, flights), min_size=4, max_size=40),
)
def test_no_window_of_any_length_admits_more_than_its_limit(
    seconds: int, limit: int, start: int, plan: list[tuple[float, int, int, int]]
) -> None:
    kind = window.of_seconds(seconds)
    item, now_us = Item({"used": 0, "cap": limit}), start
    admitted: list[int] = []
    for part, by, offset, flight in plan:
        now_us += max(0, int(part * seconds * 1_000_000) + by)
        if admit(item, kind, clock_ms(now_us - flight, offset)):
            admitted.append(now_us - flight)
    log = ExactLog(seconds * 1_000_000)
    for arrived_us in sorted(admitted):
        assert log.add(arrived_us) <= limit


@given(
    seconds=lengths,
    limit=st.integers(1, 5),
    start=starts,
    plan=st.lists(st.tuples(parts, near, offsets), max_size=30),
    retry_offset=offsets,
)
def test_waiting_is_enough_in_a_window_of_any_length(
    seconds: int,
    limit: int,
    start: int,
    plan: list[tuple[float, int, int]],
    retry_offset: int,
) -> None:
    kind = window.of_seconds(seconds)
    item, now_us = Item({"used": 0, "cap": limit}), start
    for part, by, offset in plan:
        now_us += max(0, int(part * seconds * 1_000_000) + by)
        now_ms = clock_ms(now_us, offset)
        admit(item, kind, now_ms)
        state = window.read(item.low_level, now_ms=now_ms, limit=limit, window=kind)
        if state.retry_at_ms is None:
            continue
        wait_s = window.retry_after_s(state.retry_at_ms, now_ms=now_ms)
        # A length is rounded up to whole buckets, and the last one counts whole.
        assert wait_s <= seconds + 2 * kind.bucket_ms // 1_000 + 3
        later_ms = clock_ms(now_us + wait_s * 1_000_000, retry_offset)
        assert admit(item.copy(), kind, later_ms)


@pytest.mark.parametrize("seconds", [61, 90, 119, 3_601, 86_399])
def test_a_length_that_is_no_multiple_of_its_bucket_counts_whole(seconds: int) -> None:
    """The last of a bucket still counts for whoever comes within the length after it."""
    kind = window.of_seconds(seconds)
    last_ms = 1_795_000_000_000 // kind.bucket_ms * kind.bucket_ms + kind.bucket_ms - 1
    item = Item({"used": 0, "cap": 1})
    assert admit(item, kind, last_ms)
    within_ms = last_ms + kind.length_ms - 1
    assert not admit(item, kind, within_ms)
    assert not admit(item, kind, within_ms + window.MAX_SKEW_MS)


@given(seconds=lengths, start=starts)
def test_a_window_of_any_length_stays_within_dynamodbs_bounds(seconds: int, start: int) -> None:
    plan = window.of_seconds(seconds).admission(clock_ms(start, 0))
    assert operators(plan.condition) <= 280
    assert len(plan.condition) <= 3_500


@given(
    seconds=lengths,
    start=starts,
    plan=st.lists(st.tuples(parts, near, offsets), min_size=5, max_size=60),
)
def test_upkeep_keeps_a_window_of_any_length_small(
    seconds: int, start: int, plan: list[tuple[float, int, int]]
) -> None:
    kind, limit = window.of_seconds(seconds), 1_000
    item, now_us = Item({"used": 0, "cap": limit}), start
    for part, by, offset in plan:
        now_us += max(0, int(part * seconds * 100_000) + by)
        now_ms = clock_ms(now_us, offset)
        admit(item, kind, now_ms)
        seen = item.low_level
        if window.read(seen, now_ms=now_ms, limit=limit, window=kind).upkeep:
            parts_ = window_upkeep.maintenance(seen, now_ms=now_ms, limit=limit, window=kind)
            if parts_:
                item.apply(parts_)
    assert sum(map(window.is_checkpoint, item.numbers)) <= window.MAX_CHECKPOINTS + 1


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_window_has_one_second_to_one_day(seconds: int) -> None:
    with pytest.raises(ValueError, match="1 to 86400 seconds"):
        window.of_seconds(seconds)


def test_the_minute_is_one_of_them() -> None:
    minute = window.of_seconds(60)
    assert (minute.bucket_ms, minute.span, minute.checks, minute.kept) == (
        window.MINUTE.bucket_ms,
        window.MINUTE.span,
        window.MINUTE.checks,
        window.MINUTE.kept,
    )
    assert FLIGHT_US == window.MAX_FLIGHT_MS * 1_000
