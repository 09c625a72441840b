"""The sweep finds what the queue cannot know of, and has it repaired."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.services.usage_plans import sweep as plan_sweep
from chatgrid_auth.services.usage_plans.ports import LiveKey, Progress, RunSummary
from tests.support.plan_world import World

DAY_MS = 86_400_000


@pytest.fixture
def world() -> World:
    """Four keys, in step."""
    world = World()
    for _ in range(4):
        world.issue()
    world.settle()
    world.plane.calls.clear()
    world.store.writes = 0
    return world


def now(world: World, key: LiveKey) -> LiveKey:
    return world.store.keys[key.key_hash]


@pytest.fixture
def wide() -> World:
    """Thirty keys, in step, of which a run of four seconds sees a few."""
    world = World()
    for _ in range(30):
        world.issue()
    world.settle()
    world.store.page = 2
    world.store.before_page = lambda: world.clock.sleep(1.0)
    return world


def the_rest(world: World, first: RunSummary) -> list[RunSummary]:
    """What the runs of a sweep saw, the first of which is over."""
    found = [first]
    while world.store.sweep is not None:
        assert len(found) < 30, "it never comes to an end"
        found.append(world.run(seconds=4))
    assert len(found) > 2, "a sweep of several runs"
    return found


def by_place(world: World) -> list[LiveKey]:
    """The keys in the order in which a sweep meets them."""
    return sorted(world.store.keys.values(), key=lambda key: key.key_hash)


def say_anothers(world: World, key: LiveKey) -> None:
    """Edit the description of a key's API Gateway key, so that it names a user who is no owner."""
    world.gateway_key(key).description = usage_keys.description_of(str(uuid4()))


def test_what_is_in_step_is_left_alone(world: World) -> None:
    summary = world.run(sweep=True)

    assert summary.sweeps == 1
    assert set(world.plane.calls) == {"GetApiKeys", "GetUsagePlanKeys"}
    assert not world.store.queue
    assert (summary.missing, summary.orphaned, summary.disabled, summary.detached) == (0, 0, 0, 0)


def test_without_a_sweep_and_without_work_api_gateway_is_not_asked(world: World) -> None:
    world.run()

    assert not world.plane.calls
    assert not world.store.writes


def test_a_key_deleted_in_the_console_uses_the_tiers_until_replaced(
    world: World,
) -> None:
    victim = world.issued[1]
    del world.plane.keys[world.gateway_key(victim).id]

    summary = world.run(sweep=True)

    assert summary.missing == 1
    assert now(world, victim).usage_key is None
    world.assert_all_usable()
    world.settle()
    world.assert_in_step()


def test_a_key_disabled_in_the_console_uses_the_tiers_until_active(
    world: World,
) -> None:
    victim = world.issued[1]
    world.gateway_key(victim).enabled = False

    summary = world.run(sweep=True)

    assert summary.disabled == 1
    assert now(world, victim).usage_key is None
    world.settle()
    world.assert_in_step()
    assert "CreateApiKey" not in world.plane.calls


def test_a_key_taken_out_of_the_plan_is_put_back(world: World) -> None:
    victim = world.issued[1]
    world.gateway_key(victim).attached_at.clear()

    summary = world.run(sweep=True)

    assert summary.detached == 1
    world.assert_all_usable()
    world.settle()
    world.assert_in_step()


def test_a_key_moved_to_another_plan_is_reported_and_its_holder_served(world: World) -> None:
    victim = world.issued[1]
    world.plane.plans.add("gold")
    world.gateway_key(victim).attached_at = {"gold": world.clock.now()}

    world.run(sweep=True)
    summary = world.run()

    assert summary.failed == 1
    assert summary.faults == ["CreateUsagePlanKey: ConflictException"]
    world.assert_all_usable()


