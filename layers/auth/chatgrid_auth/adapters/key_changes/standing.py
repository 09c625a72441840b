"""A key as it stands now, whole: its books in order, record and home of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import current_tag, s
from chatgrid_auth.domain.errors import StoreThrottled
from chatgrid_auth.domain.keys import tag_of

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.pending import PendingChanges

Item = Mapping[str, Any]

#: Between two reads somebody else may change the key; that seldom happens twice.
_TRIES = 40


class WholeKeys:
    """Reads keys for a change, and finishes first what was cut off.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        pending: finishes changes.
    """

    def __init__(self, transport: Transport, *, table: str, pending: PendingChanges) -> None:
        self._transport = transport
        self._table = table
        self._pending = pending

    def read(self, owner: str, key_id: str) -> tuple[Item, Item] | None:
        """Record and home of one of the owner's non-revoked keys.

        A home without marks has all its changes in the books. A record that was read before one of
        them does not count as many as the home, or names another secret, and is read again.

        Raises:
            StoreThrottled: others changed the key between each two reads.
        """
        place = {"pk": s(items.user_pk(owner)), "sk": s(items.record_sk(key_id))}
        for _ in range(_TRIES):
            record = self._item(place)
            home = record and self._item(home_of(record))
            if record is None or home is None:
                return None
            if items.MARKS in home or items.is_revoked(home):
                self._pending.finish(record, home)
            elif _of_one_moment(record, home):
                return record, home
        raise StoreThrottled("GetItem", "KeyContended")

    def _item(self, key: Item) -> Item | None:
        question = {"TableName": self._table, "Key": key, "ConsistentRead": True}
        found: Item | None = self._transport.call("GetItem", question).get("Item")
        return found


def home_of(record: Item) -> dict[str, Any]:
    """Where the home of this record's key lies."""
    return {"pk": s(items.credential_pk(record["hash"]["S"])), "sk": s(items.CREDENTIAL)}


def _of_one_moment(record: Item, home: Item) -> bool:
    current = record.get("secret", record["hash"])["S"]
    return record.get(items.CHANGES) == home.get(items.CHANGES) and (
        current_tag(home) == tag_of(current)
    )
