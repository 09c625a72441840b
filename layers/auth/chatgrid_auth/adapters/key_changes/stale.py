"""Intents that nobody can finish any more leave the record, and their aliases come to an end.

A change that was cut off before its commit leaves an intent, and a rotation an alias besides, to a
secret that was given to nobody. A record has room for some hundred intents only.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.key_changes.intents import all_intents
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.intents import Intent

Item = Mapping[str, Any]

#: A function of ours lives for seconds; an operator's command may have been suspended for a night.
STALE_MS = 86_400_000


class RecordFull(StoreUnavailable):
    """A record has no room for another intent."""


class StaleIntents:
    """Takes them back. Does nothing where the store is out: who comes later does it then.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def clear(self, record: Item, *, now_ms: int) -> None:
        """Take back what nobody can commit any more; reads nothing where there is nothing old.

        Raises:
            StoreUnavailable: the key cannot be read.
        """
        if not _never_committed(record, marks=frozenset(), revoked=True, now_ms=now_ms):
            return
        # The home first: what was committed by then, and is no mark any more, is in the books, and
        # has left the record with them.
        home = self._read(
            {"pk": s(items.credential_pk(record["hash"]["S"])), "sk": s(items.CREDENTIAL)}
        )
        known = self._read({"pk": record["pk"], "sk": record["sk"]})
        if home is not None and known is not None:
            self.take_back(known, home, now_ms=now_ms)

    def take_back(self, record: Item, home: Item, *, now_ms: int) -> None:
        """Take back what nobody can commit any more of a record that was read after the home."""
        marks = frozenset(home.get(items.MARKS, {}).get("SS", ()))
        revoked = items.is_revoked(home)
        for intent in _never_committed(record, marks=marks, revoked=revoked, now_ms=now_ms):
            self.withdraw(record, intent, at_ms=max(now_ms, intent.event.at_ms))

    def withdraw(self, record: Item, intent: Intent, *, at_ms: int) -> None:
        """Take back an intent of which it is known that it was not committed, nor will be."""
        key_hash = intent.facts.get("hash")
        if key_hash is not None:  # first: without the intent nobody knows of the alias any more
            alias = {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)}
            ended = f"SET {items.EXPIRES_ON} = :on"
            self._change(alias, ended, there="pk", values={":on": n(at_ms // 1_000)})
        place = {"pk": record["pk"], "sk": record["sk"]}
        self._change(place, f"REMOVE {intent.attribute}", there=intent.attribute)

    def _change(
        self, place: Item, expression: str, *, there: str, values: Item | None = None
    ) -> None:
        question = {
            "TableName": self._table,
            "Key": place,
            "UpdateExpression": expression,
            "ConditionExpression": f"attribute_exists({there})",
        }
        if values:
            question["ExpressionAttributeValues"] = values
        with suppress(ConditionFailed, StoreUnavailable):
            self._transport.call("UpdateItem", question)

    def _read(self, place: Item) -> Item | None:
        question = {"TableName": self._table, "Key": place, "ConsistentRead": True}
        found: Item | None = self._transport.call("GetItem", question).get("Item")
        return found


def _never_committed(
    record: Item, *, marks: frozenset[str], revoked: bool, now_ms: int
) -> list[Intent]:
    """Those that nobody committed, and nobody can: nothing is committed on a revoked home."""
    return [
        intent
        for intent in all_intents(record)
        if intent.token not in marks and (revoked or intent.event.at_ms < now_ms - STALE_MS)
    ]