def test_a_credential_that_names_nothing_is_pointed_at_the_key_that_exists(world: World) -> None:
    """As after a restore of the keys table: the API Gateway key is used again, not doubled."""
    victim = now(world, world.issued[1])
    world.store.keys[victim.key_hash] = replace(victim, usage_key=None)

    summary = world.run(sweep=True)
    world.settle()

    assert summary.missing == 1
    assert "CreateApiKey" not in world.plane.calls
    world.assert_in_step()


def test_surplus_keys_of_one_name_go_and_the_one_in_use_stays(world: World) -> None:
    used = world.gateway_key(world.issued[1])
    used.created += 5
    for age in (10, -10):
        surplus = world.plane.put(used.name, f"surplus{age + 100:025d}", used.description)
        surplus.created = used.created + age

    summary = world.run(sweep=True)

    assert summary.orphaned == 2
    assert world.gateway_key(world.issued[1]) is used
    world.assert_in_step()


def test_a_surplus_key_without_our_tag_is_told_and_ends_no_sweep(world: World) -> None:
    """The reconciler has no right to touch it: somebody made it by hand."""
    used = world.gateway_key(world.issued[1])
    stranger = world.plane.put(used.name, "s" * 32, used.description, stack=None)

    summary = world.run(sweep=True)

    assert (summary.sweeps, summary.failed) == (1, 1)
    assert summary.faults == ["UpdateApiKey: AccessDeniedException"]
    assert stranger.id in world.plane.keys


def test_an_api_gateway_key_whose_chatgrid_key_is_gone_is_removed(world: World) -> None:
    gone = world.issued[1]
    del world.store.keys[gone.key_hash]  # by no revocation that we saw

    summary = world.run(sweep=True)

    assert summary.orphaned == 1
    world.settle()
    world.assert_in_step()


def test_keys_of_others_are_never_touched(world: World) -> None:
    """Other stacks share the account, and a stack's name may start with ours."""
    owner = usage_keys.description_of(str(uuid4()))
    others = [
        world.plane.put(f"chatgrid-dev-{uuid4()}", "a" * 32, owner),
        world.plane.put(f"{uuid4()}", "b" * 32, owner),
        world.plane.put("chatgrid", "c" * 32, owner),
        world.plane.put(f"chatgrid-{uuid4()}-x", "d" * 32, owner),
    ]

    summary = world.run(sweep=True)
    world.settle()

    assert summary.orphaned == 0
    assert all(other.id in world.plane.keys for other in others)


def test_our_key_with_an_unreadable_owner_is_reported_and_kept(world: World) -> None:
    stranger = world.plane.put(f"chatgrid-{uuid4()}", "a" * 32, "edited by hand")

    summary = world.run(sweep=True)
    world.settle()

    assert summary.unidentified == 1
    assert stranger.id in world.plane.keys


def test_a_description_edited_to_name_another_user_takes_nothing_from_the_holder(
    world: World,
) -> None:
    gateway_key = world.gateway_key(world.issued[1])
    gateway_key.description = usage_keys.description_of(str(uuid4()))

    summary = world.run(sweep=True)
    world.settle()

    assert (summary.unidentified, summary.orphaned) == (1, 0)
    world.assert_in_step()


@pytest.mark.parametrize("place", [0, 15, 29])
def test_an_edited_description_costs_the_holder_nothing_over_many_runs(
    wide: World, place: int
) -> None:
    say_anothers(wide, by_place(wide)[place])

    found = the_rest(wide, wide.run(sweep=True, seconds=4))
    wide.settle()

    assert [sum(summary.unidentified for summary in found), sum(t.orphaned for t in found)] == [
        1,
        0,
    ]
    wide.assert_in_step()


@pytest.mark.parametrize("place", [0, 29])
def test_a_description_edited_during_a_sweep_costs_the_holder_nothing(
    wide: World, place: int
) -> None:
    first = wide.run(sweep=True, seconds=4)
    say_anothers(wide, by_place(wide)[place])

    found = the_rest(wide, first)
    wide.settle()

    assert sum(summary.orphaned for summary in found) == 0
    wide.assert_in_step()


