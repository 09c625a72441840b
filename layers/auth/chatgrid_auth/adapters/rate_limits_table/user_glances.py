"""Where a JWT user stands, without counting a request of theirs."""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.limits import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.keys_table.ports import Transport


class UserGlances:
    """Reads users' windows, one request each.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        limit: requests in any 60 seconds.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(
        self, transport: Transport, *, table: str, limit: int, now_ms: Callable[[], int]
    ) -> None:
        self._transport = transport
        self._table = table
        self._limit = limit
        self._now_ms = now_ms

    def admit(self, user_id: str, *, cost: int) -> tuple[bool, window.WindowState]:
        """Whether one request would be admitted, and where the user stands.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        now_ms = self._now_ms()
        question = {
            "TableName": self._table,
            "Key": {"pk": {"S": items.user_pk(user_id)}},
            "ConsistentRead": True,
        }
        found = self._transport.call_encoded("GetItem", json.dumps(question).encode())
        item = found.get("Item") or window.fresh(self._limit)
        reading = window.read(item, now_ms=now_ms, limit=self._limit, cost=cost)
        return not window.blocked(item, now_ms=now_ms, cost=cost), reading
