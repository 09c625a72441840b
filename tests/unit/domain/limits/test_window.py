"""The window's expressions and figures, case by case."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.domain.limits import window
from tests.support.memory.window_model import Item, tokens

NOW_MS = 1_795_000_000_250
NOW_S = NOW_MS // 1_000
OPERATORS = {"AND", "OR", "NOT", "<", "<=", ">", ">=", "=", "+", "-"}


def operators(expression: str) -> int:
    """Operators and functions as DynamoDB's limit of 300 for each expression counts them."""
    return sum(token in OPERATORS or "_exists" in token for token in tokens(expression))


def checkpoint(second: int) -> str:
    """The checkpoint that a request admitted in this second writes."""
    return window.checkpoint_names(window.MINUTE.written(second * 1_000), 1)[0]


def read(numbers: dict[str, int], *, limit: int, now_ms: int = NOW_MS) -> window.WindowState:
    return window.read(Item(numbers).low_level, now_ms=now_ms, limit=limit)


def test_expressions_leave_room_within_dynamodbs_limits() -> None:
    plan = window.MINUTE.admission(NOW_MS)
    assert operators(plan.condition) <= 258
    assert len(plan.condition.encode()) <= 3_100
    assert operators(plan.assignments) <= 10
    assert len(plan.assignments.encode()) + len(plan.removals.encode()) <= 400


def test_expressions_name_no_placeholders_but_count_and_cost() -> None:
    plan = window.MINUTE.admission(NOW_MS)
    text = f"{plan.condition} {plan.assignments} {plan.removals}"
    assert {token for token in tokens(text.replace(", ", " ")) if token[0] in ":#"} == {"#u", ":c"}


@pytest.mark.parametrize("turn_ms", [NOW_S * 1_000, NOW_S * 1_000 + 500])
def test_expressions_are_made_once_for_each_half_second(turn_ms: int) -> None:
    plan = window.MINUTE.admission(turn_ms)
    assert (plan.from_ms, plan.until_ms) == (turn_ms, turn_ms + 500)
    assert window.MINUTE.admission(turn_ms + 499) is plan
    after = window.MINUTE.admission(turn_ms + 500)
    assert after is not plan
    assert window.MINUTE.admission(turn_ms - 1).assignments != after.assignments


@pytest.mark.parametrize("second", [0, NOW_S, 1_767_225_600, 1_767_225_599, 2_683_358_431])
def test_names_run_on_over_every_carry_and_read_back(second: int) -> None:
    names = window.checkpoint_names(second, 200)
    assert len(set(names)) == 200
    for position, name in enumerate(names):
        assert len(name) == window.NAME_LENGTH
        assert name[0].isalpha()
        assert name.isalnum()
        assert not set("aeiouAEIOU") & set(name), "it might be a reserved word"
        assert (window.checkpoint_of(name) - second - position) % window.RING == 0


def test_names_last_nine_years_before_one_comes_round_again() -> None:
    assert window.RING * window.MINUTE.bucket_ms > 9 * 366 * 86_400_000


def test_a_fresh_window_has_the_whole_limit_now() -> None:
    reading = window.read(window.fresh(120), now_ms=NOW_MS, limit=120)
    assert (reading.limit, reading.remaining) == (120, 120)
    assert reading.reset_s == NOW_S + 1
    assert reading.retry_at_ms is None
    assert reading.blocked_until_ms is None
    assert not reading.upkeep


def test_an_item_created_with_its_first_request_equals_one_that_admitted_it() -> None:
    item = Item.of(window.fresh(200))
    assert item.admit(now_ms=NOW_MS) == 1
    assert window.first_admission(now_ms=NOW_MS, limit=200) == item.low_level


def test_the_limit_th_request_is_the_last_admitted() -> None:
    """And the next is told when to come back."""
    item = Item.of(window.fresh(3))
    assert item.admit(now_ms=NOW_MS, requests=5) == 3
    reading = read(item.numbers, limit=3)
    assert reading.remaining == 0
    assert reading.blocked_until_ms == (NOW_S + 62) * 1_000 - 500
    assert reading.retry_at_ms == (NOW_S + 62) * 1_000
    assert reading.reset_s == NOW_S + 62
    assert window.blocked(item.low_level, now_ms=NOW_MS)


def test_remaining_counts_what_the_oldest_window_leaves() -> None:
    item = Item.of(window.fresh(10))
    assert item.admit(now_ms=NOW_MS, requests=4) == 4
    assert item.admit(now_ms=NOW_MS + 30_000, requests=3) == 3
    assert read(item.numbers, limit=10, now_ms=NOW_MS + 30_000).remaining == 3
    free_ms = (NOW_S + 62) * 1_000
    assert item.copy().admit(now_ms=free_ms - 500, requests=9) == 7
    # Half a second later than this clock needs, since a slower one may decide.
    assert read(item.numbers, limit=10, now_ms=free_ms - 1).remaining == 3
    assert read(item.numbers, limit=10, now_ms=free_ms).remaining == 7


