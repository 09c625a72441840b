"""Many credentials at once, by their hashes: one request for up to a hundred of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.batch_read import batch_read
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.adapters.keys_table.revocations import ATTRIBUTES

if TYPE_CHECKING:
    from chatgrid_auth.adapters.keys_table.boto3_transport import Boto3Transport


def read_credentials(
    transport: Boto3Transport, *, table: str, hashes: Iterable[str], attributes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """These attributes of the credentials under these hashes, by hash; absent ones are left out.

    Args:
        hashes: up to ``MOST_AT_ONCE``, each once.

    Raises:
        StoreUnavailable: DynamoDB could not give all of them.
    """
    keys = [
        {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)} for key_hash in hashes
    ]
    found = batch_read(transport, table=table, keys=keys, attributes=attributes)
    return {item["pk"]["S"].partition("#")[2]: item for item in found}


def hot_facts(
    transport: Boto3Transport, *, table: str, hashes: Iterable[str]
) -> dict[str, dict[str, Any]]:
    """What records leave to the credentials, by hash: last use, limit, and whether revoked."""
    return read_credentials(transport, table=table, hashes=hashes, attributes=ATTRIBUTES)
