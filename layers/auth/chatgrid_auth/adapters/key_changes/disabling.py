"""Disabling a key by the system itself: one plain write on the home that nothing holds up.

It needs no look at what the key is: it takes the level away, without which no request passes, and
says why. Whoever disabled a key first has said so for good: a key that is off is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.key_changes.books import COUNT
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.pending import PendingChanges, Unfinished, Writer
    from chatgrid_auth.domain.audit import AuditEvent

Item = Mapping[str, Any]

#: On a record: the tags of the secrets that were reported as leaked, and told of.
EXPOSED = "exposed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Only:
    """What must hold of the home besides, for the key to be disabled."""

    condition: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)


ALWAYS = Only()


class Disabling:
    """Disables keys.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        pending: begins changes and finishes them.
    """

    def __init__(self, transport: Transport, *, table: str, pending: PendingChanges) -> None:
        self._transport = transport
        self._table = table
        self._pending = pending

    def disable(
        self,
        record: Item,
        event: AuditEvent,
        *,
        why: str,
        only: Only = ALWAYS,
        told: str | None = None,
    ) -> bool:
        """Disable the key of this record, if it is enabled; whether this call did it.

        Args:
            why: ``dormant`` or ``exposed``.
            only: what else must hold at that very moment.
            told: the tag of a secret of which the entry tells that it is exposed.

        Raises:
            StoreUnavailable: it may or may not be disabled.
        """
        try:
            intent = self._pending.begin(record, event, {} if told is None else {EXPOSED: told})
        except ConditionFailed:  # revoked meanwhile
            return False
        further = f" AND {only.condition}" if only.condition else ""
        try:
            home: Item = self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {
                        "pk": s(items.credential_pk(record["hash"]["S"])),
                        "sk": s(items.CREDENTIAL),
                    },
                    "UpdateExpression": (
                        f"SET #off = :why REMOVE {items.LEVEL} ADD {items.MARKS} :mark"
                    ),
                    "ConditionExpression": f"attribute_exists({items.LEVEL}){further}",
                    "ExpressionAttributeNames": {"#off": items.OFF, **only.names},
                    "ExpressionAttributeValues": {
                        ":why": s(why),
                        ":mark": {"SS": [intent.token]},
                        **only.values,
                    },
                    "ReturnValues": "ALL_NEW",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                },
            )["Attributes"]
        except ConditionFailed as refused:
            # The repeat of a write whose first answer was lost finds its own mark.
            home = refused.item or {}
            if intent.token not in home.get(items.MARKS, {}).get("SS", ()):
                self._pending.withdraw(record, intent)
                return False
        with suppress(StoreUnavailable):  # the key is refused already; others do the rest
            self._pending.finish(record, home)
        return True


def writers(table: str, *, by_request: Mapping[str, Writer]) -> Mapping[str, Writer]:
    """The cold writes by which the books follow.

    Args:
        by_request: the writes of this action where it was a change like others, and counted.
    """

    def shown(change: Unfinished) -> list[dict[str, Any]]:
        expression = "SET updated_at_ms = :at"
        values: dict[str, Any] = {":at": n(change.intent.event.at_ms)}
        if EXPOSED in change.intent.facts:
            expression += f" ADD {EXPOSED} :tags"
            values[":tags"] = {"SS": [change.intent.facts[EXPOSED]]}
        return [change.on_record(table, expression, values)]

    def disabled(change: Unfinished) -> list[dict[str, Any]]:
        counted = COUNT in change.intent.facts
        return by_request[audit.DISABLED](change) if counted else shown(change)

    return {audit.EXPOSED: shown, audit.DISABLED: disabled}
