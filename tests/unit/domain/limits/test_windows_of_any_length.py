"""The same promise for a second, an hour and a day: one arithmetic, its length a parameter."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.limits import costs, window, window_upkeep
from chatgrid_auth.domain.limits.any_length import AnyLength, of_seconds
from tests.support.memory.window_model import FLIGHT_US, ExactLog, Item, item_bytes
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
journeys = st.one_of(flights, flights, st.integers(FLIGHT_US, 60_000_000))
near = st.one_of(st.just(0), st.integers(-3_500_000, 3_500_000))


def admit(item: Item, kind: AnyLength, now_ms: int) -> bool:
    plan = kind.admission(now_ms)
    return item.write(
        f"SET {plan.assignments} REMOVE {plan.removals}",
        when=plan.condition.replace("#u", "used"),
        values={":c": 1, **times(kind, now_ms, item)},
    )


def times(kind: AnyLength, now_ms: int, item: Item) -> dict[str, int]:
    """What a container sends that was told of the item, by a refusal that only says its time."""
    sent = kind.times(now_ms, item.low_level)
    return {name: int(value["N"]) for name, value in sent.items()}


@given(
    seconds=lengths,
    limit=st.integers(1, 5),
    start=starts,
    plan=st.lists(st.tuples(parts, near, offsets, journeys), min_size=4, max_size=40),
)
def test_no_window_of_any_length_admits_more_than_its_limit(
    seconds: int, limit: int, start: int, plan: list[tuple[float, int, int, int]]
) -> None:
    kind = of_seconds(seconds)
    item, now_us = Item({"used": 0, "cap": limit}), start
    admitted: list[int] = []
    for part, by, offset, flight in plan:
        now_us += max(0, int(part * seconds * 1_000_000) + by)
        let = admit(item, kind, clock_ms(now_us - flight, offset))
        if let and flight <= FLIGHT_US:  # a later answer is 503, whatever the store said
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
    kind = of_seconds(seconds)
    item, now_us = Item({"used": 0, "cap": limit}), start
    for part, by, offset in plan:
        now_us += max(0, int(part * seconds * 1_000_000) + by)
        now_ms = clock_ms(now_us, offset)
        admit(item, kind, now_ms)
        state = window.read(
            item.low_level, now_ms=now_ms, limit=limit, window=kind.of(item.low_level)
        )
        if state.retry_at_ms is None:
            continue
        wait_s = kind.wait_s(state.retry_at_ms, now_ms=now_ms)
        assert wait_s <= seconds + 3
        later_ms = clock_ms(now_us + wait_s * 1_000_000, retry_offset)
        assert admit(item.copy(), kind, later_ms)


@pytest.mark.parametrize("seconds", [61, 3_600, 86_400])
def test_after_a_bursts_wait_the_whole_limit_is_back(seconds: int) -> None:
    kind, now_ms = of_seconds(seconds), 1_795_000_000_250
    item = Item({"used": 0, "cap": 3})
    assert [admit(item, kind, now_ms) for _ in range(4)] == [True, True, True, False]
    seen = item.low_level
    state = window.read(seen, now_ms=now_ms, limit=3, window=kind.of(seen))
    assert window.blocked(seen, now_ms=now_ms, window=kind.of(seen))
    assert state.retry_at_ms == state.reset_s * 1_000
    wait_s = kind.wait_s(state.retry_at_ms, now_ms=now_ms)
    assert seconds + 1 <= wait_s <= seconds + 3
    later_ms = now_ms + wait_s * 1_000 - window.MAX_SKEW_MS
    assert not window.blocked(seen, now_ms=later_ms, window=kind.of(seen))
    assert [admit(item, kind, later_ms) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("late_ms", [1_000, 30_000])
def test_a_write_that_comes_late_never_ends_a_ceiling_early(late_ms: int) -> None:
    """Whoever waited for it was told of an outage: it may cost a slot, and give none."""
    kind, start_ms = of_seconds(3_600), 1_795_000_000_000 // 120_000 * 120_000
    item = Item({"used": 0, "cap": 3})
    last_ms = start_ms + 100_000
    assert admit(item, kind, last_ms)
    kept = dict(item.numbers)
    early = kind.admission(last_ms - late_ms)
    sent = {n: int(v["N"]) for n, v in kind.times(last_ms - late_ms, None).items()}
    item.write(
        f"SET {early.assignments} REMOVE {early.removals}",
        when=early.condition.replace("#u", "used"),
        values={":c": 1, **sent},
    )
    (place,) = kind.begun(last_ms)
    assert item.numbers[place] >= kept[place]
    admitted = sum(admit(item, kind, last_ms + kind.length_ms - 1_000) for _ in range(4))
    assert admitted <= 2


@pytest.mark.parametrize("seconds", [61, 90, 119, 3_601, 86_399])
def test_a_length_that_is_no_multiple_of_its_bucket_counts_whole(seconds: int) -> None:
    """The last of a bucket still counts for whoever comes within the length after it."""
    kind = of_seconds(seconds)
    last_ms = 1_795_000_000_000 // kind.bucket_ms * kind.bucket_ms + kind.bucket_ms - 1
    item = Item({"used": 0, "cap": 1})
    assert admit(item, kind, last_ms)
    within_ms = last_ms + kind.length_ms - 1
    assert not admit(item, kind, within_ms)
    assert not admit(item, kind, within_ms + window.MAX_SKEW_MS)


@given(seconds=lengths, start=starts)
def test_a_window_of_any_length_stays_within_dynamodbs_bounds(seconds: int, start: int) -> None:
    """300 operators and 4 KB for an expression, 1 KB for an item that costs one write unit."""
    kind, now_ms = of_seconds(seconds), clock_ms(start, 0)
    plan = kind.admission(now_ms)
    assert operators(plan.condition) <= 280
    assert len(plan.condition) <= 3_500
    assert len(f"SET {plan.assignments} REMOVE {plan.removals}") <= 600
    assert kind.kept + kind.checks + 1 <= kind.most
    names = window.checkpoint_names(kind.written(now_ms), kind.most + 3)
    uses: dict[str, Any] = {}
    for ahead in range(kind.checks + 1):
        before = len(uses)
        uses |= kind.begun(now_ms + ahead * kind.bucket_ms)
        assert len(uses) > before or seconds <= 60  # no bucket that is minded loses its last use
    held = {
        "pk": {"S": "ROUTE#key#" + 190 * "r"},
        "expires_on": {"N": "9999999999"},
        **{name: {"N": "899999"} for name in ("used", "cap", *names)},
        **uses,
        **costs.fresh((996, 997, 998, 999), used=899_000),
    }
    # Counted with one more for each number than AWS documents.
    assert item_bytes(held) + len(held) <= 1_024


@given(
    seconds=lengths,
    start=starts,
    plan=st.lists(st.tuples(parts, near, offsets), min_size=5, max_size=60),
)
def test_upkeep_keeps_a_window_of_any_length_small(
    seconds: int, start: int, plan: list[tuple[float, int, int]]
) -> None:
    kind, limit = of_seconds(seconds), 1_000
    item, now_us = Item({"used": 0, "cap": limit}), start
    for part, by, offset in plan:
        now_us += max(0, int(part * seconds * 100_000) + by)
        now_ms = clock_ms(now_us, offset)
        admit(item, kind, now_ms)
        seen = item.low_level
        if window.read(seen, now_ms=now_ms, limit=limit, window=kind.of(seen)).upkeep:
            parts_ = window_upkeep.maintenance(seen, now_ms=now_ms, limit=limit, window=kind)
            if parts_:
                item.apply(parts_)
    assert sum(map(window.is_checkpoint, item.numbers)) <= kind.most + 1


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_a_window_has_one_second_to_one_day(seconds: int) -> None:
    with pytest.raises(ValueError, match="1 to 86400 seconds"):
        of_seconds(seconds)


def test_the_minute_is_one_of_them() -> None:
    minute = of_seconds(60)
    assert (minute.bucket_ms, minute.span, minute.checks, minute.kept) == (
        window.MINUTE.bucket_ms,
        window.MINUTE.span,
        window.MINUTE.checks,
        window.MINUTE.kept,
    )
    assert FLIGHT_US == window.MAX_FLIGHT_MS * 1_000
