"""What follows from a change, away from the home: the record, a grace that ends elsewhere now.

The record of a changed key counts its changes as the home does (``c``). With ``metadata`` it has
those, and ``policy``: the last version that was given to a policy of this key, never given again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import put, update
from chatgrid_auth.adapters.keys_table import items, policy_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.rotation.books import GRACES, grace_sk
from chatgrid_auth.domain import audit

if TYPE_CHECKING:
    from chatgrid_auth.adapters.key_changes.pending import Unfinished, Writer
    from chatgrid_auth.domain.credentials import ApiKey

#: In what a change tells its books: the number of this change.
COUNT = "count"


def writers(table: str) -> Mapping[str, Writer]:
    """The cold writes of this room's actions."""
    actions = (audit.UPDATED, audit.DISABLED, audit.ENABLED)
    return {action: lambda change: _changed(table, change) for action in actions}


def facts(key: ApiKey, became: ApiKey) -> dict[str, str]:
    """What a record will say of a changed key; nothing of what stays.

    Its expiry is told by whoever changes the home: the grace goes with it.
    """
    told: dict[str, str] = {}
    if became.name != key.name:
        told["name"] = became.name
    if became.scopes != key.scopes:
        told["scopes"] = " ".join(became.scopes)
    if became.rate_limit != key.rate_limit:
        told["rate_limit"] = str(became.rate_limit)
    if became.self_rotation != key.self_rotation:
        told["self_rotation"] = "yes" if became.self_rotation else ""
    if _refill_of(became) != _refill_of(key):
        told["refill"] = _refill_of(became)
    if became.metadata != key.metadata:
        told["metadata"] = json.dumps(dict(became.metadata)) if became.metadata else ""
    before, after = policy_items.rules(key), policy_items.rules(became)
    for name in before.keys() | after.keys():
        if before.get(name) != after.get(name):
            told[name] = after[name]["S"] if name in after else ""
    return told


def _refill_of(key: ApiKey) -> str:
    refill = None if key.credits is None else key.credits.refill
    return "" if refill is None else str(refill)


def left_behind(
    table: str, record: Mapping[str, Any], home: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """The write by which the policy of a revoked key goes when its home does."""
    if items.VERSION not in home or items.EXPIRES_ON not in home:
        return []
    place = (
        items.credential_pk(record["hash"]["S"]),
        items.policy_sk(int(home[items.VERSION]["N"])),
    )
    gone = f"SET {items.EXPIRES_ON} = :on"
    return [update(table, place, gone, {":on": home[items.EXPIRES_ON]})]


def _changed(table: str, change: Unfinished) -> list[dict[str, Any]]:
    told, record, event = change.intent.facts, change.record, change.intent.event
    kept: dict[str, Any] = {"updated_at_ms": n(event.at_ms), items.CHANGES: n(int(told[COUNT]))}
    if event.action == audit.ENABLED:
        kept[items.ENABLED_AT] = n(event.at_ms)
    gone = {name for name in told if not told[name]}
    for name in told.keys() - gone:
        if name in _KINDS:
            kept[name] = _KINDS[name](told[name])
    writes: list[dict[str, Any]] = []
    condition = f"attribute_exists({change.intent.attribute})"
    moved = told.get("grace_ends") is not None and "grace" in record
    if moved:
        # Somebody else may finish the end of this very grace at the same time.
        condition += " AND grace = :grace_was"
        grace = s(grace_sk(int(told["grace_ends"]), event.owner, event.target_id))
        if grace != record["grace"]:
            kept["grace"] = grace
            running = {"pk": s(GRACES), "sk": grace, "owner": s(event.owner)}
            running |= {"id": s(event.target_id), "previous": record["previous"]}
            running["ends_ms"] = n(int(told["grace_ends"]))
            former = {"TableName": table, "Key": {"pk": s(GRACES), "sk": record["grace"]}}
            writes += [put(table, running), {"Delete": former}]
    if "policy_was" in told:
        place = policy_items.place(record["hash"]["S"], int(told["policy_was"]))
        writes.append({"Delete": {"TableName": table, "Key": place}})
    names = {f"#{name}": name for name in [*kept, *gone]}
    values = {f":{name}": value for name, value in kept.items()}
    removed = ", ".join([change.intent.attribute, *(f"#{name}" for name in sorted(gone))])
    sets = ", ".join(f"#{name} = :{name}" for name in kept)
    shown = {
        "TableName": table,
        "Key": {"pk": record["pk"], "sk": record["sk"]},
        "UpdateExpression": f"SET {sets} REMOVE {removed}",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values | ({":grace_was": record["grace"]} if moved else {}),
    }
    return [{"Update": shown}, *writes]


def _number(text: str) -> dict[str, Any]:
    return n(int(text))


def _yes(_: str) -> dict[str, Any]:
    return {"BOOL": True}


def _pairs(text: str) -> dict[str, Any]:
    return policy_items.pairs(json.loads(text))


#: How the record keeps what a change tells.
_KINDS: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "name": s,
    "scopes": s,
    "rate_limit": _number,
    "expires_at_ms": _number,
    "self_rotation": _yes,
    "metadata": _pairs,
    "allowed_ips": s,
    "allowed_origins": s,
    "permissions": s,
    "refill": s,
}
