"""Rotating: an intent, an alias for the new secret, one plain write on the home, then the books.

The home stays under the hash of the first secret. What a secret may is one attribute there, so one
write, which nothing holds up, lets the new one pass, gives the former its end and takes the one
before away. Its condition is that the key's secrets are those that were looked at: nobody ends
what they did not see, and there are never three.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.key_changes.standing import WholeKeys
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import current_tag, n, s
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.services.rotation import NewSecret, Standing

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.intents import Intent
    from chatgrid_auth.adapters.key_changes.pending import PendingChanges
    from chatgrid_auth.domain.audit import AuditEvent

Item = Mapping[str, Any]

_DAY_SECONDS = 86_400


class DynamoRotations:
    """The keys table, as ``services.rotation.RotationStore`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        pending: begins changes and finishes them.
        retention_days: how long the alias of a secret is kept when that has ended.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        pending: PendingChanges,
        retention_days: int,
    ) -> None:
        self._transport = transport
        self._table = table
        self._pending = pending
        self._retention_seconds = retention_days * _DAY_SECONDS
        self._whole = WholeKeys(transport, table=table, pending=pending)

    def standing(self, owner: str, key_id: str, *, now_ms: int) -> Standing | None:
        """One of the owner's non-revoked keys as it stands now, its books in order."""
        found = self._whole.read(owner, key_id)
        if found is None:
            return None
        record, home = found
        current = current_tag(home)
        used = home.get(items.used_at(current))
        return Standing(
            key=key_items.api_key(record, home).at(now_ms),
            current=current,
            current_used_at_ms=None if used is None else int(used["N"]),
            taken=frozenset(_beginnings(home)),
            seen=(record, home),
            minted_ms=tuple(
                int(time["N"]) for time in record.get(key_items.MINTED, {"L": ()})["L"]
            ),
        )

    def rotate(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        """Make this the current secret; false, and nothing is done, if the key stands otherwise."""
        record, _ = standing.seen
        facts = _facts(
            standing, secret, at_ms=event.at_ms, retention_seconds=self._retention_seconds
        )
        try:
            intent = self._pending.begin(record, event, facts, minted_ms=secret.minted_ms)
        except ConditionFailed:  # revoked meanwhile, or somebody else is making a secret
            return False
        self._transport.call("PutItem", self._alias(record["hash"]["S"], secret.hash))
        change = _rotation(standing, secret, intent)
        return self._commit(record, change, intent, done=items.until(tag_of(secret.hash)))

    def reissue(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        """Put this in the place of a current secret that was never used; whether that was done."""
        record, home = standing.seen
        facts = {
            "hash": secret.hash,
            "prefix": secret.prefix,
            "was_hash": record.get("secret", record["hash"])["S"],
            "gone": str(event.at_ms // 1_000 + self._retention_seconds),
        }
        try:
            intent = self._pending.begin(record, event, facts, minted_ms=secret.minted_ms)
        except ConditionFailed:  # revoked meanwhile, or somebody else is making a secret
            return False
        self._transport.call("PutItem", self._alias(record["hash"]["S"], secret.hash))
        condition, names, values = _as_it_was(standing)
        current, new = items.until(standing.current), items.until(tag_of(secret.hash))
        names |= {"#c": current, "#n": new, "#s": items.used_at(standing.current)}
        names |= {"#off": items.OFF}
        values |= {":seen": home[current], ":revoked": s(items.REVOKED)}
        values |= {":new": s(tag_of(secret.hash)), ":mark": {"SS": [intent.token]}}
        change = {
            # A disabled key may have been made so, and its secret be lost like any other.
            "ConditionExpression": (
                f"{condition} AND {items.NOT_REVOKED} AND #c = :seen"
                " AND attribute_not_exists(#s) AND attribute_not_exists(#n)"
            ),
            "UpdateExpression": (
                f"SET #n = #c, {items.CURRENT} = :new REMOVE #c ADD {items.MARKS} :mark"
            ),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
        return self._commit(record, change, intent, done=new)

    def end_previous(self, standing: Standing, *, event: AuditEvent) -> bool:
        """End the previous secret; false, and nothing is done, if the key stands otherwise."""
        record, _ = standing.seen
        try:
            intent = self._pending.begin(record, event)
        except ConditionFailed:  # revoked meanwhile
            return False
        condition, names, values = _as_it_was(standing)
        names |= {"#p": items.until(tag_of(record["previous_hash"]["S"])), "#off": items.OFF}
        values |= {":now": n(event.at_ms), ":revoked": s(items.REVOKED)}
        change = {
            "ConditionExpression": f"{condition} AND #p > :now AND {items.NOT_REVOKED}",
            "UpdateExpression": f"REMOVE #p ADD {items.MARKS} :mark",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values | {":mark": {"SS": [intent.token]}},
        }
        return self._commit(record, change, intent, done=None)

    def _commit(
        self, record: Item, change: Mapping[str, Any], intent: Intent, *, done: str | None
    ) -> bool:
        """Do the write on the home, then its books; whether it was done.

        Args:
            done: an attribute that is there only if it was, whatever its first response became of.
        """
        try:
            home: Item = self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": _home(record["hash"]["S"]),
                    "ReturnValues": "ALL_NEW",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    **change,
                },
            )["Attributes"]
        except ConditionFailed as refused:
            home = refused.item or {}
            repeated = intent.token in home.get(items.MARKS, {}).get("SS", ())
            if not repeated and (done is None or done not in home):
                self._pending.withdraw(record, intent)
                return False
        with suppress(StoreUnavailable):  # it is done; others see to the books
            self._pending.finish(record, home)
        return True

    def _alias(self, home_hash: str, new_hash: str) -> dict[str, Any]:
        alias = {**_home(new_hash), items.HOME: {"B": bytes.fromhex(home_hash)}}
        return {"TableName": self._table, "Item": alias}


def _rotation(standing: Standing, secret: NewSecret, intent: Intent) -> dict[str, Any]:
    """The write on the home that is the rotation."""
    _, home = standing.seen
    condition, names, values = _as_it_was(standing)
    new = tag_of(secret.hash)
    names |= {"#c": items.until(standing.current), "#n": items.until(new)}
    values |= {":new": s(new), ":mark": {"SS": [intent.token]}, ":seen": home[names["#c"]]}
    condition += " AND attribute_exists(lvl) AND #c = :seen AND attribute_not_exists(#n)"
    sets, removed = ["#n = #c", f"{items.CURRENT} = :new"], []
    if secret.grace_until_ms is None:
        removed.append("#c")
    else:
        sets.append("#c = :until")
        values[":until"] = n(_ends_ms(standing, secret.grace_until_ms))
    for number, name in enumerate(sorted(_others(standing))):
        names[f"#o{number}"] = name
        removed.append(f"#o{number}")
        if name.startswith("x") and standing.key.previous_secret is None:
            # It has ended by this clock; by another's it may have been given longer since.
            condition += f" AND (attribute_not_exists(#o{number}) OR #o{number} <= :now)"
            values[":now"] = n(intent.event.at_ms)
    remove = f" REMOVE {', '.join(removed)}" if removed else ""
    return {
        "ConditionExpression": condition,
        "UpdateExpression": f"SET {', '.join(sets)}{remove} ADD {items.MARKS} :mark",
        "ExpressionAttributeNames": names,
        "ExpressionAttributeValues": values,
    }


def _as_it_was(standing: Standing) -> tuple[str, dict[str, str], dict[str, Any]]:
    """The condition that no other secret came since, its names and values."""
    if items.CURRENT in standing.seen[1]:
        return f"{items.CURRENT} = :old", {}, {":old": s(standing.current)}
    return f"attribute_exists(pk) AND attribute_not_exists({items.CURRENT})", {}, {}


def _others(standing: Standing) -> set[str]:
    """What the home tells of all secrets but the current: ends and last uses."""
    own = {items.until(standing.current), items.used_at(standing.current)}
    return {
        name for name in standing.seen[1] if items.is_until(name) or items.is_used_at(name)
    } - own


def _beginnings(home: Item) -> set[str]:
    names = {name for name in home if items.is_until(name) or items.is_used_at(name)}
    return {name[1:3] for name in names} | {current_tag(home)[:2]}


def _ends_ms(standing: Standing, grace_until_ms: int) -> int:
    _, home = standing.seen
    return min(grace_until_ms, int(home[items.until(standing.current)]["N"]))


def _facts(
    standing: Standing, secret: NewSecret, *, at_ms: int, retention_seconds: int
) -> dict[str, str]:
    """What the books need: hashes, which no entry may hold, and what the home forgets."""
    record, home = standing.seen
    until_ms = secret.grace_until_ms
    ends_ms = at_ms if until_ms is None else _ends_ms(standing, until_ms)
    known = [int(home[name]["N"]) for name in _others(standing) if items.is_used_at(name)]
    if "used_before_ms" in record:
        known.append(int(record["used_before_ms"]["N"]))
    return {
        "hash": secret.hash,
        "prefix": secret.prefix,
        "was_hash": record.get("secret", record["hash"])["S"],
        "was_prefix": record["prefix"]["S"],
        "until": "" if until_ms is None else str(until_ms),
        "ends": str(ends_ms),
        "gone": str(ends_ms // 1_000 + retention_seconds),
        "used": str(max(known)) if known else "",
    }


def _home(key_hash: str) -> dict[str, Any]:
    return {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)}
