"""safe-api-keys on DynamoDB, by a store of a few lines over boto3, as its user would write it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
from safe_api_keys import KeyManager, KeyVerifier, SafeAPIKeysError
from safe_api_keys.stores import MemoryStore
from safe_api_keys.stores.base import record_to_row, row_to_record

TABLE = "safe-api-keys"


class DynamoStore:
    """The two things that a verifier asks of its store."""

    def __init__(self) -> None:
        self._client = boto3.client("dynamodb")

    def get(self, key_id: str) -> Any:
        answer = self._client.get_item(TableName=TABLE, Key={"pk": {"S": key_id}})
        item = answer.get("Item")
        return None if item is None else row_to_record(json.loads(item["row"]["S"]))

    def touch(self, key_id: str, when: datetime) -> None:
        self._client.update_item(
            TableName=TABLE,
            Key={"pk": {"S": key_id}},
            UpdateExpression="SET last_used_at = :now ADD use_count :one",
            ExpressionAttributeValues={":now": {"S": when.isoformat()}, ":one": {"N": "1"}},
        )


PEPPER = b"p" * 32
verifier = KeyVerifier(DynamoStore(), "sk_live", pepper=PEPPER, touch_interval=0)


def prepare(folder: str) -> str:
    """Make a key, and the items that the stub is to hold; the credential to send."""
    memory = MemoryStore()
    issued = KeyManager(memory, prefix="sk_live", pepper=PEPPER).issue("user-1", scopes=["read"])
    record = issued.record
    item = {"pk": {"S": record.key_id}, "row": {"S": json.dumps(record_to_row(record))}}
    path = Path(folder) / "items.json"
    path.write_text(json.dumps({TABLE: {record.key_id: item}}), "utf-8")
    return str(issued.raw_key)


def handler(event: dict[str, Any], _context: Any) -> bool:
    """Whether the key is valid."""
    try:
        verifier.verify(event["headers"]["Authorization"].removeprefix("Bearer "), scopes=["read"])
    except SafeAPIKeysError:
        return False
    return True
