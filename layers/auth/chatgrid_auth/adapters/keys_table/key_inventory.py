"""All keys of a stack, whoever owns them: an operator's view, which reads and never writes.

What lies under one owner is a Query; all owners, or a key whose owner is not known, are a Scan of
the whole table, read in pages as they are asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.batch_read import MOST_AT_ONCE
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.key_changes.pending import revocation_of
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.credential_reads import read_credentials
from chatgrid_auth.adapters.keys_table.items import s

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import ApiKey

_KEY, _REVOKED = "KEY#", "REVOKED#"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """A key as it is kept; ``revoked_at_ms`` is ``None`` while it is not revoked.

    Attributes:
        hash: of its first secret, which its home lies under; it may have ended.
        secret_hash: of its current secret.
    """

    key: ApiKey
    hash: str = field(repr=False)
    secret_hash: str = field(repr=False)
    revoked_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Whose the key under a hash is."""

    owner: str
    key_id: str


class KeyInventory:
    """The keys table, read.

    Args:
        client: boto3's low-level DynamoDB client.
        table: the keys table's name.
    """

    def __init__(self, client: DynamoDBClient, *, table: str) -> None:
        self._transport = Boto3Transport(client)
        self._table = table

    def is_empty(self) -> bool:
        """Whether nothing was ever kept here."""
        response = self._transport.call("Scan", self._whole({"Limit": 1}))
        return not response["Items"] and "LastEvaluatedKey" not in response

    def keys_of(self, owner: str, *, revoked: bool = False) -> Iterator[StoredKey]:
        """The owner's keys, the oldest first; revoked ones, if asked for, after the others."""
        for prefix in (_KEY, _REVOKED) if revoked else (_KEY,):
            question = {
                "KeyConditionExpression": "pk = :pk AND begins_with(sk, :sk)",
                "ExpressionAttributeValues": {":pk": s(items.user_pk(owner)), ":sk": s(prefix)},
            }
            yield from self._stored(self._found("Query", question), revoked=revoked)

    def every_key(self, *, revoked: bool = False) -> Iterator[StoredKey]:
        """The keys of all owners, in no order; revoked ones only if asked for."""
        return self._stored(self._found("Scan", _every(revoked=revoked)), revoked=revoked)

    def hashes_by_id(self) -> dict[str, str]:
        """Every id that a key has or, if it is revoked, had, with that key's hash."""
        question = {
            **_every(revoked=True),
            "ProjectionExpression": "sk, #hash",
            "ExpressionAttributeNames": {"#hash": "hash"},
        }
        return {
            record["sk"]["S"].partition("#")[2]: record["hash"]["S"]
            for record in self._found("Scan", question)
        }

    def find(self, key_id: str, *, owner: str | None = None) -> StoredKey | None:
        """The key with this id, revoked or not, found by reading on until it comes."""
        pool = self.every_key(revoked=True) if owner is None else self.keys_of(owner, revoked=True)
        return next((stored for stored in pool if stored.key.id == key_id), None)

    def holders(self, hashes: Iterable[str]) -> dict[str, Holder]:
        """Whose the keys under these hashes are, revoked ones included, by hash.

        Args:
            hashes: up to ``batch_read.MOST_AT_ONCE``, each once.
        """
        found = self._named(hashes)
        homes = {
            key_hash: items.hash_text(item[items.HOME]["B"])
            for key_hash, item in found.items()
            if items.HOME in item
        }
        at_home = self._named(set(homes.values()))
        for key_hash, home in homes.items():
            # The alias of a rotation that was refused may outlive its key: nobody holds that.
            del found[key_hash]
            if home in at_home:
                found[key_hash] = at_home[home]
        return {
            key_hash: Holder(
                owner=items.uuid_text(item[items.OWNER]["B"]),
                key_id=items.uuid_text(item[items.KEY_ID]["B"]),
            )
            for key_hash, item in found.items()
        }

    def _named(self, hashes: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Whose the keys under these hashes are, or where that lies."""
        attributes = [items.OWNER, items.KEY_ID, items.HOME]
        return read_credentials(
            self._transport, table=self._table, hashes=hashes, attributes=attributes
        )

    def _found(self, operation: str, question: dict[str, Any]) -> Iterator[dict[str, Any]]:
        return every_item(self._transport, operation, self._whole(question))

    def _stored(self, found: Iterator[dict[str, Any]], *, revoked: bool) -> Iterator[StoredKey]:
        while records := list(islice(found, MOST_AT_ONCE)):
            hashes = {record["hash"]["S"] for record in records}
            credentials = read_credentials(self._transport, table=self._table, hashes=hashes)
            for record in records:
                key_hash = record["hash"]["S"]
                credential = credentials.get(key_hash, {})
                key = key_items.api_key(_as_it_is(record, credential), credential)
                if key.revoked_at_ms is None or revoked:
                    yield StoredKey(
                        key=key,
                        hash=key_hash,
                        secret_hash=record.get("secret", record["hash"])["S"],
                        revoked_at_ms=key.revoked_at_ms,
                    )

    def _whole(self, question: dict[str, Any]) -> dict[str, Any]:
        return {"TableName": self._table, "ConsistentRead": True, **question}


def _as_it_is(record: Mapping[str, Any], credential: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record, and in it also a revocation that has not come there yet."""
    if "revoked_at_ms" in record or not items.is_revoked(credential):
        return record
    at_ms, reason = revocation_of(record, credential)
    return key_items.revoked(record, at_ms=at_ms, reason=reason)


def _every(*, revoked: bool) -> dict[str, Any]:
    """What a Scan has to be told to find every key's record."""
    wanted = "begins_with(sk, :key)"
    values = {":user": s(items.user_pk("")), ":key": s(_KEY)}
    if revoked:
        wanted = f"({wanted} OR begins_with(sk, :revoked))"
        values[":revoked"] = s(_REVOKED)
    return {
        "FilterExpression": f"begins_with(pk, :user) AND {wanted}",
        "ExpressionAttributeValues": values,
    }
