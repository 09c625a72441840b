"""What a key's items say of a secret, read as a decision reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import passes_until_ms
from chatgrid_auth.domain.keys import hash_of, tag_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def home_of(client: DynamoDBClient, table: str, raw_key: str) -> dict[str, Any]:
    """The home that a secret leads to, by one alias at most."""
    found = _item(client, table, hash_of(raw_key))
    home_hash = found.get(items.HOME)
    return found if home_hash is None else _item(client, table, bytes(home_hash["B"]).hex())


def passes(client: DynamoDBClient, table: str, raw_key: str, *, now_ms: int) -> bool:
    """Whether the key is active and this secret of it has not ended."""
    home = home_of(client, table, raw_key)
    until_ms = passes_until_ms(home, tag_of(hash_of(raw_key)))
    return items.LEVEL in home and (until_ms is None or until_ms > now_ms)


def use(client: DynamoDBClient, table: str, raw_key: str, *, at_ms: int) -> None:
    """Stamp a use of a secret, as the decision does."""
    client.update_item(
        TableName=table,
        Key={"pk": home_of(client, table, raw_key)["pk"], "sk": {"S": items.CREDENTIAL}},
        UpdateExpression="SET #s = :at",
        ExpressionAttributeNames={"#s": items.used_at(tag_of(hash_of(raw_key)))},
        ExpressionAttributeValues={":at": {"N": str(at_ms)}},
    )


def _item(client: DynamoDBClient, table: str, key_hash: str) -> dict[str, Any]:
    key = {"pk": {"S": items.credential_pk(key_hash)}, "sk": {"S": items.CREDENTIAL}}
    found: dict[str, Any] = client.get_item(TableName=table, Key=key, ConsistentRead=True)["Item"]
    return found
