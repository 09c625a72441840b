"""Revoking: one plain write that nothing holds up, then the books, finished by whoever comes.

The first write turns the credential off, and with it the key is refused: no transaction, count or
queue is in its way, however busy the key is. It leaves a mark on the credential. Then one
transaction of items that no request on the key touches moves the record, lowers the owner's count
and leaves work for the usage plans; last the mark goes. Where that was cut off, the next reader of
the record, a repeated revocation or the sweep does the rest.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.keys_table.transactions import Cancelled, put, transact, update
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

Item = Mapping[str, Any]

#: What else a credential has to say for its revocation to be finished.
ATTRIBUTES = ("state", "limit", "seen", items.REVOKING, items.EXPIRES_ON)


#: Long enough for a yearly look at who held what.
RETENTION_DAYS = 400
_DAY_SECONDS = 86_400


class Revocations:
    """Ends keys, and finishes what others have begun.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        pause: waits that many seconds; between tries of a transaction that met another.
        own_gateway_keys: whether keys get API Gateway keys of their own: no work is left if not.
        retention_days: how long credential and record of a key that is revoked here are kept.
    """

    def __init__(
        self,
        transport: Boto3Transport,
        *,
        table: str,
        pause: Callable[[float], None],
        own_gateway_keys: bool = True,
        retention_days: int = RETENTION_DAYS,
    ) -> None:
        self._retention_seconds = retention_days * _DAY_SECONDS
        self._transport = transport
        self._table = table
        self._pause = pause
        self._own_gateway_keys = own_gateway_keys

    def revoke(self, record: Item, *, now_ms: int) -> bool:
        """Revoke the key of this record for good; whether it was this call that did it.

        Once the credential is turned off the answer is known, whatever becomes of the books.

        Raises:
            StoreUnavailable: the credential could not be turned off; it may have been.
        """
        mark = f"{now_ms} {os.urandom(8).hex()}"
        try:
            expires_on = now_ms // 1_000 + self._retention_seconds
            credential, revoked = self._turn_off(record, mark, expires_on=expires_on), True
        except ConditionFailed as refused:
            # Somebody else's revocation came first; or, if there is no credential, nobody's.
            credential, revoked = refused.item, refused.item is None
        with suppress(StoreUnavailable):  # the key is refused already; others do the rest
            self.finish(record, credential or {items.REVOKING: s(mark)})
        return revoked

    def finish(self, record: Item, credential: Item) -> None:
        """Bring the books of a revoked key into order; does nothing where they are.

        Args:
            record: as it was read under its owner, still among the others.
            credential: at least its ``ATTRIBUTES``.

        Raises:
            StoreUnavailable: they may or may not be in order now.
        """
        key_id, key_hash = record["sk"]["S"].partition("#")[2], record["hash"]["S"]
        revoked = {
            **record,
            "sk": s(items.revoked_sk(key_id)),
            "rate_limit": credential.get("limit", record["rate_limit"]),
            "revoked_at_ms": n(revoked_at_ms(record, credential)),
        }
        if items.EXPIRES_ON in credential:  # not where it was turned off by hand
            revoked[items.EXPIRES_ON] = credential[items.EXPIRES_ON]
        owner = record["pk"]["S"].removeprefix(items.user_pk(""))
        count = (record["pk"]["S"], items.COUNT)
        writes = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": {"pk": record["pk"], "sk": record["sk"]},
                    "ConditionExpression": "attribute_exists(pk)",
                }
            },
            put(self._table, revoked),
            update(self._table, count, "ADD active :less", {":less": n(-1)}),
        ]
        if self._own_gateway_keys:
            writes.append(put(self._table, key_items.work("retire", owner, key_id, key_hash)))
        try:
            transact(self._transport.client, writes, pause=self._pause)
        except Cancelled as cancelled:
            if not cancelled.refused(0):
                raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
        self._remove_mark(key_hash)

    def resume(self, owner: str, key_id: str, key_hash: str) -> None:
        """Finish a revocation of which the credential's mark tells that it was cut off.

        Raises:
            StoreUnavailable: it may or may not be finished now.
        """
        where = {"pk": s(items.user_pk(owner)), "sk": s(items.record_sk(key_id))}
        record = self._read(where)
        credential = self._read(_credential(key_hash))
        if record is None or credential is None:
            self._remove_mark(key_hash)
        else:
            self.finish(record, credential)

    def _turn_off(self, record: Item, mark: str, *, expires_on: int) -> Item | None:
        """The write that is the revocation. A repeat whose first answer was lost knows its mark."""
        key_id = record["sk"]["S"].partition("#")[2]
        owner = record["pk"]["S"].removeprefix(items.user_pk(""))
        response = self._transport.call(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": _credential(record["hash"]["S"]),
                "UpdateExpression": (
                    f"SET #state = :revoked, {items.REVOKING} = :mark,"
                    f" {items.EXPIRES_ON} = :expires_on"
                ),
                "ConditionExpression": (
                    "#id = :id AND #owner = :owner"
                    f" AND (#state <> :revoked OR {items.REVOKING} = :mark)"
                ),
                "ExpressionAttributeNames": {"#state": "state", "#id": "id", "#owner": "owner"},
                "ExpressionAttributeValues": {
                    ":revoked": s(items.REVOKED),
                    ":mark": s(mark),
                    ":expires_on": n(expires_on),
                    ":id": s(key_id),
                    ":owner": s(owner),
                },
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )
        found: Item = response["Attributes"]
        return found

    def _remove_mark(self, key_hash: str) -> None:
        """The books are in order. Left behind, the mark costs the sweep a look."""
        try:
            self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": _credential(key_hash),
                    "UpdateExpression": f"REMOVE {items.REVOKING}",
                    "ConditionExpression": f"attribute_exists({items.REVOKING})",
                },
            )
        except (ConditionFailed, StoreUnavailable):
            return

    def _read(self, where: Item) -> Item | None:
        question = {"TableName": self._table, "Key": where, "ConsistentRead": True}
        found: Item | None = self._transport.call("GetItem", question).get("Item")
        return found


def is_revoked(credential: Item) -> bool:
    """Whether a credential says that its key is revoked, wherever its record lies."""
    return credential.get("state") == s(items.REVOKED)


def revoked_at_ms(record: Item, credential: Item) -> int:
    """When the key was revoked of which the books are not in order yet, in Unix milliseconds.

    Where a credential was turned off by hand, nothing tells: the last sign of life then.
    """
    mark = credential.get(items.REVOKING)
    if mark is not None:
        return int(mark["S"].partition(" ")[0])
    return int(credential.get("seen", record["created_at_ms"])["N"])


def _credential(key_hash: str) -> dict[str, Any]:
    return {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)}
