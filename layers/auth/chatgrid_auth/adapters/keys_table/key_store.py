"""Keys in DynamoDB: a credential under the key's hash, a record under its owner.

Both are created in one transaction, together with the owner's count and the work that the usage
plans are left with, so nothing is ever half created. What changes afterwards is committed by one
write on the credential, which requests on the key do not hold up; the record follows. Lists read
the base table with strong consistency, and believe the credential: a new key is in the next list,
a revoked one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.dynamodb.transactions import Cancelled, update
from chatgrid_auth.adapters.idempotency.notes import DynamoNotes
from chatgrid_auth.adapters.key_changes.revocations import RETENTION_DAYS, Revocations
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.keys_table.key_creation import KeyCreations
from chatgrid_auth.adapters.keys_table.key_pages import KeyPages
from chatgrid_auth.adapters.rotation.rotations import DynamoRotations
from chatgrid_auth.domain.credentials import ApiKey, Page
from chatgrid_auth.domain.errors import (
    ConditionFailed,
    StoreThrottled,
)
from chatgrid_auth.domain.limits.window_upkeep import change_limit
from chatgrid_auth.services.key_filters import NO_FILTERS, KeyFilters

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.audit import AuditEvent, Entry
    from chatgrid_auth.services.descendants import Kin
    from chatgrid_auth.services.repeatable import NoteChange

#: A change of limit has to hit upon a moment in which no second's first request comes in between.
_LIMIT_TRIES = 10


class DynamoKeyStore:
    """The keys table, as ``services.key_store.KeyStore`` asks for it.

    Args:
        client: boto3's low-level DynamoDB client.
        table: the keys table's name.
        audit_table: the audit table's name.
        pause: waits that many seconds; between tries of a transaction that met another.
        anchor: is told of each entry of the audit log that was written; it must not fail.
        own_gateway_keys: whether keys get API Gateway keys of their own: no work is left if not.
        revoked_retention_days: how long what is left of a revoked key is kept.

    Attributes:
        rotations: the keys' secrets.
        notes: what is remembered of requests that may come again.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        *,
        table: str,
        audit_table: str,
        pause: Callable[[float], None],
        anchor: Callable[[Entry], None] = lambda _entry: None,
        own_gateway_keys: bool = True,
        revoked_retention_days: int = RETENTION_DAYS,
    ) -> None:
        self._transport = Boto3Transport(client)
        self._client = client
        self._table = table
        self._chain = AuditChain(self._transport, table=audit_table, pause=pause, anchor=anchor)
        self._creations = KeyCreations(
            self._transport, table=table, chain=self._chain, own_gateway_keys=own_gateway_keys
        )
        self._revocations = Revocations(
            self._transport,
            table=table,
            chain=self._chain,
            own_gateway_keys=own_gateway_keys,
            retention_days=revoked_retention_days,
        )
        self._pages = KeyPages(self._transport, table=table, revocations=self._revocations)
        self.rotations = DynamoRotations(
            self._transport,
            table=table,
            pending=self._revocations.pending,
            retention_days=revoked_retention_days,
        )
        self.notes = DynamoNotes(self._transport, table=table)

    def create(
        self,
        key: ApiKey,
        *,
        key_hash: str,
        keys_per_user: int,
        event: AuditEvent,
        creations_per_hour: int = 0,
        imported: bool = False,
        note: NoteChange | None = None,
    ) -> None:
        """Keep a new key, whole or not at all: see `KeyCreations.create`."""
        self._creations.create(
            key,
            key_hash=key_hash,
            keys_per_user=keys_per_user,
            creations_per_hour=creations_per_hour,
            imported=imported,
            event=event,
            note=note,
        )

    def revoke(self, owner: str, key_id: str, *, event: AuditEvent) -> bool:
        """Revoke for good; whether there was a key to revoke.

        Raises:
            StoreUnavailable: it may or may not be revoked; a repetition tells.
        """
        record = self._record_of(owner, key_id)
        return record is not None and self._revocations.revoke(record, event)

    def change_limit(
        self,
        owner: str,
        key_id: str,
        *,
        rate_limit: int,
        now_ms: Callable[[], int],
        event: AuditEvent,
    ) -> bool:
        """Give a key another limit; whether there was a key.

        One write on the credential is the change, and what is shown from then on; the record
        follows. A repetition makes good what was cut off in between.

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
            if items.is_revoked(credential):
                return False
            at_ms = now_ms()
            moved = change_limit(credential, now_ms=at_ms, limit=rate_limit)
            try:
                self._transport.call("UpdateItem", {**where, **_unless_revoked(moved)})
                self._show_limit(record, rate_limit, replace(event, at_ms=at_ms))
            except ConditionFailed:
                continue
            return True
        raise StoreThrottled("UpdateItem", "KeyTooBusy")

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's non-revoked keys."""
        record = self._record_of(owner, key_id)
        if record is None:
            return None
        return next(iter(self._pages.keys([record], NO_FILTERS)), None)

    def page(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None,
        descending: bool,
        filters: KeyFilters = NO_FILTERS,
    ) -> Page:
        """The owner's keys that the filters take: see `KeyPages.page`."""
        return self._pages.page(
            owner, limit=limit, after=after, descending=descending, filters=filters
        )

    def made_by_keys(self, owner: str) -> Iterator[Kin]:
        """Keys of this owner that other keys made, revoked ones too."""
        # Read whole: an imported key keeps its id, so ids do not tell what could have made what.
        for lives in (True, False):
            question = {"TableName": self._table, **key_items.kin_question(owner, lives=lives)}
            for item in every_item(self._transport, "Query", question):
                yield key_items.kin(item, lives=lives)

    def _record_of(self, owner: str, key_id: str) -> dict[str, Any] | None:
        response = self._transport.call(
            "GetItem",
            {
                "TableName": self._table,
                "Key": {"pk": s(items.user_pk(owner)), "sk": s(items.record_sk(key_id))},
                "ConsistentRead": True,
            },
        )
        return response.get("Item")

    def _show_limit(self, record: Mapping[str, Any], rate_limit: int, event: AuditEvent) -> None:
        """Keep a credential's limit in its record too, unless that is gone by now."""
        place = (record["pk"]["S"], record["sk"]["S"])
        change = {"from": int(record["rate_limit"]["N"]), "to": rate_limit}
        shown = update(
            self._table,
            place,
            "SET rate_limit = :limit",
            {":limit": n(rate_limit)},
            condition="attribute_exists(pk)",
        )
        with suppress(Cancelled):
            self._chain.transact([shown], replace(event, changes={"rate_limit": change}))


def _unless_revoked(moved: dict[str, Any]) -> dict[str, Any]:
    """A change of a window that is made only while the key is not revoked."""
    return {
        **moved,
        "ConditionExpression": f"{items.NOT_REVOKED} AND {moved['ConditionExpression']}",
        "ExpressionAttributeNames": {"#off": items.OFF},
        "ExpressionAttributeValues": {
            **moved["ExpressionAttributeValues"],
            ":revoked": s(items.REVOKED),
        },
    }
