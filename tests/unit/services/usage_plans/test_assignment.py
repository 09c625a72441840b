"""API Gateway keys follow ChatGrid keys, whatever the control plane does, wherever a run ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest

from chatgrid_auth.domain.usage_keys import VALUE_LENGTH
from chatgrid_auth.services.usage_plans.ports import LiveKey
from tests.support.control_plane import Cut
from tests.support.plan_world import SHARED, World


@pytest.fixture
def world() -> World:
    return World()


def now(world: World, key: LiveKey) -> LiveKey:
    return world.store.keys[key.key_hash]


def test_an_issued_key_names_its_own_gateway_key_once_active(
    world: World,
) -> None:
    world.issue()

    world.run()
    (key,) = world.store.keys.values()
    assert key.usage_key is None, "not before the activation delay"
    world.settle()

    world.assert_in_step()


def test_the_value_is_random_and_has_nothing_of_the_key(world: World) -> None:
    keys = [world.issue() for _ in range(3)]
    world.settle()

    values = {key.value for key in world.plane.keys.values() if key.value != SHARED}
    assert len(values) == 3
    for value in values:
        assert len(value) == VALUE_LENGTH
        assert set(value) <= set("0123456789abcdefghijklmnopqrstuvwxyz")
    shown = " ".join(f"{key.name} {key.description}" for key in world.plane.keys.values())
    assert not any(key.key_hash in shown for key in keys)


def test_a_thousand_keys_while_the_control_plane_refuses_half_of_all_calls() -> None:
    world = World(refusals=0.5)
    for _ in range(1000):
        world.issue()
    world.assert_all_usable()

    total = world.settle()

    world.assert_in_step()
    assert len(world.gateway_keys()) == 1000
    assert total.created == total.activated == 1000
    assert total.throttled > 2000


def test_the_accounts_limits_are_never_run_into(world: World) -> None:
    for _ in range(300):
        world.issue()
    revoked = [world.issue() for _ in range(60)]
    world.settle()
    for key in revoked:
        world.store.revoke(key)
    world.run(sweep=True)
    world.settle()

    world.assert_in_step()
    assert world.plane.throttled_by_limits == 0


@pytest.mark.parametrize("sweep", [False, True])
def test_a_run_makes_four_calls_a_second_at_most_of_all_kinds(world: World, sweep: bool) -> None:
    """The account's 10 a second are CloudFormation's and everybody's too."""
    for _ in range(60):
        world.issue()
    for key in [world.issue() for _ in range(30)]:
        world.store.revoke(key)
    moments: list[float] = []
    world.plane.before_call = lambda: moments.append(world.clock.now())

    world.run(sweep=sweep)

    assert len(moments) > 100
    # Four calls and the one that begins a second later.
    assert all(later - earlier >= 0.999 for earlier, later in zip(moments, moments[4:]))  # noqa: B905


def test_a_slower_pace_is_kept(world: World) -> None:
    for _ in range(100):
        world.issue()

    world.run(calls_per_second=1.0)

    assert len(world.plane.calls) in range(41, 44)


def test_one_run_at_a_time_works(world: World) -> None:
    """API Gateway takes one change of its plans at a time, and the pace is for the account."""
    for _ in range(9):
        world.issue()
    calls: list[int] = []

    def meanwhile() -> None:
        world.plane.before_call = lambda: None
        before = len(world.plane.calls)
        assert world.run(sweep=True, seconds=5).skipped == 1
        calls.append(len(world.plane.calls) - before)

    world.plane.before_call = meanwhile
    world.run(seconds=110)

    assert calls == [0]
    world.settle()
    world.assert_in_step()


def test_a_cut_off_run_blocks_others_only_for_its_longest_time(
    world: World,
) -> None:
    world.issue()
    now_ms = world.clock.now_ms()
    assert world.store.take(now_ms=now_ms, until_ms=now_ms + 50_000)

    assert [world.run().skipped for _ in range(2)] == [1, 0]


def test_a_run_without_work_writes_nothing(world: World) -> None:
    """One comes every minute: not even the lease is worth a write then."""
    world.run()

    assert world.store.writes == 0


# What API Gateway calls a conflict


def test_a_key_meeting_another_in_the_plan_joins_after_it(world: World) -> None:
    """API Gateway puts one key at a time into a plan, for the whole account."""
    key = world.issue()
    world.plane.failures["CreateUsagePlanKey"] = ["ConflictException"] * 5

    summary = world.run()

    assert (summary.failed, summary.throttled) == (0, 5)
    assert "standard" in world.gateway_key(key).attached_at
    world.settle()
    world.assert_in_step()


def test_a_key_that_is_in_the_plan_already_is_done(world: World) -> None:
    key = world.issue()
    world.run()
    world.store.queue[key.key_id] = replace(world.store.queue[key.key_id], ready_at_ms=None)

    summary = world.run()

    assert (summary.failed, summary.throttled) == (0, 0)
    world.settle()
    world.assert_in_step()


