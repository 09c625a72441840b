"""Keys in DynamoDB: a credential under the key's hash, a record under its owner.

Both are created in one transaction, together with the owner's count and the work that the usage
plans are left with, so nothing is ever half created. What changes afterwards is committed by one
write on the credential, which requests on the key do not hold up; the record follows. Lists read
the base table with strong consistency, and believe the credential: a new key is in the next list,
a revoked one is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.adapters.keys_table.key_pages import KeyPages
from chatgrid_auth.domain.credentials import ApiKey, Page
from chatgrid_auth.services.key_filters import NO_FILTERS, KeyFilters

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.idempotency.notes import DynamoNotes
    from chatgrid_auth.adapters.key_changes.changes import DynamoKeyChanges
    from chatgrid_auth.adapters.key_changes.writers import KeyWriters
    from chatgrid_auth.adapters.leaks.exposed_keys import DynamoExposedKeys
    from chatgrid_auth.adapters.rotation.rotations import DynamoRotations
    from chatgrid_auth.domain.audit import AuditEvent, Entry
    from chatgrid_auth.services.descendants import Kin
    from chatgrid_auth.services.repeatable import NoteChange


class DynamoKeyStore:
    """The keys table, as ``services.key_store.KeyStore`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        audit_table: the audit table's name.
        pause: waits that many seconds; between tries of a transaction that met another.
        anchor: is told of each entry of the audit log that was written; it must not fail.
        own_gateway_keys: whether keys get API Gateway keys of their own: no work is left if not.
        revoked_retention_days: how long what is left of a revoked key is kept.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        audit_table: str,
        pause: Callable[[float], None],
        anchor: Callable[[Entry], None] = lambda _entry: None,
        own_gateway_keys: bool = True,
        revoked_retention_days: int = items.RETENTION_DAYS,
    ) -> None:
        @cache
        def writers() -> KeyWriters:
            # Half of what a store is, and a list waits for none of it.
            from chatgrid_auth.adapters.key_changes.writers import KeyWriters  # noqa: PLC0415 - see above

            return KeyWriters(
                transport,
                table=table,
                audit_table=audit_table,
                pause=pause,
                anchor=anchor,
                own_gateway_keys=own_gateway_keys,
                revoked_retention_days=revoked_retention_days,
            )

        self._transport = transport
        self._table = table
        self._writers = writers
        self._pages = KeyPages(transport, table=table, revocations=lambda: writers().revocations)

    @property
    def exposed(self) -> DynamoExposedKeys:
        """Keys that were found where they should not be."""
        return self._writers().exposed

    @property
    def rotations(self) -> DynamoRotations:
        """The keys' secrets."""
        return self._writers().rotations

    @property
    def changes(self) -> DynamoKeyChanges:
        """The keys' settings."""
        return self._writers().changes

    @property
    def notes(self) -> DynamoNotes:
        """What is remembered of requests that may come again."""
        return self._writers().notes

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
        self._writers().creations.create(
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
        return record is not None and self._writers().revocations.revoke(record, event)

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's non-revoked keys."""
        record = self._record_of(owner, key_id)
        if record is None:
            return None
        return next(iter(self._pages.keys([record], NO_FILTERS)), None)

    def home_of(self, owner: str, key_id: str) -> tuple[ApiKey, str] | None:
        """One of the owner's non-revoked keys, as its record has it, and where its home lies."""
        record = self._record_of(owner, key_id)
        return None if record is None else (key_items.api_key(record, {}), record["hash"]["S"])

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
        return self._writers().made_by_keys(owner=owner)

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
