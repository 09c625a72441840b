"""What credits take beside a decision: the refill that is due, and giving back what was spent.

Both are bound to the version of the key's policy, under which the owner changes credits, and to the
refill that was due: whatever an owner or another container did meanwhile is never added to.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits.credits import NO_REFILL, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Transport
    from chatgrid_auth.domain.limits.credits import Refill
    from chatgrid_auth.services.gate.ports import KnownKey
    from chatgrid_auth.services.gate.requests import Request


def settle(
    tables: tuple[Transport, str] | None,
    item: Mapping[str, Any],
    credential: KnownKey,
    kept: str | None,
    request: Request,
    now_ms: int,
) -> bool:
    """Find out what a decision means for a key's credits; whether it has to be made again.

    Args:
        tables: DynamoDB and the keys table; ``None`` for a look, to which a refill that is due is
            as good as made.
        item: the home after the request, if that was admitted, or before it.
        credential: what is said of it, whose credits are told what became of them.
        kept: how they come back, as the policy keeps it that the request was decided by.
    """
    held = credential.credits
    if held is None or request.spares_credits or credential.fault is not None:
        return False
    cost = request.cost
    if credential.admitted and tables is not None:
        transport, table = tables
        held.spent = cost
        held.give_back = lambda: give_back(transport, item, cost, table=table)
        return False
    if request.scope not in credential.scopes:
        return False
    comes_back = None if kept in {None, NO_REFILL} else parse(str(kept))
    if comes_back is not None:
        if held.due_ms is not None and held.due_ms <= now_ms:
            if tables is not None:
                transport, table = tables
                refill(transport, item, comes_back, table=table, now_ms=now_ms)
                return True
            held.left, held.due_ms = comes_back.amount, comes_back.next_after(now_ms)
        held.comes_back = cost <= comes_back.amount
    held.short = held.left < cost
    return False


def refill(
    transport: Transport, item: Mapping[str, Any], due: Refill, *, table: str, now_ms: int
) -> None:
    """Fill up a key whose refill is due, once for all times that were missed.

    Raises:
        StoreUnavailable: the store could not do it.
    """
    values = {
        ":old": item[items.DUE],
        ":v": item[items.VERSION],
        ":amount": items.n(due.amount),
        ":next": items.n(due.next_after(now_ms)),
    }
    update = {
        "TableName": table,
        "Key": {"pk": item["pk"], "sk": item["sk"]},
        "UpdateExpression": "SET top = used + :amount, due = :next",
        "ConditionExpression": "due = :old AND v = :v",
        "ExpressionAttributeValues": values,
    }
    try:
        transport.call_encoded("UpdateItem", json.dumps(update).encode())
    except ConditionFailed:
        return  # another container did it, or the owner changed it: the next answer tells


def give_back(transport: Transport, item: Mapping[str, Any], cost: int, *, table: str) -> None:
    """Undo the spending of a request that a later limit refused. The window keeps its slot."""
    conditions = ["attribute_exists(top)"]
    values = {":c": items.n(cost)}
    for name in (items.VERSION, items.DUE):
        if name in item:
            conditions.append(f"{name} = :{name}")
            values[f":{name}"] = item[name]
        else:
            conditions.append(f"attribute_not_exists({name})")
    update = {
        "TableName": table,
        "Key": {"pk": item["pk"], "sk": item["sk"]},
        "UpdateExpression": "SET top = top + :c",
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeValues": values,
    }
    try:
        transport.call_encoded("UpdateItem", json.dumps(update).encode())
    except ConditionFailed:
        return  # what was spent belongs to credits that are no more
    except StoreUnavailable:
        return  # the request is refused all the same, and a credit is lost rather than made
