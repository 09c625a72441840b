"""Usage-plan keys are found where they are made: in the template and in the control plane."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from chatgrid_devkit.gateway.key_source import (
    ControlPlaneKeys,
    FirstOf,
    TemplateKeys,
    control_plane_reader,
)
from chatgrid_devkit.template.description import UsageKey
from tests.support.gateway_world import TIER_KEY, fixture_deployment


class Plane:
    """A control plane in memory, in the shape of a boto3 client; gives one item a page."""

    def __init__(self) -> None:
        stage = {"apiId": "there", "stage": "v1"}
        self.plans: list[dict[str, Any]] = [
            {
                "id": "plan",
                "name": "standard",
                "apiStages": [stage],
                "throttle": {"rateLimit": 5.0, "burstLimit": 7},
                "quota": {"limit": 9, "period": "DAY"},
            },
            {"id": "other", "apiStages": [{"apiId": "there", "stage": "v2"}]},
            {"id": "bare", "name": "bare"},
        ]
        self.keys = [
            {"id": "1", "name": "one", "value": "value-1", "enabled": True},
            {"id": "2", "name": "two", "value": "value-2", "enabled": False},
            {"id": "3", "name": "three", "value": "value-3", "enabled": True},
            {"id": "4", "name": "four", "value": "value-4", "enabled": True},
        ]
        self.members = {"plan": ["1", "2"], "other": ["3"], "bare": ["4"]}

    def get_paginator(self, operation: str) -> Plane:
        self._operation = operation
        return self

    def paginate(
        self,
        *,
        PaginationConfig: Mapping[str, int],  # noqa: N803  # boto3's own name
        **arguments: Any,
    ) -> Iterator[dict[str, Any]]:
        match self._operation:
            case "get_usage_plans":
                items = self.plans
            case "get_usage_plan_keys":
                items = [{"id": name} for name in self.members[arguments["usagePlanId"]]]
            case _:
                assert arguments == {"includeValues": True}
                items = self.keys
        return ({"items": [item]} for item in items)


def read(plane: Plane) -> Mapping[str, UsageKey]:
    return control_plane_reader(plane, fixture_deployment(), api_id="there")()


def test_keys_of_the_control_plane_come_with_the_plan_of_this_stage() -> None:
    keys = read(Plane())
    plan = keys["value-1"].plan
    assert plan is not None
    assert plan.throttle is not None
    assert plan.quota is not None
    assert (plan.id, plan.throttle.burst, plan.quota.limit) == ("plan", 7, 9)
    assert keys["value-1"].enabled
    assert not keys["value-2"].enabled
    assert keys["value-3"].plan is None


def test_a_plan_without_stages_and_limits_counts_for_this_one() -> None:
    plan = read(Plane())["value-4"].plan
    assert plan is not None
    assert (plan.throttle, plan.quota) == (None, None)


def test_the_template_goes_first() -> None:
    own = TemplateKeys(fixture_deployment().keys)
    plane = ControlPlaneKeys(lambda: read(Plane()))
    source = FirstOf(own, plane)

    async def find() -> list[str | None]:
        found = [await source.find(value) for value in (TIER_KEY, "value-1", "none")]
        return [key.id if key else None for key in found]

    assert asyncio.run(find()) == ["chatgrid-local-StandardKey", "1", None]


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_unknown_keys_do_not_flood_the_look_ups() -> None:
    """A new key is found at once, and a flood of unknown ones is no flood of look-ups."""
    plane, clock, reads = Plane(), Clock(), []

    def counted() -> Mapping[str, UsageKey]:
        reads.append(clock.now)
        return read(plane)

    async def story() -> None:
        keys = ControlPlaneKeys(counted, timer=clock)
        assert all(await asyncio.gather(*(keys.find("value-1") for _ in range(5))))
        assert len(reads) == 1
        plane.keys.append({"id": "5", "name": "five", "value": "value-5", "enabled": True})
        clock.now += 0.3
        assert await keys.find("value-5")
        assert len(reads) == 2
        for _ in range(5):
            assert await keys.find("never") is None
        assert len(reads) == 2

    asyncio.run(story())


def test_changes_are_taken_up_after_two_seconds() -> None:
    """And no request waits for that."""
    plane, clock = Plane(), Clock()
    may_answer = threading.Event()
    may_answer.set()

    def slow() -> Mapping[str, UsageKey]:
        may_answer.wait()
        return read(plane)

    async def enabled(keys: ControlPlaneKeys) -> bool:
        key = await keys.find("value-1")
        assert key is not None
        return key.enabled

    async def story() -> None:
        keys = ControlPlaneKeys(slow, timer=clock)
        assert await enabled(keys)
        plane.keys[0]["enabled"] = False
        may_answer.clear()
        clock.now += 2.0
        assert await enabled(keys)
        may_answer.set()
        deadline = time.monotonic() + 10
        while await enabled(keys):
            assert time.monotonic() < deadline
            await asyncio.sleep(0)

    asyncio.run(story())


def test_while_the_control_plane_is_out_what_is_known_serves_on() -> None:
    plane, clock = Plane(), Clock()
    out: list[bool] = []

    def failing() -> Mapping[str, UsageKey]:
        if out:
            raise ConnectionError
        return read(plane)

    async def story() -> None:
        keys = ControlPlaneKeys(failing, timer=clock)
        assert await keys.find("value-1")
        out.append(True)
        clock.now += 60
        assert await keys.find("value-1")
        with pytest.raises(ConnectionError):
            await keys.find("never seen")
        assert await keys.find("value-1")

    asyncio.run(story())
