"""Keys in DynamoDB: a credential under the key's hash, a record under its owner.

Both are written in one transaction, together with the owner's count and the work that the
usage plans are left with, so nothing is ever half created or half revoked. Lists read the base
table with strong consistency: a new key is in the next list, a revoked one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.credential_reads import last_uses
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.keys_table.transactions import Cancelled, transact
from chatgrid_auth.domain.credentials import ApiKey, Page
from chatgrid_auth.domain.errors import (
    KeyExists,
    KeyLimitReached,
    StoreThrottled,
    StoreUnavailable,
)
from chatgrid_auth.domain.identifiers import id_range
from chatgrid_auth.domain.window_upkeep import change_limit

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

#: A change of limit has to hit upon a moment in which no second's first request comes in between.
_LIMIT_TRIES = 10


class DynamoKeyStore:
    """The keys table, as ``services.api_keys.KeyStore`` asks for it.

    Args:
        client: boto3's low-level DynamoDB client.
        table: the keys table's name.
        pause: waits that many seconds; between tries of a transaction that met another.
    """

    def __init__(
        self, client: DynamoDBClient, *, table: str, pause: Callable[[float], None]
    ) -> None:
        self._transport = Boto3Transport(client)
        self._client = client
        self._table = table
        self._pause = pause

    def create(
        self, key: ApiKey, *, key_hash: str, keys_per_user: int, imported: bool = False
    ) -> None:
        """Keep a new key, whole or not at all.

        Args:
            imported: another system issued it, so that its text does not tell its environment.

        Raises:
            KeyExists: there is a key with this hash, or one of the owner's with this id, or an
                imported one's id is another owner's key's, for which work waits.
        """
        writes = [
            self._update(
                items.user_pk(key.owner),
                items.COUNT,
                "ADD active :one",
                {":one": n(1), ":most": n(keys_per_user)},
                condition="attribute_not_exists(active) OR active < :most",
            ),
            self._put(
                key_items.credential(key, key_hash, imported=imported),
                condition="attribute_not_exists(pk)",
            ),
            self._put(key_items.record(key, key_hash), condition="attribute_not_exists(pk)"),
            self._put(
                key_items.work("provision", key.owner, key.id, key_hash),
                # A new id is random. One that was brought along may have come under another owner
                # a moment ago: that one's work waits then. Work without a hash is of no key.
                condition="attribute_not_exists(#hash)" if imported else None,
                names={"#hash": "hash"} if imported else None,
            ),
        ]
        try:
            transact(self._client, writes, pause=self._pause)
        except Cancelled as cancelled:
            if cancelled.refused(1) or cancelled.refused(2) or cancelled.refused(3):
                raise KeyExists from None
            if cancelled.refused(0):
                raise KeyLimitReached(keys_per_user) from None
            raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None

    def revoke(self, owner: str, key_id: str, *, now_ms: int) -> bool:
        """Revoke for good, whole or not at all; whether there was a key to revoke."""
        record = self._record_of(owner, key_id)
        if record is None:
            return False
        key_hash = record["hash"]["S"]
        where = {"pk": record["pk"], "sk": record["sk"]}
        writes = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": where,
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
            self._put({**record, "sk": s(items.revoked_sk(key_id)), "revoked_at_ms": n(now_ms)}),
            self._update(
                items.credential_pk(key_hash),
                items.CREDENTIAL,
                "SET #state = :revoked",
                {":revoked": s(items.REVOKED)},
                condition="attribute_exists(pk)",
                names={"#state": "state"},
            ),
            self._update(items.user_pk(owner), items.COUNT, "ADD active :less", {":less": n(-1)}),
            self._put(key_items.work("retire", owner, key_id, key_hash)),
        ]
        try:
            transact(self._client, writes, pause=self._pause)
        except Cancelled as cancelled:
            if cancelled.refused(0):  # somebody else's revocation came first
                return False
            raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
        return True

    def change_limit(
        self, owner: str, key_id: str, *, rate_limit: int, now_ms: Callable[[], int]
    ) -> bool:
        """Give a key another limit, its record and its window in one; whether there was a key.

        Raises:
            StoreThrottled: requests on the key came in between each time.
        """
        for _ in range(_LIMIT_TRIES):
            record = self._record_of(owner, key_id)
            if record is None:
                return False
            where = {
                "TableName": self._table,
                "Key": {
                    "pk": s(items.credential_pk(record["hash"]["S"])),
                    "sk": s(items.CREDENTIAL),
                },
            }
            credential = self._transport.call("GetItem", {**where, "ConsistentRead": True})["Item"]
            moved = change_limit(credential, now_ms=now_ms(), limit=rate_limit)
            shown = self._update(
                record["pk"]["S"],
                record["sk"]["S"],
                "SET rate_limit = :limit",
                {":limit": n(rate_limit)},
                condition="attribute_exists(pk)",
            )
            try:
                transact(self._client, [{"Update": {**where, **moved}}, shown], pause=self._pause)
            except Cancelled as cancelled:
                if not (cancelled.refused(0) or cancelled.refused(1)):
                    raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
            else:
                return True
        raise StoreThrottled("TransactWriteItems", "KeyTooBusy")

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's non-revoked keys."""
        record = self._record_of(owner, key_id)
        return None if record is None else self._with_last_use([record])[0]

    def page(self, owner: str, *, limit: int, after: str | None, descending: bool) -> Page:
        """The owner's non-revoked keys in the order of their ids, ``after`` that id."""
        first, last = id_range(after, descending=descending)
        found = self._transport.call(
            "Query",
            {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
                "ExpressionAttributeValues": {
                    ":pk": s(items.user_pk(owner)),
                    ":first": s(items.record_sk(first)),
                    ":last": s(items.record_sk(last)),
                },
                "ScanIndexForward": not descending,
                "ConsistentRead": True,
                "Limit": limit + 1,
            },
        )["Items"]
        return Page(items=self._with_last_use(found[:limit]), has_more=len(found) > limit)

    def _record_of(self, owner: str, key_id: str) -> dict[str, Any] | None:
        answer = self._transport.call(
            "GetItem",
            {
                "TableName": self._table,
                "Key": {"pk": s(items.user_pk(owner)), "sk": s(items.record_sk(key_id))},
                "ConsistentRead": True,
            },
        )
        return answer.get("Item")

    def _with_last_use(self, records: list[dict[str, Any]]) -> list[ApiKey]:
        """Keys with ``last_used_at``, which lies on the credential alone: one request a page."""
        hashes = [record["hash"]["S"] for record in records]
        seen = last_uses(self._transport, table=self._table, hashes=hashes)
        return [
            key_items.api_key(record, last_used_at_ms=seen.get(record["hash"]["S"]))
            for record in records
        ]

    def _put(
        self,
        item: Mapping[str, Any],
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        parts = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
        }
        return {"Put": _given(parts)}

    def _update(
        self,
        pk: str,
        sk: str,
        update: str,
        values: Mapping[str, Any],
        *,
        condition: str | None = None,
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        parts = {
            "TableName": self._table,
            "Key": {"pk": s(pk), "sk": s(sk)},
            "UpdateExpression": update,
            "ExpressionAttributeValues": values,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
        }
        return {"Update": _given(parts)}


def _given(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}
