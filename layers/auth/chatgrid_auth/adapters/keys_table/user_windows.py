"""The windows of JWT users: the same arithmetic as for keys, on a table of their own.

An item is made by a user's first request and disposed of by DynamoDB's TTL some time after
the last. Nothing else lies there, so losing it costs at most one limit's worth of requests.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import refuse_late_answer
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.decisions import Clock, Transport

    Item = Mapping[str, Any]

#: An item may be disposed of when it was not used for this long: days, because a user whose item
#: is gone costs a second request, and many windows, so that nothing that counts is forgotten.
IDLE_SECONDS = 7 * 86_400
_TRIES = 3


class UserWindows:
    """Counts requests of users, with one DynamoDB request each but for a user's first.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        limit: requests in any 60 seconds for each user.
        now_ms: the clock, in Unix milliseconds; read for each request that is sent, because the
            window holds for writes that are at most ``window.MAX_FLIGHT_MS`` on their way.
        clock: what ``now_ms`` reads, as in ``KeyDecisions``.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        limit: int,
        now_ms: Callable[[], int],
        clock: Clock | None = None,
    ) -> None:
        self._transport = transport
        self._table = table
        self._limit = limit
        self._now_ms = now_ms
        self._clock = clock

    def admit(self, user_id: str) -> tuple[bool, window.WindowState]:
        """Count one request of this user if its window has room.

        Returns:
            Whether it was counted, and where the user stands now.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        key = {"pk": items.s(items.user_pk(user_id))}
        for _ in range(_TRIES):
            item: Item | None
            now_ms = self._now_ms()
            try:
                item, admitted = self._count(key, now_ms=now_ms), True
            except ConditionFailed as refused:
                item, admitted = refused.item, False
            if item is None:
                now_ms = self._now_ms()
                item, admitted = self._begin(key, now_ms=now_ms), True
            refuse_late_answer(self._clock, now_ms)
            if item is None:
                continue  # another container began first: this request counts after its
            reading = window.read(item, now_ms=now_ms, limit=self._limit)
            if reading.upkeep:
                self._put_in_order(key, item, now_ms=now_ms)
            return admitted, reading
        raise StoreUnavailable("UpdateItem", "UserWindowContended")

    def _count(self, key: Item, *, now_ms: int) -> Item:
        admission = window.MINUTE.admission(now_ms)
        confirmed = self._clock is None or self._clock.confirmed
        removal = f" REMOVE {admission.removals}" if confirmed else ""
        attributes: Item = self._ask(
            "UpdateItem",
            {
                "Key": key,
                "ConditionExpression": f"attribute_exists(pk) AND {admission.condition}",
                "UpdateExpression": (
                    f"SET expires_on = :expires_on, {admission.assignments}{removal}"
                ),
                "ExpressionAttributeNames": {"#u": "used"},
                "ExpressionAttributeValues": {
                    ":c": items.n(1),
                    ":expires_on": items.n(now_ms // 1000 + IDLE_SECONDS),
                },
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )["Attributes"]
        return attributes

    def _begin(self, key: Item, *, now_ms: int) -> Item | None:
        """Make the item of a new user, its first request counted; ``None`` if it exists by now."""
        item = {
            **key,
            "expires_on": items.n(now_ms // 1000 + IDLE_SECONDS),
            **window.first_admission(now_ms=now_ms, limit=self._limit),
        }
        try:
            self._ask("PutItem", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"})
        except ConditionFailed:
            return None
        return item

    def _put_in_order(self, key: Item, item: Item, *, now_ms: int) -> None:
        from chatgrid_auth.domain.limits.window_upkeep import maintenance  # noqa: PLC0415 - seldom

        upkeep = maintenance(item, now_ms=now_ms, limit=self._limit)
        if upkeep is None:
            return
        try:
            self._ask("UpdateItem", {"Key": key, **upkeep})
        except (ConditionFailed, StoreUnavailable):
            return  # the request is decided already; the next one sees the same need

    def _ask(self, operation: str, parts: Item) -> dict[str, Any]:
        body = {"TableName": self._table, **parts}
        return self._transport.call_encoded(operation, json.dumps(body).encode())
