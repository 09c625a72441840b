"""What a window's item needs now and then, so that it never costs a second write unit."""

from __future__ import annotations

import json

from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits.window import MINUTE
from chatgrid_auth.domain.limits.window_upkeep import maintenance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.domain.limits.window import Window


def put_in_order(
    transport: Transport,
    item: Mapping[str, Any],
    *,
    table: str,
    limit: int,
    now_ms: int,
    kind: Window = MINUTE,
) -> None:
    """Do what an item asks for; the request is decided already, and the next one sees it again."""
    parts = maintenance(item, now_ms=now_ms, limit=limit, window=kind)
    if parts is None:
        return
    key = {name: item[name] for name in ("pk", "sk") if name in item}
    body = json.dumps({"TableName": table, "Key": key, **parts})
    try:
        transport.call_encoded("UpdateItem", body.encode())
    except (ConditionFailed, StoreUnavailable):
        return
