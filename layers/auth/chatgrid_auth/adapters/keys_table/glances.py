"""What would be decided about a key, without counting anything or stamping a use.

The same judgement as the one conditional write's, made here on a consistent read of the same item.
What it says holds for that moment: the next request may use up what is left.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.scopes import LEVELS, NO_LEVEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.services.gate.requests import Request


class KeyGlances(KeyDecisions):
    """Judges requests on keys, with one read each; counts none, and writes nothing."""

    _counts = False

    def __init__(self, transport: Transport, *, table: str) -> None:
        super().__init__(transport, table=table)
        self._ask = self._look

    def _look(
        self, home: str, tag: str, version: int, *, request: Request, now_ms: int
    ) -> tuple[Mapping[str, Any] | None, bool]:
        question = {
            "TableName": self._table,
            "Key": {"pk": items.s(items.credential_pk(home)), "sk": items.s(items.CREDENTIAL)},
            "ConsistentRead": True,
        }
        found = self._transport.call_encoded("GetItem", json.dumps(question).encode())
        item: Mapping[str, Any] | None = found.get("Item")
        if item is None or items.HOME in item:
            return item, False
        return item, _would_pass(item, tag, version, request=request, now_ms=now_ms)


def _would_pass(
    item: Mapping[str, Any], tag: str, version: int, *, request: Request, now_ms: int
) -> bool:
    """What ``decisions`` has as a condition. A refill that is due is as good as made."""
    level = item.get(items.LEVEL)
    if level is None or int(level["N"]) < LEVELS.get(request.scope, NO_LEVEL):
        return False
    if items.until(tag) not in item or int(item[items.until(tag)]["N"]) <= now_ms:
        return False
    if items.VERSION in item and int(item[items.VERSION]["N"]) != version:
        return False
    due = int(item[items.DUE]["N"]) if items.DUE in item else None
    refilled = due is not None and due <= now_ms
    if items.TOP in item and not refilled:
        spent = int(item["used"]["N"]) + request.cost - 1
        if spent >= int(item[items.TOP]["N"]):
            return False
    return not window.blocked(item, now_ms=now_ms, cost=request.cost)
