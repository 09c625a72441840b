"""Revoking: one plain write that nothing holds up, then the books, finished by whoever comes.

The write turns the credential off, and with it the key is refused: no transaction, count or queue
is in its way, however busy the key is. Then one transaction of items that no request on the key
touches moves the record, lowers the owner's count, leaves work for the usage plans and adds the
entry of the audit log (see ``pending``).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import put, update
from chatgrid_auth.adapters.key_changes import books as change_books
from chatgrid_auth.adapters.key_changes import disabling
from chatgrid_auth.adapters.key_changes.intents import Intent, new_token
from chatgrid_auth.adapters.key_changes.pending import PendingChanges, Unfinished, revocation_of
from chatgrid_auth.adapters.key_changes.stale import RecordFull
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.rotation import books
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.audit_table.chain import AuditChain
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.domain.audit import AuditEvent

Item = Mapping[str, Any]

_DAY_SECONDS = 86_400


class Revocations:
    """Ends keys, and finishes what others have begun.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        chain: adds the entries of the audit log.
        own_gateway_keys: whether keys get API Gateway keys of their own: no work is left if not.
        retention_days: how long credential and record of a key that is revoked here are kept.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        chain: AuditChain,
        own_gateway_keys: bool = True,
        retention_days: int = items.RETENTION_DAYS,
    ) -> None:
        self._retention_seconds = retention_days * _DAY_SECONDS
        self._transport = transport
        self._table = table
        self._own_gateway_keys = own_gateway_keys
        self.pending = PendingChanges(
            transport,
            table=table,
            chain=chain,
            writers={
                audit.REVOKED: self._writes,
                **books.writers(table),
                **change_books.writers(table),
                **disabling.writers(table, by_request=change_books.writers(table)),
            },
        )

    def revoke(self, record: Item, event: AuditEvent) -> bool:
        """Revoke the key of this record for good; whether it was this call that did it.

        Once the credential is turned off the answer is known, whatever becomes of the books.

        Raises:
            StoreUnavailable: the credential could not be turned off; it may have been.
        """
        room = True
        try:
            intent = self.pending.begin(record, event)
        except RecordFull:  # what fills it means nothing once the key is revoked, and goes then
            intent, room = Intent(token=new_token(), event=event), False
        except ConditionFailed:  # the record is gone: somebody else's revocation came first
            return False
        try:
            expires_on = event.at_ms // 1_000 + self._retention_seconds
            home, revoked = self._turn_off(record, intent.token, expires_on=expires_on), True
        except ConditionFailed as refused:
            # Somebody else's revocation came first; or, if there is no credential, nobody's.
            home, revoked = refused.item, refused.item is None
        # The key is refused already; others do the rest.
        with suppress(StoreUnavailable, ConditionFailed):
            if not room:
                self.pending.leave_in_place_of_others(record, intent)
            self.pending.finish(record, home or {items.MARKS: {"SS": [intent.token]}})
        return revoked

    def finish(self, record: Item, credential: Item) -> None:
        """Bring the books of a key into order; does nothing where they are.

        Args:
            record: as it was read under its owner, still among the others.
            credential: the whole of it.

        Raises:
            StoreUnavailable: they may or may not be in order now.
        """
        self.pending.finish(record, credential)

    def told_by(self, record: Item, credential: Item) -> tuple[int, str]:
        """When and why a key was revoked of which the books are not in order yet."""
        return revocation_of(record, credential)

    def resume(self, owner: str, key_id: str, key_hash: str) -> None:
        """Finish changes of which the credential's marks tell that they were cut off.

        Raises:
            StoreUnavailable: they may or may not be finished now.
        """
        credential = self._transport.call(
            "GetItem",
            {"TableName": self._table, "Key": _credential(key_hash), "ConsistentRead": True},
        ).get("Item")
        if credential is not None:
            record = {
                "pk": s(items.user_pk(owner)),
                "sk": s(items.record_sk(key_id)),
                "hash": s(key_hash),
            }
            self.finish(record, credential)

    def _writes(self, change: Unfinished) -> list[dict[str, Any]]:
        """What follows from a revocation."""
        record, home, event = change.bare_record(), change.home, change.intent.event
        revoked = {
            **key_items.revoked(record, at_ms=event.at_ms, reason=audit.reason_of(event)),
            "sk": s(items.revoked_sk(event.target_id)),
            "rate_limit": home.get(items.LIMIT, record["rate_limit"]),
        }
        if items.EXPIRES_ON in home:  # not where it was turned off by hand
            revoked[items.EXPIRES_ON] = home[items.EXPIRES_ON]
        writes = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": {"pk": record["pk"], "sk": record["sk"]},
                    "ConditionExpression": f"attribute_exists({change.intent.attribute})",
                }
            },
            put(self._table, revoked),
            *books.left_behind(self._table, record, home.get(items.EXPIRES_ON)),
            *change_books.left_behind(self._table, record, home),
            update(
                self._table,
                (record["pk"]["S"], items.COUNT),
                "ADD active :less",
                {":less": n(-1)},
            ),
        ]
        if self._own_gateway_keys:
            key_hash = record["hash"]["S"]
            work = key_items.work("retire", event.owner, event.target_id, key_hash)
            writes.append(put(self._table, work))
        return writes

    def _turn_off(self, record: Item, token: str, *, expires_on: int) -> Item | None:
        """The write that is the revocation. A repeat whose first answer was lost knows its mark."""
        key_id = record["sk"]["S"].partition("#")[2]
        owner = record["pk"]["S"].removeprefix(items.user_pk(""))
        response = self._transport.call(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": _credential(record["hash"]["S"]),
                "UpdateExpression": (
                    f"SET #off = :revoked, {items.EXPIRES_ON} = :expires_on"
                    f" REMOVE {items.LEVEL} ADD {items.MARKS} :mark"
                ),
                "ConditionExpression": (
                    f"#id = :id AND {items.OWNER} = :owner"
                    f" AND ({items.NOT_REVOKED} OR contains({items.MARKS}, :token))"
                ),
                "ExpressionAttributeNames": {"#off": items.OFF, "#id": items.KEY_ID},
                "ExpressionAttributeValues": {
                    ":revoked": s(items.REVOKED),
                    ":mark": {"SS": [token]},
                    ":token": s(token),
                    ":expires_on": n(expires_on),
                    ":id": items.uuid(key_id),
                    ":owner": items.uuid(owner),
                },
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
        found: Item = response["Attributes"]
        return found


def _credential(key_hash: str) -> dict[str, Any]:
    return {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)}
