"""Credentials read many at a time, by the hashes that their keys have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.batch_read import batch_read
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import s

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatgrid_auth.adapters.dynamodb.transport import Transport


def read_credentials(
    transport: Transport,
    *,
    table: str,
    hashes: Iterable[str],
    attributes: Iterable[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The credentials under these hashes, by hash; absent ones are left out.

    Args:
        hashes: up to ``MOST_AT_ONCE``, each once.
        attributes: which of theirs to read; ``None`` for all, as for a last use, whose name hangs
            on the secret.

    Raises:
        StoreUnavailable: DynamoDB could not give all of them.
    """
    keys = [
        {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)} for key_hash in hashes
    ]
    found = batch_read(transport, table=table, keys=keys, attributes=attributes)
    return {item["pk"]["S"].partition("#")[2]: item for item in found}
