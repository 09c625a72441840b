"""API Gateway keys follow ChatGrid keys, whatever the control plane does, wherever a run ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.control_plane import Cut
from tests.support.plan_world import SHARED, World


@pytest.fixture
def world() -> World:
    return World()


def test_an_issued_key_gets_an_api_gateway_key_of_its_own_and_names_it_once_active(
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
        assert len(value) == 32
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


def test_a_slower_rate_for_creations_is_kept(world: World) -> None:
    for _ in range(100):
        world.issue()

    world.run(create_rate=1.0)

    assert world.plane.calls.count("CreateApiKey") in range(48, 52)


def test_a_revoked_key_loses_its_api_gateway_key(world: World) -> None:
    keep, revoked = world.issue(), world.issue()
    world.settle()

    world.store.revoke(revoked)
    summary = world.run()

    assert summary.retired == 1
    assert world.plane.calls[-2:] == ["UpdateApiKey", "DeleteApiKey"], "disabled, then deleted"
    assert world.gateway_keys() == [keep.key_id]
    world.assert_in_step()


def test_a_key_revoked_before_its_api_gateway_key_was_made_never_gets_one(world: World) -> None:
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


def test_a_key_revoked_at_any_moment_of_the_run_that_provisions_it_leaves_nothing() -> None:
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
            world.run(sweep=True, seconds=10)  # noqa: B023

        world.arm(at, after=after, then=other)
        for _ in range(7):
            world.run(sweep=True, seconds=110)
        world.disarm()
        world.settle()

        world.assert_in_step()


def test_a_control_plane_that_is_out_is_left_alone_for_the_run_and_costs_nobody_anything(
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


def test_a_full_account_is_cleared_of_retired_keys_before_new_ones_are_made() -> None:
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