def test_a_creation_that_meets_another_change_is_repeated_and_makes_one_key(world: World) -> None:
    world.issue()
    world.plane.failures["CreateApiKey"] = ["ConflictException"] * 2

    summary = world.run()

    assert (summary.created, summary.failed, summary.throttled) == (1, 0, 2)
    world.settle()
    world.assert_in_step()


def test_a_value_held_by_another_key_is_told_without_delaying_others(
    world: World,
) -> None:
    first, second = world.issue(), world.issue()
    value = world.store.reserve(world.store.queue[first.key_id], value="v" * 32)
    world.plane.put("renamed by hand", value)

    summary = world.run()

    assert (summary.failed, summary.created) == (1, 1)
    assert summary.faults == ["CreateApiKey: ConflictException"]
    assert world.gateway_keys() == [second.key_id]


@pytest.mark.parametrize("operation", ["UpdateApiKey", "DeleteApiKey"])
def test_a_removal_that_meets_another_change_is_repeated(world: World, operation: str) -> None:
    key = world.issue()
    world.settle()
    world.store.revoke(key)
    world.plane.failures[operation] = ["ConflictException"] * 3

    summary = world.run()

    assert (summary.retired, summary.failed, summary.throttled) == (1, 0, 3)
    assert world.gateway_keys() == []


# Everybody's turn


def test_one_key_is_served_at_once_however_many_others_make_and_revoke() -> None:
    """Ten users with a thousand pieces of work each, half of them removals."""
    world = World()
    churners = [str(uuid4()) for _ in range(10)]
    for number in range(10_000):
        key = world.issue(owner=churners[number % 10])
        if number % 20 >= 10:
            world.store.revoke(key)
    single = world.issue(owner=str(uuid4()))

    world.run()

    assert world.gateway_keys().count(single.key_id) == 1
    for _ in range(6):
        world.run()
    assert now(world, single).usage_key is not None


def test_keys_that_wait_for_their_activation_hide_none_of_their_owners_work() -> None:
    world = World()
    owner = str(uuid4())
    for _ in range(700):
        world.issue(owner=owner)

    made = [world.run(calls_per_second=5.0).created for _ in range(9)]

    assert min(made) >= 60


# The ceiling of the stack


def test_the_plan_holds_no_more_keys_than_the_stack_may_have(world: World) -> None:
    """The account's 10,000 are other stacks' too."""
    world.tier = replace(world.tier, most_keys=4)  # the tier's own among them
    first = [world.issue() for _ in range(6)]

    total = world.settle()

    assert (total.created, total.ceiling, len(world.gateway_keys())) == (3, 3, 3)
    world.assert_all_usable()
    for key in first[:3]:
        world.store.revoke(key)
    world.settle()
    assert world.run(sweep=True).missing == 3
    world.settle()
    world.assert_in_step()


def test_the_plan_is_counted_once_per_run_with_work_only(
    world: World,
) -> None:
    keys = [world.issue() for _ in range(5)]
    world.run()
    assert world.plane.calls.count("GetUsagePlanKeys") == 1
    world.settle()
    world.plane.calls.clear()
    for key in keys:
        world.store.revoke(key)
    world.run()
    assert "GetUsagePlanKeys" not in world.plane.calls


# Without gateway keys of their own


def test_where_keys_have_none_of_their_own_no_gateway_key_is_made(world: World) -> None:
    world.tier = replace(world.tier, own_keys=False)
    world.issue()

    world.settle()

    assert "CreateApiKey" not in world.plane.calls
    assert not world.store.queue


def test_gateway_keys_go_when_keys_are_to_have_none_of_their_own(world: World) -> None:
    keys = [world.issue() for _ in range(5)]
    world.settle()
    world.tier = replace(world.tier, own_keys=False)

    world.run(sweep=True)
    assert all(now(world, key).usage_key is None for key in keys)
    world.settle()

    assert world.gateway_keys() == []
    world.assert_all_usable()


def test_a_revoked_key_loses_its_api_gateway_key(world: World) -> None:
    keep, revoked = world.issue(), world.issue()
    world.settle()

    world.store.revoke(revoked)
    summary = world.run()

    assert summary.retired == 1
    assert world.plane.calls[-2:] == ["UpdateApiKey", "DeleteApiKey"], "disabled, then deleted"
    assert world.gateway_keys() == [keep.key_id]
    world.assert_in_step()


def test_a_key_revoked_before_provisioning_never_gets_a_gateway_key(world: World) -> None:
    world.store.revoke(world.issue())

    world.settle()

    assert "CreateApiKey" not in world.plane.calls
    assert not world.store.queue


