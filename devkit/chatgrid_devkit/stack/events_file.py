"""The events of a local stack, where they can be watched: one line of JSON each, in a private file.

The embedded AWS keeps no stream over a restart. So the audit table itself is read each second,
and what is new in it is made into an event by the events function's own code.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_events.thin_events import NoEntry, thin_events

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_devkit.stack.system import StackSettings

EVENTS_FILE = "events.jsonl"
_LOOK_SECONDS = 1.0


class EventsFile:
    """Keeps each event once, also over restarts.

    Args:
        file: where they are kept, mode 0600.
        client: DynamoDB.
        table: the audit table's name.
        show: is given each new line.
    """

    def __init__(
        self, file: Path, *, client: DynamoDBClient, table: str, show: Callable[[str], None]
    ) -> None:
        self._file = file
        self._client = client
        self._table = table
        self._show = show
        self._known = set(_names(file))

    def look(self) -> None:
        """Keep what is new, each user's in their order."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, ConsistentRead=True
        )
        lines: list[str] = []
        for item in (item for page in pages for item in page["Items"] if _is_told(item)):
            with contextlib.suppress(NoEntry):
                for event in thin_events({"dynamodb": {"NewImage": item}}, bus="local"):
                    detail: dict[str, Any] = json.loads(event["Detail"])
                    name = _name(event["DetailType"], detail)
                    if name not in self._known:
                        self._known.add(name)
                        told = {"detail-type": event["DetailType"], "detail": detail}
                        lines.append(json.dumps({"source": event["Source"], **told}))
        if lines:
            self._keep(lines)

    def _keep(self, lines: list[str]) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
        with os.fdopen(os.open(self._file, flags, 0o600), "w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in lines)
        for line in lines:
            self._show(line)


@contextlib.asynccontextmanager
async def kept_events(
    settings: StackSettings, outputs: Mapping[str, str], client_of: Callable[..., Any]
) -> AsyncIterator[None]:
    """Look for events until the end, and once more then; show them where all lines are shown."""

    def show(line: str) -> None:
        if settings.verbose:
            print(line, file=settings.log, flush=True)

    # The next look makes up for one that failed; the last one must not hold up the end.
    once = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})
    client = client_of("dynamodb", config=once)
    file, table = settings.state / EVENTS_FILE, outputs["AuditTableName"]
    events = EventsFile(file, client=client, table=table, show=show)

    async def watch() -> None:
        while True:
            await asyncio.to_thread(_looked, events)
            await asyncio.sleep(_LOOK_SECONDS)

    task = asyncio.create_task(watch())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.to_thread(_looked, events)


def _looked(events: EventsFile) -> None:
    with contextlib.suppress(ClientError, BotoCoreError, OSError):
        events.look()


def _names(file: Path) -> list[str]:
    with contextlib.suppress(OSError):
        lines = file.read_text("utf-8").splitlines()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            told = [json.loads(line) for line in lines]
            return [_name(one["detail-type"], one["detail"]) for one in told]
    return []


def _name(kind: str, detail: Mapping[str, Any]) -> str:
    """What tells an event from all others: an entry may be two."""
    return f"{kind} {detail.get('entry_id') or detail['notice_id']}"


def _is_told(item: Mapping[str, Any]) -> bool:
    return layout.is_entry(item) or layout.is_notice(item)
