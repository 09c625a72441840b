"""EventBridge's part: calls functions every so often, as the template says."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

from chatgrid_devkit.template.description import Schedule

Invoke = Callable[[str, Any], Awaitable[Any]]


@contextlib.asynccontextmanager
async def running(schedules: Iterable[Schedule], invoke: Invoke) -> AsyncIterator[None]:
    """Call every scheduled function for as long as the block runs; its log tells its faults."""
    tasks = [asyncio.create_task(_repeat(schedule, invoke)) for schedule in schedules]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _repeat(schedule: Schedule, invoke: Invoke) -> None:
    event = schedule.input if schedule.input is not None else {"source": "aws.events"}
    while True:
        await asyncio.sleep(schedule.every_seconds)
        await invoke(schedule.function, event)
