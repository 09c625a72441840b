"""Lambda's part with queues: messages are handed to their function, and come again if it fails."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_devkit.functions.invocation import Outcome, Returned
from chatgrid_devkit.template.description import QueueSource

Invoke = Callable[[str, Any], Awaitable[Outcome]]

_LOOK_SECONDS = 0.5


@contextlib.asynccontextmanager
async def reading(
    sources: Iterable[QueueSource], invoke: Invoke, *, urls: Mapping[str, str], client: Any
) -> AsyncIterator[None]:
    """Hand messages on for as long as the block runs.

    Args:
        urls: of the queues in the embedded AWS, by logical id.
        client: SQS; without an embedded AWS there are no queues.
    """
    tasks = [
        asyncio.create_task(_read(source, invoke, url=urls[source.queue], client=client))
        for source in sources
        if client is not None and source.queue in urls
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(source: QueueSource, invoke: Invoke, *, url: str, client: Any) -> None:
    while True:
        with contextlib.suppress(ClientError, BotoCoreError):
            await _hand_on(source, invoke, url=url, client=client)
        await asyncio.sleep(_LOOK_SECONDS)


async def _hand_on(source: QueueSource, invoke: Invoke, *, url: str, client: Any) -> None:
    question = {"QueueUrl": url, "MaxNumberOfMessages": source.most_at_once}
    found = await asyncio.to_thread(lambda: client.receive_message(**question))
    messages = found.get("Messages", [])
    if not messages:
        return
    event = {
        "Records": [
            {"messageId": one["MessageId"], "body": one["Body"], "eventSource": "aws:sqs"}
            for one in messages
        ]
    }
    failed = _failed(await invoke(source.function, event), messages)
    for message in messages:
        if message["MessageId"] not in failed:
            handle = message["ReceiptHandle"]
            await asyncio.to_thread(client.delete_message, QueueUrl=url, ReceiptHandle=handle)


def _failed(outcome: Outcome, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of the messages that come again: those that the function names, or all."""
    if not isinstance(outcome, Returned):
        return {one["MessageId"] for one in messages}
    return {one["itemIdentifier"] for one in outcome.value["batchItemFailures"]}
