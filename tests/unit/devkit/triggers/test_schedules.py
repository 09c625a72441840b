"""Scheduled functions are called at their rate, for as long as the system runs."""

from __future__ import annotations

import asyncio
from typing import Any

from chatgrid_devkit.template.description import Schedule
from chatgrid_devkit.triggers import schedules


def test_each_schedule_calls_its_function_with_its_input_until_the_end() -> None:
    calls: list[tuple[str, Any]] = []
    enough = asyncio.Event()

    async def invoke(name: str, event: Any) -> None:
        calls.append((name, event))
        if {called for called, _ in calls} == {"a", "b"} and len(calls) > 4:
            enough.set()

    async def story() -> int:
        both = [
            Schedule(function="a", every_seconds=0.001),
            Schedule(function="b", every_seconds=0.002, input={"sweep": True}),
        ]
        async with schedules.running(both, invoke):
            await asyncio.wait_for(enough.wait(), 10)
        return len(calls)

    async def and_after() -> None:
        at_the_end = await story()
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(calls) == at_the_end

    asyncio.run(and_after())
    assert dict(calls) == {"a": {"source": "aws.events"}, "b": {"sweep": True}}


def test_nothing_is_called_before_its_time() -> None:
    async def invoke(name: str, event: Any) -> None:
        raise AssertionError(name)

    async def story() -> None:
        async with schedules.running([Schedule(function="a", every_seconds=3600)], invoke):
            await asyncio.sleep(0)

    asyncio.run(story())
