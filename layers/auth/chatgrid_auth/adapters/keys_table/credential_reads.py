"""Many credentials at once, by their hashes: one request for up to a hundred of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.domain.errors import StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.keys_table.boto3_transport import Boto3Transport

#: DynamoDB's own bound.
MOST_AT_ONCE = 100
_ATTEMPTS = 5


def read_credentials(
    transport: Boto3Transport, *, table: str, hashes: Iterable[str], attributes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """These attributes of the credentials under these hashes, by hash; absent ones are left out.

    Args:
        hashes: up to ``MOST_AT_ONCE``, each once.

    Raises:
        StoreUnavailable: DynamoDB could not give all of them.
    """
    found: dict[str, dict[str, Any]] = {}
    pending: list[dict[str, Any]] = [
        {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)} for key_hash in hashes
    ]
    names = {f"#a{number}": name for number, name in enumerate(attributes)}
    for _ in range(_ATTEMPTS):
        if not pending:
            return found
        answer = transport.call(
            "BatchGetItem",
            {
                "RequestItems": {
                    table: {
                        "Keys": pending,
                        "ProjectionExpression": ", ".join(["pk", *names]),
                        "ExpressionAttributeNames": names,
                        "ConsistentRead": True,
                    }
                }
            },
        )
        for item in answer["Responses"].get(table, []):
            found[item["pk"]["S"].partition("#")[2]] = item
        pending = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
    if pending:
        raise StoreUnavailable("BatchGetItem", "UnprocessedKeys")
    return found


def last_uses(transport: Boto3Transport, *, table: str, hashes: Iterable[str]) -> dict[str, int]:
    """When credentials were last used, in Unix milliseconds, by hash; unused ones are left out."""
    found = read_credentials(transport, table=table, hashes=hashes, attributes=["seen"])
    return {key_hash: int(item["seen"]["N"]) for key_hash, item in found.items() if "seen" in item}
