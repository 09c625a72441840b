"""What follows from a rotation, and from the end of a previous secret, away from the home.

| item | pk | sk | holds |
| --- | --- | --- | --- |
| alias | ``KEY#<hash of a later secret>`` | ``#`` | ``h``: the hash of the home |
| grace | ``GRACES`` | until when, in 13 digits, owner and key id | what is told when it runs out |

The record of a rotated key has besides: ``secret``, the hash of the current secret; ``previous``
and ``previous_hash``, prefix and hash of the one before; ``grace_until_ms``, until when that passes
if the key lives as long; ``grace``, the sort key of its grace; ``used_before_ms``, the last use of
secrets that the home tells nothing of any more.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import put, update
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain import audit

if TYPE_CHECKING:
    from chatgrid_auth.adapters.key_changes.pending import Unfinished, Writer

#: The partition of the graces that still run.
GRACES = "GRACES"
_PREVIOUS = "previous, previous_hash, grace_until_ms, grace"


def writers(table: str) -> Mapping[str, Writer]:
    """The cold writes of this room's actions."""
    return {
        audit.ROTATED: lambda change: _rotated(table, change),
        audit.SECRET_REISSUED: lambda change: _reissued(table, change),
        audit.PREVIOUS_SECRET_ENDED: lambda change: _ended(table, change),
    }


def left_behind(table: str, record: Mapping[str, Any], expires_on: Any) -> list[dict[str, Any]]:
    """The writes by which aliases and grace of a revoked key come to their end.

    Args:
        expires_on: when DynamoDB disposes of the key's home, in DynamoDB JSON; ``None`` for never.
    """
    writes = [] if "grace" not in record else [_no_grace(table, record)]
    if expires_on is not None:
        hashes = {record[name]["S"] for name in ("secret", "previous_hash") if name in record}
        aliases = sorted(hashes - {record["hash"]["S"]})
        writes += [_disposed_of(table, alias, expires_on) for alias in aliases]
    return writes


def _rotated(table: str, change: Unfinished) -> list[dict[str, Any]]:
    facts, event, record = change.intent.facts, change.intent.event, change.record
    values = {":secret": s(facts["hash"]), ":prefix": s(facts["prefix"])}
    values |= _at(change)
    expression = "SET prefix = :prefix, secret = :secret, updated_at_ms = :at"
    removed, grace, writes = _PREVIOUS, None, []
    if facts.get("used"):
        expression += ", used_before_ms = :used"
        values[":used"] = n(int(facts["used"]))
    if facts.get("until"):
        ends_ms, removed = int(facts["ends"]), ""
        grace = s(grace_sk(ends_ms, event.owner, event.target_id))
        expression += (
            ", previous = :previous, previous_hash = :former, grace_until_ms = :until,"
            " grace = :grace"
        )
        values |= {
            ":previous": s(facts["was_prefix"]),
            ":former": s(facts["was_hash"]),
            ":until": n(int(facts["until"])),
            ":grace": grace,
        }
        running = {"pk": s(GRACES), "sk": grace, "owner": s(event.owner), "id": s(event.target_id)}
        running |= {"previous": s(facts["was_prefix"]), "ends_ms": n(ends_ms)}
        writes.append(put(table, running))
    # One that has run out by then stays, for the sweep to tell of.
    if record.get("grace", grace) != grace and int(record["grace"]["S"][:13]) > event.at_ms:
        writes.append(_no_grace(table, record))
    if facts["was_hash"] != record["hash"]["S"]:
        writes.append(_disposed_of(table, facts["was_hash"], n(int(facts["gone"]))))
    return [change.on_record(table, expression, values, remove=removed), *writes]


def _reissued(table: str, change: Unfinished) -> list[dict[str, Any]]:
    facts = change.intent.facts
    values = {":secret": s(facts["hash"]), ":prefix": s(facts["prefix"]), **_at(change)}
    expression = "SET prefix = :prefix, secret = :secret, updated_at_ms = :at"
    writes = [change.on_record(table, expression, values)]
    if facts["was_hash"] != change.record["hash"]["S"]:
        writes.append(_disposed_of(table, facts["was_hash"], n(int(facts["gone"]))))
    return writes


def _ended(table: str, change: Unfinished) -> list[dict[str, Any]]:
    writes = [change.on_record(table, "SET updated_at_ms = :at", _at(change), remove=_PREVIOUS)]
    if "grace" in change.record:
        writes.append(_no_grace(table, change.record))
    return writes


def _at(change: Unfinished) -> dict[str, Any]:
    return {":at": n(change.intent.event.at_ms)}


def grace_sk(ends_ms: int, owner: str, key_id: str) -> str:
    """The sort key of a grace: in the order in which they run out."""
    return f"{ends_ms:013d}#{owner}#{key_id}"


def _no_grace(table: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {"Delete": {"TableName": table, "Key": {"pk": s(GRACES), "sk": record["grace"]}}}


def _disposed_of(table: str, key_hash: str, expires_on: Any) -> dict[str, Any]:
    place = (items.credential_pk(key_hash), items.CREDENTIAL)
    return update(table, place, f"SET {items.EXPIRES_ON} = :on", {":on": expires_on})
