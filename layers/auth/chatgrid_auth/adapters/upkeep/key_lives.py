"""Notices lie in the audit table beside the chains: its stream tells EventBridge of them as well.

A notice is one item, put there if it is not: that is all that makes it come once. Disabling what
nobody uses is one write on the home, on condition that every last use there is as it was seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.dynamodb.batch_read import batch_read
from chatgrid_auth.adapters.key_changes.disabling import Disabling, Only
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.upkeep.keeping import DORMANT, Life

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.pending import PendingChanges
    from chatgrid_auth.domain.audit import AuditEvent
    from chatgrid_auth.services.upkeep.notices import Notice
    from chatgrid_auth.services.usage_plans.ports import LiveKey

_OF_LIFE = ("created_at_ms", "used_before_ms", items.ENABLED_AT)


class DynamoKeyLives:
    """The keys table and the audit table, as ``services.upkeep.keeping.KeyLives`` asks for them.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        audit_table: the audit table's name.
        pending: begins changes and finishes them.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        audit_table: str,
        pending: PendingChanges,
    ) -> None:
        self._transport = transport
        self._table = table
        self._audit_table = audit_table
        self._disabling = Disabling(transport, table=table, pending=pending)

    def lives(self, keys: Sequence[LiveKey]) -> dict[str, Life]:
        """Of up to 100 keys those that are not revoked, by key id."""
        found = batch_read(
            self._transport,
            table=self._table,
            keys=[_record(key) for key in keys],
            attributes=_OF_LIFE,
        )
        return {
            record["sk"]["S"].removeprefix(items.record_sk("")): Life(
                created_at_ms=int(record["created_at_ms"]["N"]),
                latest_ms=max(int(record[name]["N"]) for name in _OF_LIFE if name in record),
            )
            for record in found
        }

    def given(self, some: Sequence[Notice]) -> dict[str, int]:
        """When those of up to 100 notices were given that were, by name."""
        found = batch_read(
            self._transport,
            table=self._audit_table,
            keys=[layout.notice_place(one) for one in some],
            attributes=["at_ms"],
        )
        return {item["sk"]["S"]: int(item["at_ms"]["N"]) for item in found}

    def give(self, notice: Notice, *, at_ms: int) -> bool:
        """Give a notice, once; whether this call did it."""
        try:
            self._transport.call(
                "PutItem",
                {
                    "TableName": self._audit_table,
                    "Item": layout.notice_item(notice, at_ms=at_ms),
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
        except ConditionFailed:
            return False
        return True

    def disable_unused(self, key: LiveKey, event: AuditEvent) -> bool:
        """Disable a key that nobody has used since it was seen; whether this call did it."""
        record = {**_record(key), "hash": s(key.key_hash)}
        return self._disabling.disable(record, event, why=DORMANT, only=_unused(key))


def _record(key: LiveKey) -> dict[str, Any]:
    return {"pk": s(items.user_pk(key.owner)), "sk": s(items.record_sk(key.key_id))}


def _unused(key: LiveKey) -> Only:
    """That no secret of the key was used since, and none came."""
    conditions, names, values = [], {}, {}
    for number, (name, at_ms) in enumerate(sorted(key.uses.items())):
        names[f"#u{number}"] = name
        if at_ms is None:
            conditions.append(f"attribute_not_exists(#u{number})")
        else:
            conditions.append(f"#u{number} = :u{number}")
            values[f":u{number}"] = n(at_ms)
    if key.current is None:
        conditions.append(f"attribute_not_exists({items.CURRENT})")
    else:
        conditions.append(f"{items.CURRENT} = :current")
        values[":current"] = s(key.current)
    return Only(condition=" AND ".join(conditions), names=names, values=values)


def uses_of(home: Mapping[str, Any]) -> dict[str, int | None]:
    """The last use of each secret of a home, by attribute; ``None`` for one that was never used."""
    uses: dict[str, int | None] = {
        items.used_at(name.removeprefix(items.UNTIL)): None for name in home if items.is_until(name)
    }
    return uses | {name: int(at["N"]) for name, at in home.items() if items.is_used_at(name)}
