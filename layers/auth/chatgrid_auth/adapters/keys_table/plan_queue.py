"""The work that issuing and revoking leave for the usage plans, in a partition of the keys table.

An entry is written by the transaction that creates or revokes a key. Here it is read, marked and
taken out, always on condition that it is still the entry that was read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage_plans.ports import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

#: More than a run can work off; the rest waits its turn.
MOST_READ = 2000
#: Sorts behind every key id, and before the sweep's own entry.
_PAST_ALL_IDS = "g"
_NAMES = {"#action": "action"}


class Transport(Protocol):
    """DynamoDB in its own JSON; raises ConditionFailed and StoreUnavailable."""

    def call(self, operation: str, payload: dict[str, Any], /) -> dict[str, Any]:
        """Ask DynamoDB."""


class DynamoPlanQueue:
    """The queue, as ``services.plan_ports.PlanQueue`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def pending(self) -> list[Work]:
        """What waits, oldest keys first, up to 2,000 entries; strongly consistent."""
        found: list[Work] = []
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :plans AND sk < :end",
            "ExpressionAttributeValues": {":plans": s(items.PLANS), ":end": s(_PAST_ALL_IDS)},
            "ConsistentRead": True,
        }
        while len(found) < MOST_READ:
            answer = self._transport.call("Query", {**query, "Limit": MOST_READ - len(found)})
            found += [_work(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        return found

    def reserve(self, work: Work, *, value: str) -> str:
        """Write down the value for the key, unless one is written already: the one that holds.

        Raises:
            ConditionFailed: the entry is another by now.
        """
        answer = self._transport.call(
            "UpdateItem",
            {
                **self._entry(work),
                "UpdateExpression": "SET #usage = if_not_exists(#usage, :value)",
                "ConditionExpression": "#action = :action",
                "ExpressionAttributeNames": {**_NAMES, "#usage": "usage"},
                "ExpressionAttributeValues": {":value": s(value), ":action": s(work.action)},
                "ReturnValues": "ALL_NEW",
            },
        )
        held: str = answer["Attributes"]["usage"]["S"]
        return held

    def mark_ready(self, work: Work, *, value: str, ready_at_ms: int) -> None:
        """The API Gateway key is complete, and may be used from then on.

        Raises:
            ConditionFailed: the entry is another by now.
        """
        self._transport.call(
            "UpdateItem",
            {
                **self._entry(work),
                "UpdateExpression": "SET #usage = :value, ready_at = :ready",
                "ConditionExpression": "#action = :action",
                "ExpressionAttributeNames": {**_NAMES, "#usage": "usage"},
                "ExpressionAttributeValues": {
                    ":value": s(value),
                    ":ready": n(ready_at_ms),
                    ":action": s(work.action),
                },
            },
        )

    def add(self, work: Work) -> bool:
        """Leave work for a key unless some waits already; whether it was left."""
        item = {
            **self._entry(work)["Key"],
            "action": s(work.action),
            "owner": s(work.owner),
        }
        if work.key_hash is not None:
            item["hash"] = s(work.key_hash)
        try:
            self._transport.call(
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": item,
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
        except ConditionFailed:
            return False
        return True

    def remove(self, work: Work) -> None:
        """Take the entry out; one that is gone is done.

        Raises:
            ConditionFailed: the entry is another by now.
        """
        self._transport.call(
            "DeleteItem",
            {
                **self._entry(work),
                "ConditionExpression": "attribute_not_exists(pk) OR #action = :action",
                "ExpressionAttributeNames": _NAMES,
                "ExpressionAttributeValues": {":action": s(work.action)},
            },
        )

    def _entry(self, work: Work) -> dict[str, Any]:
        return {"TableName": self._table, "Key": {"pk": s(items.PLANS), "sk": s(work.key_id)}}


def _work(item: Mapping[str, Any]) -> Work:
    ready_at = item.get("ready_at")
    return Work(
        key_id=item["sk"]["S"],
        action="retire" if item["action"]["S"] == "retire" else "provision",
        owner=item["owner"]["S"],
        key_hash=item.get("hash", {}).get("S"),
        value=item.get("usage", {}).get("S"),
        ready_at_ms=None if ready_at is None else int(ready_at["N"]),
    )
