"""The windows of JWT users: the same arithmetic as for keys, on a table of their own.

An item is made by a user's first request and disposed of by DynamoDB's TTL some time after
the last. Nothing else lies there, so losing it costs at most one limit's worth of requests.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters import items
from chatgrid_auth.domain import window
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.adapters.decisions import Transport

    Item = dict[str, Any]

#: An item is disposed of when it was not used for this long: many windows, so that no clock
#: that differs can make DynamoDB forget requests that still count.
IDLE_SECONDS = 900
_TRIES = 3


class UserWindows:
    """Counts requests of users, with one DynamoDB request each but for a user's first.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        limit: requests in any 60 seconds for each user.
    """

    def __init__(self, transport: Transport, *, table: str, limit: int) -> None:
        self._transport = transport
        self._table = table
        self._limit = limit

    def admit(self, user_id: str, *, now_ms: int) -> tuple[bool, window.Reading]:
        """Count one request of this user if its window has room.

        Returns:
            Whether it was counted, and where the user stands now.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        for _ in range(_TRIES):
            try:
                item = self._ask("UpdateItem", user_id, self._count(now_ms))
            except ConditionFailed as refused:
                item = dict(refused.item) if refused.item is not None else {}
                if item and int(item["limit"]["N"]) == self._limit:
                    return False, window.read(item, now_ms=now_ms, limit=self._limit)
                self._prepare(user_id, item, now_ms=now_ms)
            else:
                self._keep_small(user_id, item, now_ms=now_ms)
                return True, window.read(item, now_ms=now_ms, limit=self._limit)
        raise StoreUnavailable("UpdateItem", "UserWindowContended")

    def _count(self, now_ms: int) -> Item:
        admission = window.admission(now_ms)
        return {
            "ConditionExpression": f"#limit = :limit AND {admission.condition}",
            "UpdateExpression": (
                f"SET expires_on = :expires_on, {admission.assignments} REMOVE {admission.removals}"
            ),
            "ExpressionAttributeNames": {"#limit": "limit"},
            "ExpressionAttributeValues": {
                ":one": items.n(1),
                ":limit": items.n(self._limit),
                ":expires_on": items.n(now_ms // 1000 + IDLE_SECONDS),
            },
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _prepare(self, user_id: str, item: Item, *, now_ms: int) -> None:
        """Make the item of a new user, or bring an item of another limit to today's."""
        if item:
            parts = window.relimit(item, limit=self._limit)
            operation = "UpdateItem"
        else:
            parts = {
                "Item": {
                    "pk": items.s(items.user_pk(user_id)),
                    "limit": items.n(self._limit),
                    "expires_on": items.n(now_ms // 1000 + IDLE_SECONDS),
                    **window.fresh(self._limit),
                },
                "ConditionExpression": "attribute_not_exists(pk)",
            }
            operation = "PutItem"
        try:
            self._ask(operation, user_id, parts)
        except ConditionFailed:
            return  # another container was quicker, which is as good

    def _keep_small(self, user_id: str, item: Item, *, now_ms: int) -> None:
        upkeep = window.maintenance(item, now_ms=now_ms)
        if upkeep is not None:
            try:
                self._ask("UpdateItem", user_id, upkeep)
            except (ConditionFailed, StoreUnavailable):
                return  # the request is decided already; another one will clean up

    def _ask(self, operation: str, user_id: str, parts: Item) -> Item:
        """Send one request; the item that comes back, if any."""
        body = {"TableName": self._table, **parts}
        if operation == "UpdateItem":
            body["Key"] = {"pk": items.s(items.user_pk(user_id))}
        answer = self._transport.call_encoded(operation, json.dumps(body).encode())
        attributes: Item = answer.get("Attributes", {})
        return attributes
