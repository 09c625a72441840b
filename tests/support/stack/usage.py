"""The usage of a running local stack, without the minutes that it takes by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.usage_table import layout
from chatgrid_auth.adapters.usage_table.arrivals import CLOSED_MS, rows_of
from chatgrid_auth.adapters.usage_table.folding import Folding

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport


def arrived(transport: Transport, table: str) -> list[list[Any]]:
    """What arrived in this minute and the one before: when, whose, key id, route, and counts."""
    now = time.time_ns() // 60_000_000_000
    items: list[Any] = []
    for minute in (now - 1, now):
        question = {
            "TableName": table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": layout.arrived_pk(minute)}},
        }
        items += transport.call("Query", question)["Items"]
    return [row for item in items for row in rows_of(item)]


def fold(transport: Transport, table: str) -> None:
    """Add up everything, as a minute that comes later would.

    Raises:
        StoreUnavailable: it is not done; again goes on where this ended.
    """
    later_ms = time.time_ns() // 1_000_000 + CLOSED_MS + 120_000
    Folding(transport, table=table, now_ms=lambda: later_ms).run(until_ms=later_ms + 1)
