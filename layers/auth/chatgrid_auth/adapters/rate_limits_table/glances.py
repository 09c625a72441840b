"""Where windows on the rate-limits table stand, without counting a request."""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.rate_limits_table.user_windows import MINUTE
from chatgrid_auth.domain.limits import window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.domain.limits.any_length import AnyLength


class WindowGlances:
    """Reads windows, one request each: what ``CountedWindows`` would say, and nothing counted.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(self, transport: Transport, *, table: str, now_ms: Callable[[], int]) -> None:
        self._transport = transport
        self._table = table
        self._now_ms = now_ms

    def hit(
        self, place: str, *, limit: int, kind: AnyLength, cost: int = 1
    ) -> tuple[bool, window.WindowState]:
        """Whether a request would be counted now, and where the window stands.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        now_ms = self._now_ms()
        question = {"TableName": self._table, "Key": {"pk": {"S": place}}, "ConsistentRead": True}
        found = self._transport.call_encoded("GetItem", json.dumps(question).encode())
        item = found.get("Item") or window.fresh(limit)
        seen = kind.of(item)
        state = window.read(item, now_ms=now_ms, limit=limit, window=seen, cost=cost)
        return not window.blocked(item, now_ms=now_ms, window=seen, cost=cost), state


class UserGlances:
    """Reads users' windows, one request each.

    Args:
        windows: reads them.
        limit: units in any 60 seconds.
    """

    def __init__(self, windows: WindowGlances, *, limit: int) -> None:
        self._windows = windows
        self._limit = limit

    def admit(self, user_id: str, *, cost: int = 1) -> tuple[bool, window.WindowState]:
        """Whether one request would be admitted, and where the user stands.

        Raises:
            StoreUnavailable: DynamoDB could not tell.
        """
        place = items.user_pk(user_id)
        return self._windows.hit(place, limit=self._limit, kind=MINUTE, cost=cost)
