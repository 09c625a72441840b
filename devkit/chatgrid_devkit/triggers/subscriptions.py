"""CloudWatch Logs' part: what a function prints is handed to the function that subscribed to it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from itertools import count
from typing import Any
from uuid import uuid4

from chatgrid_devkit.functions.invocation import Outcome, Returned
from chatgrid_devkit.template.description import Subscription

Invoke = Callable[[str, Any], Awaitable[Outcome]]

_LOOK_SECONDS = 1.0
#: Lambda's own number for asynchronous calls: once, and twice again.
_TRIES = 3
_MOST_AT_ONCE = 1_000


class Subscriptions:
    """Lines wait here until they are handed on, in batches.

    Args:
        subscriptions: who gets what whom prints.
    """

    def __init__(self, subscriptions: Iterable[Subscription]) -> None:
        self._stream = str(uuid4())
        self._numbers = count(1)
        self._waiting = {one: list[dict[str, Any]]() for one in subscriptions}

    def printed(self, function: str, line: str) -> None:
        """Take a line that a function, by its logical id, has printed."""
        for subscription, events in self._waiting.items():
            if subscription.printer == function:
                now_ms = time.time_ns() // 1_000_000
                number = f"{next(self._numbers):056d}"
                events.append({"id": number, "timestamp": now_ms, "message": line})

    async def hand_on(self, invoke: Invoke) -> None:
        """Hand on what waits. What failed three times is lost, as on AWS."""
        for subscription, events in self._waiting.items():
            while events:
                batch = events[:_MOST_AT_ONCE]
                del events[: len(batch)]
                event = self._event(subscription, batch)
                for _ in range(_TRIES):
                    if isinstance(await invoke(subscription.function, event), Returned):
                        break

    def _event(self, subscription: Subscription, batch: list[dict[str, Any]]) -> dict[str, Any]:
        told = {
            "messageType": "DATA_MESSAGE",
            "owner": "000000000000",
            "logGroup": subscription.printer,
            "logStream": self._stream,
            "subscriptionFilters": [subscription.function],
            "logEvents": batch,
        }
        return {
            "awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(told).encode())).decode()}
        }


@contextlib.asynccontextmanager
async def handing_on(subscriptions: Subscriptions, invoke: Invoke) -> AsyncIterator[None]:
    """Hand lines on for as long as the block runs, and once more at its end."""

    async def repeat() -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await subscriptions.hand_on(invoke)

    task = asyncio.create_task(repeat())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await subscriptions.hand_on(invoke)
