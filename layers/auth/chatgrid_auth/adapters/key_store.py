"""Keys in DynamoDB: a credential under the key's hash, a record under its owner.

Both are written in one transaction, together with the owner's count and the work that the
usage plans are left with, so nothing is ever half created or half revoked. Lists read the base
table with strong consistency: a new key is in the next list, a revoked one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chatgrid_auth.adapters import items
from chatgrid_auth.adapters.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.items import n, s
from chatgrid_auth.adapters.transactions import Cancelled, transact
from chatgrid_auth.domain import window
from chatgrid_auth.domain.credentials import ApiKey, Page
from chatgrid_auth.domain.errors import KeyLimitReached, StoreUnavailable
from chatgrid_auth.domain.scopes import effective

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_BATCH_ATTEMPTS = 5


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

    def create(self, key: ApiKey, *, key_hash: str, keys_per_user: int) -> None:
        """Keep a new key, whole or not at all."""
        count = self._update(
            items.user_pk(key.owner),
            items.COUNT,
            "ADD active :one",
            {":one": n(1), ":most": n(keys_per_user)},
            condition="attribute_not_exists(active) OR active < :most",
        )
        writes = [
            count,
            self._put(_credential(key, key_hash), condition="attribute_not_exists(pk)"),
            self._put(_record(key, key_hash), condition="attribute_not_exists(pk)"),
            self._put(_work("provision", key.owner, key.id, key_hash)),
        ]
        try:
            transact(self._client, writes, pause=self._pause)
        except Cancelled as cancelled:
            if cancelled.refused(writes.index(count)):
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
            self._put(_work("retire", owner, key_id, key_hash)),
        ]
        try:
            transact(self._client, writes, pause=self._pause)
        except Cancelled as cancelled:
            if cancelled.refused(0):  # somebody else's revocation came first
                return False
            raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
        return True

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's non-revoked keys."""
        record = self._record_of(owner, key_id)
        return None if record is None else self._with_last_use([record])[0]

    def page(self, owner: str, *, limit: int, after: str | None, descending: bool) -> Page:
        """The owner's non-revoked keys in the order of their ids, ``after`` that id."""
        first, last = _range(after, descending=descending)
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
        seen: dict[str, int] = {}
        pending: list[dict[str, Any]] = [
            {"pk": s(items.credential_pk(record["hash"]["S"])), "sk": s(items.CREDENTIAL)}
            for record in records
        ]
        for _ in range(_BATCH_ATTEMPTS):
            if not pending:
                break
            answer = self._transport.call(
                "BatchGetItem",
                {
                    "RequestItems": {
                        self._table: {
                            "Keys": pending,
                            "ProjectionExpression": "pk, seen",
                            "ConsistentRead": True,
                        }
                    }
                },
            )
            for item in answer["Responses"].get(self._table, []):
                if "seen" in item:
                    seen[item["pk"]["S"]] = int(item["seen"]["N"])
            pending = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
        if pending:
            raise StoreUnavailable("BatchGetItem", "UnprocessedKeys")
        return [
            _key(record, last_used_at_ms=seen.get(items.credential_pk(record["hash"]["S"])))
            for record in records
        ]

    def _put(self, item: Mapping[str, Any], *, condition: str | None = None) -> dict[str, Any]:
        put = {"TableName": self._table, "Item": item}
        return {"Put": put if condition is None else {**put, "ConditionExpression": condition}}

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
        return {"Update": {name: part for name, part in parts.items() if part is not None}}


def _range(after: str | None, *, descending: bool) -> tuple[str, str]:
    """First and last id of what is left to read, both included."""
    first, last = 0, (1 << 128) - 1
    if after is not None:
        position = UUID(after).int
        first, last = (0, max(position - 1, 0)) if descending else (min(position + 1, last), last)
    return str(UUID(int=first)), str(UUID(int=last))


def _credential(key: ApiKey, key_hash: str) -> dict[str, Any]:
    item = {
        "pk": s(items.credential_pk(key_hash)),
        "sk": s(items.CREDENTIAL),
        "owner": s(key.owner),
        "id": s(key.id),
        "scopes": s(" ".join(effective(key.scopes))),
        "state": s(items.ACTIVE),
        "limit": n(key.rate_limit),
        **window.fresh(key.rate_limit),
    }
    if key.expires_at_ms is not None:
        item["expires"] = n(key.expires_at_ms)
    return item


def _record(key: ApiKey, key_hash: str) -> dict[str, Any]:
    item = {
        "pk": s(items.user_pk(key.owner)),
        "sk": s(items.record_sk(key.id)),
        "name": s(key.name),
        "prefix": s(key.prefix),
        "scopes": s(" ".join(key.scopes)),
        "environment": s(key.environment),
        "rate_limit": n(key.rate_limit),
        "created_at_ms": n(key.created_at_ms),
        "hash": s(key_hash),
    }
    if key.expires_at_ms is not None:
        item["expires_at_ms"] = n(key.expires_at_ms)
    return item


def _work(action: str, owner: str, key_id: str, key_hash: str) -> dict[str, Any]:
    return {
        "pk": s(items.PLANS),
        "sk": s(key_id),
        "action": s(action),
        "owner": s(owner),
        "hash": s(key_hash),
    }


def _key(record: Mapping[str, Any], *, last_used_at_ms: int | None) -> ApiKey:
    expires = record.get("expires_at_ms")
    return ApiKey(
        id=record["sk"]["S"].removeprefix("KEY#"),
        owner=record["pk"]["S"].removeprefix("USER#"),
        name=record["name"]["S"],
        prefix=record["prefix"]["S"],
        scopes=tuple(record["scopes"]["S"].split()),
        environment=record["environment"]["S"],
        rate_limit=int(record["rate_limit"]["N"]),
        created_at_ms=int(record["created_at_ms"]["N"]),
        expires_at_ms=None if expires is None else int(expires["N"]),
        last_used_at_ms=last_used_at_ms,
    )
