"""Making keys: credential, record, counts, work and the audit log's entry, all of them or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import put
from chatgrid_auth.adapters.idempotency.notes import written
from chatgrid_auth.adapters.keys_table import items, key_items, policy_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import (
    Cancelled,
    StoreThrottled,
    StoreUnavailable,
)
from chatgrid_auth.domain.key_errors import (
    KeyExists,
    KeyLimitReached,
    MakerRevoked,
    StillRunning,
)
from chatgrid_auth.services.creations import with_another

if TYPE_CHECKING:
    from chatgrid_auth.adapters.audit_table.chain import AuditChain
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.domain.audit import AuditEvent
    from chatgrid_auth.domain.credentials import ApiKey
    from chatgrid_auth.services.repeatable import NoteChange

#: A creation that meets another of the same owner's has to look again.
_TRIES = 10


class KeyCreations:
    """Keeps new keys.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        chain: adds the entries of the audit log.
        own_gateway_keys: whether keys get API Gateway keys of their own: no work is left if not.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        chain: AuditChain,
        own_gateway_keys: bool,
    ) -> None:
        self._transport = transport
        self._table = table
        self._chain = chain
        self._own_gateway_keys = own_gateway_keys

    def create(
        self,
        key: ApiKey,
        *,
        key_hash: str,
        keys_per_user: int,
        creations_per_hour: int,
        imported: bool,
        event: AuditEvent,
        note: NoteChange | None = None,
    ) -> None:
        """Keep a new key and the entry that tells of it, whole or not at all.

        Args:
            creations_per_hour: how many keys the owner may make in any hour; 0 for any number.
            imported: another system issued it, so that its text does not tell its environment.
            note: what is remembered of the request, written with the key.

        Raises:
            KeyExists: there is a key with this hash, or one of the owner's with this id, or an
                imported one's id was claimed by another owner's imported key.
            KeyLimitReached: the owner holds ``keys_per_user`` keys.
            CreationLimitReached: the owner made ``creations_per_hour`` keys in the last hour.
            MakerRevoked: the key that makes it has been revoked.
            StillRunning: the note is another by now.
        """
        maker = key.created_by.key_id
        writes = self._writes(key, key_hash, imported=imported)
        noted = [] if note is None else [written(self._table, note)]
        for _ in range(_TRIES):
            counted = self._one_more(key, keys_per_user, creations_per_hour)
            try:
                self._chain.transact([counted, *writes, *noted], event)
            except Cancelled as cancelled:
                # Without a note the first write of the audit log stands at its place.
                if noted and cancelled.refused(len(writes) + 1):
                    raise StillRunning from None
                if maker is not None and cancelled.refused(3):
                    raise MakerRevoked from None
                if any(cancelled.refused(at) for at in range(1, len(writes) + 1)):
                    raise KeyExists from None
                if not cancelled.refused(0):
                    raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
                if not creations_per_hour:
                    raise KeyLimitReached(keys_per_user) from None
            else:
                return
        raise StoreThrottled("TransactWriteItems", "CountContended")

    def _writes(self, key: ApiKey, key_hash: str, *, imported: bool) -> list[dict[str, Any]]:
        """All writes but that of the count; the third is about the maker, where that is a key."""
        new = "attribute_not_exists(pk)"
        credential = key_items.credential(key, key_hash, imported=imported)
        writes = [
            put(self._table, credential, condition=new),
            put(self._table, key_items.record(key, key_hash), condition=new),
        ]
        if key.created_by.key_id is not None:
            pk, sk = items.user_pk(key.owner), items.record_sk(key.created_by.key_id)
            maker = {"TableName": self._table, "Key": {"pk": s(pk), "sk": s(sk)}}
            there = {**maker, "ConditionExpression": "attribute_exists(pk)"}
            writes.append({"ConditionCheck": there})
        if self._own_gateway_keys:
            work = key_items.work("provision", key.owner, key.id, key_hash)
            writes.append(put(self._table, work))
        if policy_items.attributes(key):
            policy = policy_items.policy(key, key_hash, policy_items.FIRST)
            writes.append(put(self._table, policy, condition=new))
        if imported:
            # A new id is random. One that was brought along may have come under another owner too.
            writes.append(put(self._table, key_items.claim(key.id), condition=new))
            # As after the loss of a table: its gateway key waits to be removed while it comes back.
            orphan = {"TableName": self._table, "Key": items.work_key("", key.id)}
            writes.append({"Delete": orphan})
        return writes

    def _one_more(self, key: ApiKey, most: int, most_an_hour: int) -> dict[str, Any]:
        """The write that counts a new key: of those that live, and of those of the last hour."""
        place = (items.user_pk(key.owner), items.COUNT)
        if not most_an_hour:
            return key_items.one_more(self._table, place, most=most)
        where = {"pk": s(place[0]), "sk": s(place[1])}
        found = self._transport.call(
            "GetItem", {"TableName": self._table, "Key": where, "ConsistentRead": True}
        ).get("Item", {})
        if int(found.get("active", n(0))["N"]) >= most:
            raise KeyLimitReached(most)
        known = found.get(key_items.MADE)
        times = with_another(
            [] if known is None else [int(time["N"]) for time in known["L"]],
            now_ms=key.created_at_ms,
            most=most_an_hour,
        )
        # Whoever makes another key meanwhile changes the times, and this one looks again.
        return key_items.one_more(self._table, place, most=most, times=times, known=known)
