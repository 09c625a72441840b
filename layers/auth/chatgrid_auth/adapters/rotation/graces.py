"""Graces that have run out: each is told of once, and only those that are due are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.keys_table.items import s
from chatgrid_auth.adapters.rotation.books import GRACES
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.errors import Cancelled
from chatgrid_auth.services.instants import iso_instant

if TYPE_CHECKING:
    from chatgrid_auth.adapters.audit_table.chain import AuditChain
    from chatgrid_auth.adapters.dynamodb.transport import Transport


def end_due(transport: Transport, *, table: str, chain: AuditChain, now_ms: int) -> int:
    """Add the entry of each grace that has run out by itself; how many there were.

    The secret has been refused since; nothing of the key is touched.

    Raises:
        StoreUnavailable: some may be left; the next call tells of them.
    """
    told = 0
    for grace in _due(transport, table=table, now_ms=now_ms):
        key = {"pk": grace["pk"], "sk": grace["sk"]}
        there = "attribute_exists(pk)"
        gone = {"Delete": {"TableName": table, "Key": key, "ConditionExpression": there}}
        with suppress(Cancelled):  # somebody else has told of it, or has ended it
            chain.transact([gone], _event(grace, now_ms))
            told += 1
    return told


def _due(transport: Transport, *, table: str, now_ms: int) -> Iterator[Mapping[str, Any]]:
    question = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk AND sk < :now",
        "ExpressionAttributeValues": {":pk": s(GRACES), ":now": s(f"{now_ms:013d}$")},
        "ConsistentRead": True,
    }
    return every_item(transport, "Query", question)


def _event(grace: Mapping[str, Any], now_ms: int) -> AuditEvent:
    ended = {
        "key_prefix": grace["previous"]["S"],
        "expires_at": iso_instant(int(grace["ends_ms"]["N"])),
    }
    return AuditEvent(
        action=audit.PREVIOUS_SECRET_ENDED,
        owner=grace["owner"]["S"],
        target_id=grace["id"]["S"],
        actor=THE_SYSTEM,
        at_ms=now_ms,
        changes={"previous_secret": {"from": ended, "to": None}},
    )