@pytest.mark.parametrize("limit", [7, 10])
def test_more_is_there_at_the_moment_that_is_told_and_no_sooner(limit: int) -> None:
    item = Item.of(window.fresh(limit))
    item.admit(now_ms=NOW_MS, requests=4)
    item.admit(now_ms=NOW_MS + 30_000, requests=3)
    now = read(item.numbers, limit=limit, now_ms=NOW_MS + 30_000)
    assert now.more_s == NOW_S + 62 < now.reset_s
    before = read(item.numbers, limit=limit, now_ms=now.more_s * 1_000 - 1)
    then = read(item.numbers, limit=limit, now_ms=now.more_s * 1_000)
    assert before.remaining == now.remaining < then.remaining
    assert now.retry_at_ms in {None, now.more_s * 1_000}


def test_a_window_of_which_nothing_is_used_has_no_wait() -> None:
    assert read(dict(Item.of(window.fresh(7)).numbers), limit=7).more_s == 0


def test_one_budget_for_a_clock_ahead_and_one_behind() -> None:
    """The slow clock finds the budget used by the fast one, though that wrote a later bucket."""
    item = Item.of(window.fresh(5))
    assert item.admit(now_ms=NOW_MS + window.MAX_SKEW_MS, requests=9) == 5
    assert item.admit(now_ms=NOW_MS, requests=9) == 0


def test_a_late_request_finds_the_budget_used() -> None:
    """Two seconds on its way, from a container whose clock is half a second behind."""
    item = Item.of(window.fresh(5))
    assert item.admit(now_ms=NOW_MS + 2_500, requests=9) == 5
    assert item.admit(now_ms=NOW_MS, requests=9) == 0


def test_a_slow_then_a_fast_clock_do_not_shorten_the_window() -> None:
    """Admitted at real 0 by a clock that shows 0, asked again at real 59.999 by one that shows
    60.499: still within 60 s."""
    item = Item.of(window.fresh(1))
    start_ms = 1_795_000_000_000
    assert item.admit(now_ms=start_ms) == 1
    assert item.admit(now_ms=start_ms + 59_999 + window.MAX_SKEW_MS) == 0
    assert item.admit(now_ms=start_ms + 61_500) == 1


def test_a_fast_clock_removes_no_ceiling_a_late_request_needs() -> None:
    """Two arrive at real 0.999. One arrives at 62.5, under a clock that may be 1.5 s ahead, and
    cleans up. Then one is judged that arrived at 60.5, and was 2 s on its way: the third."""
    start_ms = 1_795_000_000_000
    item = Item.of(window.fresh(2))
    assert item.admit(now_ms=start_ms + 999, requests=3) == 2
    assert item.admit(now_ms=start_ms + 62_500 + window.MAX_AHEAD_MS) == 1
    assert item.admit(now_ms=start_ms + 60_500) == 0


def test_checkpoints_left_from_long_ago_neither_refuse_nor_count() -> None:
    numbers = {"used": 500, "cap": 510}
    numbers |= {checkpoint(NOW_S - age): 1 for age in (100, 3_600, 90 * 86_400, 900 * 86_400)}
    item = Item(numbers)
    reading = read(item.numbers, limit=10)
    assert (reading.remaining, reading.retry_at_ms) == (10, None)
    assert item.admit(now_ms=NOW_MS, requests=20) == 10


def test_a_write_removes_what_has_just_gone_stale() -> None:
    ages = range(60, 90)
    item = Item({"used": 9, "cap": 19} | {checkpoint(NOW_S - age): 99 - age for age in ages})
    assert item.admit(now_ms=NOW_MS) == 1
    left = {age for age in ages if checkpoint(NOW_S - age) in item.numbers}
    assert left == {60, 61, 62, 63, 64, *range(65 + window.SWEEP, 90)}


def test_a_buckets_first_request_sets_its_ceiling() -> None:
    """No other request moves it."""
    item = Item.of(window.fresh(10))
    assert item.admit(now_ms=NOW_MS) == 1
    assert item.admit(now_ms=NOW_MS + 100) == 1
    assert item.numbers == {"used": 2, "cap": 12, checkpoint(NOW_S): 10}


@pytest.mark.parametrize(
    ("retry_at_ms", "seconds"), [(10_000, 1), (10_001, 1), (11_000, 1), (11_001, 2), (9_000, 1)]
)
def test_retry_after_is_rounded_up_to_whole_seconds_and_at_least_one(
    retry_at_ms: int, seconds: int
) -> None:
    assert window.retry_after_s(retry_at_ms, now_ms=10_000) == seconds


@pytest.mark.parametrize(
    ("numbers", "limit", "upkeep"),
    [
        ({"used": 5, "cap": 15}, 10, False),
        ({"used": 5, "cap": 15}, 11, True),
        ({"used": 5, "cap": 15}, 9, True),
        ({"used": window.REBASE_AT, "cap": window.REBASE_AT + 10}, 10, True),
        ({"used": 5, "cap": 15} | {checkpoint(n): 9 for n in range(68)}, 10, False),
        ({"used": 5, "cap": 15} | {checkpoint(n): 9 for n in range(69)}, 10, True),
    ],
)
def test_an_item_asks_for_upkeep_when_it_needs_it(
    numbers: dict[str, int], limit: int, upkeep: bool
) -> None:
    assert read(numbers, limit=limit).upkeep is upkeep


def test_the_client_gives_up_within_the_time_that_a_write_may_take() -> None:
    assert RetryPolicy().budget * 1_000 <= window.MAX_FLIGHT_MS