def test_an_edited_description_cuts_an_expired_key_off_no_sooner_than_others() -> None:
    world = World()
    key = world.issue(expires_at_ms=world.clock.now_ms() + 3_600_000)
    world.settle()
    say_anothers(world, key)

    world.clock.seconds += 3600 + 80_000
    assert world.run(sweep=True).orphaned == 0
    world.clock.seconds += 10_000
    assert world.run(sweep=True).orphaned == 1
    world.settle()
    assert world.gateway_keys() == []


def test_what_serves_nobody_is_removed_however_many_runs_a_sweep_takes(wide: World) -> None:
    for gone in by_place(wide)[::14]:
        del wide.store.keys[gone.key_hash]

    found = the_rest(wide, wide.run(sweep=True, seconds=4))
    wide.settle()

    assert sum(summary.orphaned for summary in found) == 3
    wide.assert_in_step()


def test_a_key_revoked_while_a_sweep_is_under_way_is_no_finding(wide: World) -> None:
    first = wide.run(sweep=True, seconds=4)
    for gone in by_place(wide)[::14]:
        wide.store.revoke(gone)

    found = the_rest(wide, first)
    wide.settle()

    assert [sum(summary.orphaned for summary in found), sum(t.unidentified for t in found)] == [
        0,
        0,
    ]
    wide.assert_in_step()


def test_idle_keys_too_many_for_one_sweep_go_in_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_sweep, "MOST_SUSPECTS", 2)
    for gone in world.issued[:3]:
        del world.store.keys[gone.key_hash]

    orphaned = []
    for _ in range(3):
        orphaned.append(world.run(sweep=True).orphaned)
        world.settle()

    assert orphaned == [2, 1, 0]
    world.assert_in_step()


def test_a_table_that_knows_next_to_no_key_is_not_believed() -> None:
    """A reconciler that reads the wrong table must not cut every key off its API Gateway key."""
    world = World()
    for _ in range(50):
        world.issue()
    world.settle()
    world.store.keys.clear()

    summary = world.run(sweep=True)
    world.settle()

    assert (summary.held, summary.orphaned) == (50, 0)
    assert len(world.gateway_keys()) == 50


def test_an_expired_key_gives_its_place_back_a_day_later() -> None:
    world = World()
    key = world.issue(expires_at_ms=world.clock.now_ms() + 3_600_000)
    world.issue()
    world.settle()

    world.clock.seconds += 3600 + 80_000
    assert world.run(sweep=True).orphaned == 0
    world.clock.seconds += 10_000
    assert world.run(sweep=True).orphaned == 1
    world.settle()

    assert now(world, key).usage_key is None
    assert key.key_id not in world.gateway_keys()
    assert world.run(sweep=True).missing == 0, "it is not made again"


def test_at_the_ceiling_keys_keep_the_tiers_key_without_vain_calls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(usage_keys, "KEY_CEILING", 6)
    world = World(ceiling=6)  # one of them is the tier's
    for _ in range(8):
        world.issue()

    total = world.settle()
    assert total.ceiling == 3
    assert total.failed == 0
    assert world.plane.calls.count("CreateApiKey") == 6, "asked once, then known"

    world.plane.calls.clear()
    for _ in range(3):
        summary = world.run(sweep=True)
        assert (summary.ceiling, summary.missing, summary.failed) == (3, 0, 0)
    assert "CreateApiKey" not in world.plane.calls


def test_room_below_the_ceiling_is_used_by_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_keys, "KEY_CEILING", 6)
    world = World(ceiling=6)
    for _ in range(8):
        world.issue()
    world.settle()
    holder = next(key for key in world.issued if now(world, key).usage_key is not None)
    world.store.revoke(now(world, holder))
    world.settle()

    summary = world.run(sweep=True)
    world.settle()

    assert (summary.missing, summary.ceiling) == (1, 2)
    assert len(world.gateway_keys()) == 5


