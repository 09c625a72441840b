"""Up to a hundred items in one request, and again what DynamoDB left out of its response."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport

#: DynamoDB's own bound.
MOST_AT_ONCE = 100
_ATTEMPTS = 5


def batch_read(
    transport: Transport,
    *,
    table: str,
    keys: Sequence[dict[str, Any]],
    attributes: Iterable[str] | None,
) -> list[dict[str, Any]]:
    """Those of the items that exist, in any order.

    Args:
        transport: asks DynamoDB.
        table: where the items lie.
        keys: up to ``MOST_AT_ONCE`` primary keys in DynamoDB JSON, each once.
        attributes: what else than ``pk`` and ``sk`` of each item to read; ``None`` for all of it.

    Raises:
        StoreUnavailable: DynamoDB could not give all of them. Read as *not there*, an item that
            was left out would be taken for a deleted one.
    """
    found: list[dict[str, Any]] = []
    pending = list(keys)
    wanted: dict[str, Any] = {"ConsistentRead": True}
    if attributes is not None:
        names = {f"#a{number}": name for number, name in enumerate(attributes)}
        wanted["ProjectionExpression"] = ", ".join(["pk", "sk", *names])
        wanted["ExpressionAttributeNames"] = names
    for _ in range(_ATTEMPTS):
        if not pending:
            return found
        response = transport.call(
            "BatchGetItem",
            {"RequestItems": {table: {"Keys": pending, **wanted}}},
        )
        found += response["Responses"].get(table, [])
        pending = response.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if pending:
        raise StoreUnavailable("BatchGetItem", "UnprocessedKeys")
    return found