def test_a_key_revoked_during_the_activation_delay_leaves_nothing(world: World) -> None:
    key = world.issue()
    world.run()
    world.store.revoke(key)

    world.settle()

    world.assert_in_step()
    assert not world.gateway_keys()


def _moments(calls: int) -> Iterator[tuple[int, bool]]:
    for at in range(1, calls + 1):
        yield at, False
        yield at, True


def test_a_key_revoked_at_any_moment_of_provisioning_leaves_nothing() -> None:
    for at, after in _moments(12):
        world = World()
        key = world.issue()
        world.arm(at, after=after, then=lambda: world.store.revoke(key))  # noqa: B023

        world.run()
        world.disarm()
        if world.store.keys:
            world.store.revoke(key)
        world.run(sweep=True)
        world.settle()

        assert not world.gateway_keys()


MANNERS = pytest.mark.parametrize(
    "manners",
    [{}, {"refusals": 0.5}, {"listing_lag_seconds": 150.0}],
    ids=["well", "throttling", "lists lag behind"],
)


@MANNERS
def test_a_run_cut_off_at_any_call_loses_nothing_and_doubles_nothing(
    manners: dict[str, float],
) -> None:
    cuts = 0
    for at, after in _moments(60):
        world = World(**manners)
        deleted, revoked, _ = world.issue(), world.issue(), world.issue()
        world.settle()
        world.store.revoke(revoked)
        world.issue()
        del world.plane.keys[world.gateway_key(deleted).id]
        world.arm(at, after=after)

        try:
            for _ in range(8):
                world.run(sweep=True)
        except Cut:
            cuts += 1
        world.disarm()
        world.run(sweep=True)
        world.settle()

        world.assert_in_step()
    assert cuts > 80


@MANNERS
def test_two_runs_at_once_double_nothing(manners: dict[str, float]) -> None:
    for at, after in _moments(40):
        world = World(**manners)
        revoked = world.issue()
        world.settle()
        world.store.revoke(revoked)
        world.issue()
        world.issue()

        def other() -> None:
            world.disarm()  # noqa: B023 - called within this turn of the loop
            world.run(sweep=True, seconds=10, alone=False)  # noqa: B023

        world.arm(at, after=after, then=other)
        for _ in range(7):
            world.run(sweep=True, seconds=110, alone=False)
        world.disarm()
        world.settle()

        world.assert_in_step()


def test_an_outage_of_the_control_plane_ends_the_run_without_loss(
    world: World,
) -> None:
    for _ in range(50):
        world.issue()
    world.plane.failures["GetApiKeys"] = ["ServiceUnavailableException"] * 50

    summary = world.run()

    assert summary.failed == 5
    assert world.plane.calls.count("GetApiKeys") == 5
    world.assert_all_usable()
    world.plane.failures.clear()
    world.settle()
    world.assert_in_step()


def test_activations_go_on_while_the_control_plane_is_out(world: World) -> None:
    late = [world.store.queue.pop(world.issue().key_id) for _ in range(9)]
    world.issue()
    for _ in range(6):
        world.run()
    world.store.queue.update({work.key_id: work for work in late})
    world.plane.failures["GetApiKeys"] = ["ServiceUnavailableException"] * 50

    assert world.run().activated == 1


def test_work_that_is_refused_for_good_does_not_hold_up_the_rest(world: World) -> None:
    world.plane.failures["CreateApiKey"] = ["BadRequestException"] * 8
    for _ in range(20):
        world.issue()

    summary = world.run()

    assert (summary.failed, summary.created) == (8, 12)
    world.settle()
    world.assert_in_step()


def test_faults_that_come_now_and_then_do_not_end_the_run(world: World) -> None:
    for _ in range(14):
        world.issue()
    world.plane.failures["GetApiKeys"] = ["", "ServiceUnavailableException"] * 7

    summary = world.run()

    assert (summary.failed, summary.created) == (7, 7)


def test_a_full_account_drops_retired_keys_before_making_new_ones() -> None:
    world = World(ceiling=3)
    late = world.store.queue.pop(world.issue().key_id)  # the older key, which waits longer
    first = [world.issue() for _ in range(2)]
    world.settle()
    world.store.queue[late.key_id] = late
    world.store.revoke(first[0])

    total = world.settle()

    assert total.ceiling == 0
    world.assert_in_step()


def test_a_credential_taken_away_by_hand_takes_its_api_gateway_key_along(world: World) -> None:
    key = world.issue()
    world.run()
    del world.store.keys[key.key_hash]

    world.settle()

    assert not world.gateway_keys()
    assert not world.store.queue


def test_a_retirement_that_was_cut_off_goes_on_where_it_stopped(world: World) -> None:
    key = world.issue()
    world.settle()
    world.store.revoke(key)
    world.gateway_key(key).enabled = False
    world.plane.calls.clear()

    world.run()

    assert world.plane.calls == ["GetApiKeys", "DeleteApiKey"]
