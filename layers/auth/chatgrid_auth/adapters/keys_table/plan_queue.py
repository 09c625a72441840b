"""The work that issuing and revoking leave for the usage plans, in a partition of the keys table.

An entry is written by the transaction that creates or revokes a key. Here it is read, marked and
taken out, always on condition that it is still the entry that was read.

Entries lie by owner, so that reading can go from one owner to the next past whatever lies between.
The lease of the run that works them off lies behind them all.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage_plans.ports import Work

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.adapters.dynamodb.transport import Transport

#: More than can wait for its activation, which hides what lies behind it: a run of 42 seconds makes
#: at most 70 keys at 5 calls a second, and they wait for six runs.
MOST_OF_ONE_OWNER = 500
#: Pages that one run reads: 500 entries are 0.15 MB, or 19 read units if strongly consistent.
MOST_PAGES = 40
# Owners are UUIDs. Entries of the run and of the sweep lie behind them all.
_BEFORE_ALL_OWNERS, _PAST_ALL_OWNERS = "!", "g"
_NAMES = {"#action": "action"}
#: The lease of the run that is under way.
_RUN_KEY = {"pk": s(items.PLANS), "sk": s("run")}


class DynamoPlanQueue:
    """The queue, as ``services.usage_plans.ports.PlanQueue`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def pending(self, *, first_owner: str) -> list[Work]:
        """What waits, of each owner the oldest keys, up to 500; strongly consistent.

        It reads at most 40 pages. An owner with more than a page of work costs one page, and many
        owners with little share one, so a few who make and revoke keys by the thousand hide nobody;
        where more than 40 do so, whoever is read first by lot has a turn.
        """
        found: list[Work] = []
        pages = MOST_PAGES
        for start, end in ((first_owner, _PAST_ALL_OWNERS), (_BEFORE_ALL_OWNERS, first_owner)):
            taken: Counter[str] = Counter()
            position: str | None = start
            while position is not None and pages > 0:
                pages -= 1
                items_read, more = self._page(position, end)
                for work in map(_work, items_read):
                    taken[work.owner] += 1
                    if taken[work.owner] <= MOST_OF_ONE_OWNER:
                        found.append(work)
                position = _behind(items_read[-1], taken) if more and items_read else None
        return found

    def _page(self, start: str, end: str) -> tuple[list[dict[str, Any]], bool]:
        response = self._transport.call(
            "Query",
            {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :plans AND sk BETWEEN :start AND :end",
                "ExpressionAttributeValues": {
                    ":plans": s(items.PLANS),
                    ":start": s(start),
                    ":end": s(end),
                },
                "ConsistentRead": True,
                "Limit": MOST_OF_ONE_OWNER,
            },
        )
        return response["Items"], "LastEvaluatedKey" in response

    def reserve(self, work: Work, *, value: str) -> str:
        """Write down the value for the key, unless one is written already: the one that holds.

        Raises:
            ConditionFailed: the entry is another by now.
        """
        response = self._transport.call(
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
        held: str = response["Attributes"]["usage"]["S"]
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
        return {"TableName": self._table, "Key": items.work_key(work.owner, work.key_id)}


class DynamoRunLease:
    """One run at a time, as ``services.usage_plans.ports.RunLease`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def take(self, *, now_ms: int, until_ms: int) -> bool:
        """Whether this run may work until then: nobody else's lease holds now."""
        return self._write(
            "PutItem",
            {"Item": {**_RUN_KEY, "until": n(until_ms)}},
            condition="attribute_not_exists(pk) OR #until <= :at",
            at_ms=now_ms,
        )

    def give_back(self, *, until_ms: int) -> None:
        """The run is over; a lease that is another's by now stays."""
        self._write("DeleteItem", {"Key": _RUN_KEY}, condition="#until = :at", at_ms=until_ms)

    def _write(self, operation: str, write: dict[str, Any], *, condition: str, at_ms: int) -> bool:
        try:
            self._transport.call(
                operation,
                {
                    "TableName": self._table,
                    **write,
                    "ConditionExpression": condition,
                    "ExpressionAttributeNames": {"#until": "until"},
                    "ExpressionAttributeValues": {":at": n(at_ms)},
                },
            )
        except ConditionFailed:
            return False
        return True


def _behind(item: Mapping[str, Any], taken: Mapping[str, int]) -> str:
    """Where to read on after this entry: past its owner's others if enough of them were taken."""
    if taken[item["owner"]["S"]] >= MOST_OF_ONE_OWNER:
        return items.past_work_of(item["owner"]["S"])
    return f"{item['sk']['S']} "


def _work(item: Mapping[str, Any]) -> Work:
    ready_at = item.get("ready_at")
    return Work(
        key_id=item["sk"]["S"].rpartition("#")[2],
        action="retire" if item["action"]["S"] == "retire" else "provision",
        owner=item["owner"]["S"],
        key_hash=item.get("hash", {}).get("S"),
        value=item.get("usage", {}).get("S"),
        ready_at_ms=None if ready_at is None else int(ready_at["N"]),
    )
