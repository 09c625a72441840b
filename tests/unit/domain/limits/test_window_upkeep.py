"""Upkeep: the item stays small and its numbers short, for next to nothing, and no budget is won."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest

from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.window_upkeep import change_limit, maintenance
from tests.support.memory.window_model import CREDENTIAL, Item, decide, item_bytes
from tests.unit.domain.limits.test_window import NOW_MS, NOW_S, checkpoint, operators


def full_item(*, used: int, limit: int, checkpoints: int) -> Item:
    """An item with a checkpoint for each of the last seconds, far from refusing."""
    numbers = {"used": used, "cap": used + limit}
    numbers |= {checkpoint(NOW_S - age): used + limit - age for age in range(checkpoints)}
    return Item(numbers)


def slack(item: Item) -> dict[str, int]:
    """What each number leaves over `used`: all that the window's verdicts depend on."""
    return {name: number - item.numbers["used"] for name, number in item.numbers.items()}


def test_an_item_in_order_needs_nothing() -> None:
    item = full_item(used=500, limit=120, checkpoints=65)
    assert maintenance(item.low_level, now_ms=NOW_MS, limit=120) is None


def test_cleaning_removes_what_no_clock_minds_and_nothing_else() -> None:
    item = full_item(used=500, limit=120, checkpoints=69)
    parts = maintenance(item.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    before = dict(item.numbers)
    assert item.apply(parts)
    gone = {checkpoint(NOW_S - age) for age in range(65, 69)}
    assert item.numbers == {name: n for name, n in before.items() if name not in gone}


def test_cleaning_leaves_the_names_of_an_absurdly_fast_clock() -> None:
    item = full_item(used=500, limit=120, checkpoints=69)
    ahead = [checkpoint(NOW_S + by) for by in (3, 60, 86_400)]
    item.numbers |= dict.fromkeys(ahead, 600)
    parts = maintenance(item.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    assert item.apply(parts)
    assert item.numbers.keys() >= set(ahead)


def test_no_upkeep_brings_a_deleted_item_back() -> None:
    seen = full_item(used=800_000, limit=120, checkpoints=69).low_level
    for parts in (
        maintenance(seen, now_ms=NOW_MS, limit=120),
        maintenance(
            full_item(used=5, limit=120, checkpoints=69).low_level, now_ms=NOW_MS, limit=120
        ),
        change_limit(seen, now_ms=NOW_MS, limit=60),
    ):
        assert parts
        assert not Item({}).apply(parts)


@pytest.mark.parametrize("checkpoints", [0, 1, 40, 69])
def test_a_rebase_lowers_every_number_alike_and_happens_once(checkpoints: int) -> None:
    item = full_item(used=800_007, limit=120, checkpoints=checkpoints)
    parts = maintenance(item.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    before = slack(item)
    assert item.apply(parts)
    assert slack(item).items() <= before.items()
    assert max(item.numbers.values()) <= 100_000 + 2 * 120
    assert not item.apply(parts)


@pytest.mark.parametrize("limit", [100, 140])
def test_a_changed_limit_moves_the_live_ceilings_and_happens_once(limit: int) -> None:
    item = full_item(used=500, limit=120, checkpoints=65)
    parts = change_limit(item.low_level, now_ms=NOW_MS, limit=limit)
    before = slack(item)
    assert item.apply(parts)
    assert item.numbers.pop("lim") == limit
    assert slack(item) == {n: s + (limit - 120 if n != "used" else 0) for n, s in before.items()}
    assert not item.apply(parts)


def test_a_changed_limit_holds_at_once() -> None:
    """A raised one admits the difference, and a lowered one refuses."""
    item = Item.of(window.fresh(10))
    assert item.admit(now_ms=NOW_MS, requests=20) == 10
    assert item.apply(change_limit(item.low_level, now_ms=NOW_MS, limit=15))
    del item.numbers["lim"]
    assert item.admit(now_ms=NOW_MS, requests=20) == 5
    assert item.apply(change_limit(item.low_level, now_ms=NOW_MS, limit=12))
    del item.numbers["lim"]
    assert item.admit(now_ms=(NOW_S + 61) * 1_000 + 499, requests=20) == 0
    assert item.admit(now_ms=(NOW_S + 61) * 1_000 + 500, requests=20) == 12


def test_a_limit_edited_by_hand_takes_effect_with_the_next_decision() -> None:
    item = Item.of(window.fresh(10))
    decide(item, now_ms=NOW_MS, limit=10, requests=10)
    refused = decide(item, now_ms=NOW_MS + 5, limit=25)
    assert (refused.admitted, refused.requests) == (0, 2)
    assert decide(item, now_ms=NOW_MS + 9, limit=25, requests=99).admitted == 15


def test_a_rewrite_fails_when_a_checkpoint_has_come_gone_or_moved_meanwhile() -> None:
    item = full_item(used=800_007, limit=120, checkpoints=40)
    del item.numbers[checkpoint(NOW_S - 3)]
    parts = maintenance(item.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    for later_s in (-3, 1, 2, 9):
        other = item.copy()
        assert other.admit(now_ms=NOW_MS + later_s * 1_000) == 1
        assert not other.apply(parts)
    for name in (checkpoint(NOW_S - 8), checkpoint(NOW_S - 39)):
        other = item.copy()
        del other.numbers[name]
        assert not other.apply(parts)
    other = item.copy()
    assert other.apply(change_limit(other.low_level, now_ms=NOW_MS, limit=121))
    del other.numbers["lim"]
    assert not other.apply(parts)


def test_upkeep_stays_within_dynamodbs_limits() -> None:
    item = full_item(used=800_007, limit=120, checkpoints=72)
    for parts in (
        maintenance(item.low_level, now_ms=NOW_MS, limit=120),
        change_limit(item.low_level, now_ms=NOW_MS, limit=60),
    ):
        assert parts
        for part in ("UpdateExpression", "ConditionExpression"):
            assert len(parts[part].encode()) <= 4_096
            assert operators(parts[part]) <= 300


def test_the_worst_item_takes_one_write_unit() -> None:
    """With 69 checkpoints it asks for upkeep; three more, while that fails, still fit."""
    worst = full_item(used=899_990, limit=100_000, checkpoints=window.MAX_CHECKPOINTS + 4)
    assert max(worst.numbers.values()) < 1_000_000
    assert item_bytes({**CREDENTIAL, **worst.low_level}) < 1_024


def test_numbers_keep_to_six_digits_however_long_a_key_is_used() -> None:
    limit = 100_000
    item = Item.of(window.fresh(limit))
    for second in range(0, 40 * 63, 3):
        decide(item, now_ms=NOW_MS + second * 1_000, limit=limit, requests=limit // 10)
        assert all(0 <= number < 1_000_000 for number in item.numbers.values())


def every(seconds: float) -> list[float]:
    return [seconds] * 700


def bursts(dense: int, gap: float, few: int) -> list[float]:
    """Each second for a while, a silence that leaves all names behind, a few more; again."""
    return ([1.0] * dense + [gap] + [1.0] * few + [gap]) * 12


def mixed(seed: int) -> list[float]:
    chance = random.Random(seed)
    return [
        chance.choice([0.2, 1, 1, 3, 20, 59, 62, 63, 70, 79, 80, 140, 4_000]) for _ in range(900)
    ]


@pytest.mark.parametrize(
    "waits",
    [
        *map(every, (0.5, 1, 2, 5, 17, 30, 60, 61, 63, 64, 78, 79, 80, 120, 3_600, 86_400)),
        *(
            bursts(dense, gap, few)
            for dense in (20, 64, 65, 66)
            for gap in (70, 100, 200)
            for few in (3, 4)
        ),
        *map(mixed, range(6)),
    ],
)
def test_sparse_traffic_stays_small_for_at_most_one_request_in_twenty_more(
    waits: Iterable[float],
) -> None:
    item = Item({"used": 799_000, "cap": 899_000})
    now_ms, decisions, requests = NOW_MS, 0, 0
    for wait in waits:
        now_ms += round(wait * 1_000)
        decision = decide(item, now_ms=now_ms, limit=100_000)
        assert decision.admitted
        decisions += 1
        requests += decision.requests
        assert item_bytes({**CREDENTIAL, **item.low_level}) < 1_024
    assert requests <= 1.05 * decisions


def test_the_item_stays_small_though_three_upkeeps_in_a_row_are_lost() -> None:
    item = Item({"used": 799_000, "cap": 899_000})
    lost = 0
    for step in range(700):
        now_ms = NOW_MS + step * 120_000
        assert item.admit(now_ms=now_ms)
        assert item_bytes({**CREDENTIAL, **item.low_level}) < 1_024
        parts = maintenance(item.low_level, now_ms=now_ms, limit=100_000)
        if parts:
            lost = (lost + 1) % 4
            if lost == 0:
                assert item.apply(parts)