def test_a_lower_ceiling_than_documented_ends_in_no_error_loop() -> None:
    world = World(ceiling=6)
    for _ in range(8):
        world.issue()
    world.settle()
    world.plane.calls.clear()

    world.run(sweep=True)
    total = world.settle()

    assert total.failed == 0
    assert total.ceiling == 3
    assert world.plane.calls.count("CreateApiKey") == 1


def test_a_rehearsal_reports_everything_and_changes_nothing(world: World) -> None:
    deleted, disabled, gone = world.issued[:3]
    del world.plane.keys[world.gateway_key(deleted).id]
    world.gateway_key(disabled).enabled = False
    del world.store.keys[gone.key_hash]
    world.store.revoke(world.issue())
    world.issue()
    before = dict(world.plane.keys)
    world.store.writes = 0

    summary = world.run(sweep=True, dry_run=True)

    assert (summary.missing, summary.disabled, summary.orphaned) == (1, 1, 1)
    assert (summary.created, summary.retired) == (1, 1)
    assert world.store.writes == 0
    assert world.plane.keys == before
    assert set(world.plane.calls) == {"GetApiKeys", "GetUsagePlanKeys"}


def test_keys_that_are_being_seen_to_are_no_findings(world: World) -> None:
    world.store.revoke(now(world, world.issued[0]))
    world.issue()

    summary = world.run(sweep=True, dry_run=True)

    assert (summary.created, summary.retired) == (1, 1)
    assert (summary.missing, summary.orphaned) == (0, 0)


def test_a_sweep_goes_on_where_the_time_ran_out(wide: World) -> None:
    for key in wide.issued:
        del wide.plane.keys[wide.gateway_key(key).id]

    found = the_rest(wide, wide.run(sweep=True, seconds=4))
    wide.settle()

    assert sum(summary.missing for summary in found) == 30
    wide.assert_in_step()


def test_a_second_request_for_a_sweep_does_not_start_it_over(world: World) -> None:
    world.run(sweep=True, seconds=0.05)
    assert world.store.sweep is not None
    begun = Progress(cursor=max(world.store.keys))
    world.store.sweep = begun

    summary = world.run(sweep=True, seconds=0.05)

    assert world.store.sweep is begun
    assert summary.sweeps == 0


def test_more_keys_than_one_page_are_all_seen() -> None:
    world = World()
    for number in range(600):
        world.plane.put(f"other-{number}", f"{number:032d}")
    for _ in range(550):
        world.issue()
    world.settle()
    lost = world.issued[::50]
    for key in lost:
        del world.plane.keys[world.gateway_key(key).id]

    summary = world.run(sweep=True)
    world.settle()

    assert summary.missing == len(lost)
    world.assert_in_step()


def test_a_sweep_that_cannot_read_the_account_is_counted_and_tried_again(world: World) -> None:
    del world.plane.keys[world.gateway_key(world.issued[0]).id]
    world.plane.failures["GetUsagePlanKeys"] = ["ServiceUnavailableException"]

    summary = world.run(sweep=True)

    assert summary.faults == ["GetUsagePlanKeys: ServiceUnavailableException"]
    assert (summary.failed, summary.sweeps) == (1, 0)
    assert world.run().missing == 1, "without being asked for again"
    world.settle()
    world.assert_in_step()


def test_keys_are_looked_after_while_the_control_plane_is_out(world: World) -> None:
    for _ in range(3):
        world.issue()
    world.settle()
    world.plane.failures["GetApiKeys"] = ["ServiceUnavailableException"] * 50
    summary = world.run(sweep=True)
    assert summary.sweeps == 0
    assert summary.failed
    assert world.store.looked_after == len(world.store.keys)


def test_a_dry_run_looks_after_no_key(world: World) -> None:
    world.issue()
    world.run(sweep=True, dry_run=True)
    assert world.store.looked_after == 0
