"""Changing a key: one plain write on the home, on condition that no other change came since.

The home counts the changes of its key, and each change demands the number that it saw. So those
that race come one after the other, each made out of what the one before left: none loses anything.
What a change says of requests holds from that write on; what is only shown follows with the books.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.key_changes import books
from chatgrid_auth.adapters.key_changes.intents import all_intents
from chatgrid_auth.adapters.key_changes.standing import WholeKeys, home_of
from chatgrid_auth.adapters.keys_table import items, key_items, policy_items
from chatgrid_auth.adapters.keys_table.items import current_tag, n, s
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits.window_upkeep import change_limit
from chatgrid_auth.domain.scopes import level_of
from chatgrid_auth.services.key_changes.changing import Seen

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.key_changes.pending import PendingChanges
    from chatgrid_auth.domain.audit import AuditEvent
    from chatgrid_auth.domain.credentials import ApiKey, Credits

Item = Mapping[str, Any]


class DynamoKeyChanges:
    """The keys table, as ``services.key_changes.changing.KeyChangeStore`` asks for it.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        pending: begins changes and finishes them.
    """

    def __init__(self, transport: Transport, *, table: str, pending: PendingChanges) -> None:
        self._transport = transport
        self._table = table
        self._pending = pending
        self._whole = WholeKeys(transport, table=table, pending=pending)

    def look(self, owner: str, key_id: str) -> Seen | None:
        """One of the owner's non-revoked keys as it stands now, its books in order."""
        found = self._whole.read(owner, key_id)
        if found is None:
            return None
        key = key_items.api_key(*found)
        return Seen(key=key, store=found, unsettled=bool(all_intents(found[0])))

    def change(self, seen: Seen, became: ApiKey, *, event: AuditEvent) -> ApiKey | None:
        """Make the key what it became; ``None``, and nothing is done, if it stands otherwise."""
        record, _ = seen.store
        version: int | None = None
        try:
            if _has_another_policy(seen.key, became) and policy_items.attributes(became):
                version = self._new_policy(record, became)
            write, facts = _written(seen, became, version=version, at_ms=event.at_ms)
            intent = self._pending.begin(record, event, facts)
        except ConditionFailed:  # revoked meanwhile
            return None
        done = self._commit(record, write.marked(intent.token), intent.token)
        if done is None:
            self._pending.withdraw(record, intent)
            self._forget(record, version)
            return None
        with suppress(StoreUnavailable):  # it is done; others see to the books
            self._pending.finish(record, done)
        previous = key_items.api_key(record, done).previous_secret
        return replace(became, previous_secret=previous)

    def _commit(self, record: Item, write: Mapping[str, Any], token: str) -> Item | None:
        """The home after the write; ``None`` if it was not done."""
        try:
            done: Item = self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": home_of(record),
                    "ReturnValues": "ALL_NEW",
                    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    **write,
                },
            )["Attributes"]
        except ConditionFailed as refused:
            # The repeat of a write whose first answer was lost finds its own mark.
            found = refused.item or {}
            return found if token in found.get(items.MARKS, {}).get("SS", ()) else None
        return done

    def _new_policy(self, record: Item, became: ApiKey) -> int:
        """Keep a policy under a version that no other ever has; nothing names it yet.

        Raises:
            ConditionFailed: the key has been revoked.
        """
        counted = self._transport.call(
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": {"pk": record["pk"], "sk": record["sk"]},
                "UpdateExpression": "ADD #policy :one",
                "ConditionExpression": "attribute_exists(pk)",
                "ExpressionAttributeNames": {"#policy": policy_items.COUNTER},
                "ExpressionAttributeValues": {":one": n(1)},
                "ReturnValues": "UPDATED_NEW",
            },
        )
        version = int(counted["Attributes"][policy_items.COUNTER]["N"])
        policy = policy_items.policy(became, record["hash"]["S"], version)
        kept = {
            "TableName": self._table,
            "Item": policy,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._transport.call("PutItem", kept)
        except ConditionFailed as refused:
            # The repeat of a write whose first answer was lost finds its own.
            if refused.item != policy:
                raise StoreUnavailable("PutItem", "PolicyVersionTaken") from None
        return version

    def _forget(self, record: Item, version: int | None) -> None:
        """Take a policy away that nothing came to name."""
        if version is None:
            return
        place = policy_items.place(record["hash"]["S"], version)
        with suppress(StoreUnavailable):  # it stays, and nothing ever reads it
            self._transport.call("DeleteItem", {"TableName": self._table, "Key": place})


@dataclass(slots=True)
class _Write:
    """The one write on the home, put together."""

    sets: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def marked(self, token: str) -> dict[str, Any]:
        """Its parameters, the mark among them."""
        removed = f" REMOVE {', '.join(self.removed)}" if self.removed else ""
        return {
            "UpdateExpression": f"SET {', '.join(self.sets)}{removed} ADD {items.MARKS} :mark",
            "ConditionExpression": " AND ".join(self.conditions),
            "ExpressionAttributeNames": self.names,
            "ExpressionAttributeValues": {**self.values, ":mark": {"SS": [token]}},
        }


def _has_another_policy(key: ApiKey, became: ApiKey) -> bool:
    # Credits always come under another version: a refill on its way belongs to those before.
    return key.credits != became.credits or (
        policy_items.attributes(key) != policy_items.attributes(became)
    )


def _written(
    seen: Seen, became: ApiKey, *, version: int | None, at_ms: int
) -> tuple[_Write, dict[str, str]]:
    """The write, and what its books need to know."""
    key, (record, home) = seen.key, seen.store
    write = _counted(home)
    facts = {books.COUNT: write.values[":count"]["N"], **books.facts(key, became)}
    if became.rate_limit != key.rate_limit:
        _of_limit(write, home, limit=became.rate_limit, at_ms=at_ms)
    _of_level(write, home, key, became)
    if became.expires_at_ms != key.expires_at_ms:
        facts |= _of_expiry(write, record, home, became, at_ms=at_ms)
    if became.credits != key.credits:
        _of_credits(write, key.credits, became.credits)
    if _has_another_policy(key, became):
        facts |= _of_policy(write, home, version)
    return write, facts


def _counted(home: Item) -> _Write:
    """A write that is the next change of a key that stands as it was seen."""
    write = _Write(names={"#count": items.CHANGES, "#off": items.OFF})
    known = int(home.get(items.CHANGES, n(0))["N"])
    write.sets.append("#count = :count")
    write.values[":count"] = n(known + 1)
    if known:
        write.conditions.append("#count = :known")
        write.values[":known"] = n(known)
    else:
        write.conditions += ["attribute_exists(pk)", "attribute_not_exists(#count)"]
    if items.OFF in home:
        write.conditions.append("#off = :off")
        write.values[":off"] = home[items.OFF]
    else:
        write.conditions.append("attribute_not_exists(#off)")
    return write


def _of_limit(write: _Write, home: Item, *, limit: int, at_ms: int) -> None:
    parts = change_limit(home, now_ms=at_ms, limit=limit)
    sets, _, removed = parts["UpdateExpression"].removeprefix("SET ").partition(" REMOVE ")
    write.sets.append(sets)
    write.removed += filter(None, [removed])
    write.conditions.append(parts["ConditionExpression"])
    write.values |= parts["ExpressionAttributeValues"]


def _of_level(write: _Write, home: Item, key: ApiKey, became: ApiKey) -> None:
    """Whether the key is active, and then how far it reaches; a canary never is."""
    if items.TRAP in home:
        return
    if became.enabled:
        if not key.enabled:
            write.removed.append("#off")
        level = n(level_of(became.scopes))
        if home.get(items.LEVEL) != level:
            write.sets.append(f"{items.LEVEL} = :level")
            write.values[":level"] = level
    elif key.enabled:
        write.sets.append("#off = :why")
        write.removed.append(items.LEVEL)
        write.values[":why"] = s(became.disabled_reason or items.MANUAL)


def _of_credits(write: _Write, had: Credits | None, has: Credits | None) -> None:
    """Sets what is said, and leaves what is spent meanwhile to whoever spends it."""
    if has is None:
        write.removed += [items.TOP, items.DUE]
        return
    if has.added and had is not None and had.next_at_ms == has.next_at_ms:
        write.sets.append(f"{items.TOP} = {items.TOP} + :added")
        write.values[":added"] = n(has.added)
    elif had is None or had.remaining != has.remaining or had.next_at_ms != has.next_at_ms:
        write.sets.append(f"{items.TOP} = used + :remaining")
        write.values[":remaining"] = n(has.remaining)
    if has.next_at_ms is None:
        write.removed.append(items.DUE)
    else:
        write.sets.append(f"{items.DUE} = :due")
        write.values[":due"] = n(has.next_at_ms)


def _of_expiry(
    write: _Write, record: Item, home: Item, became: ApiKey, *, at_ms: int
) -> dict[str, str]:
    """Until when its secrets pass. One that has ended stays so, also when the key lives longer."""
    current = items.until(current_tag(home))
    ends_ms = items.passes_until(became.expires_at_ms)
    if items.CURRENT in home:
        write.conditions.append(f"{items.CURRENT} = :current")
        write.values[":current"] = home[items.CURRENT]
    else:
        write.conditions.append(f"attribute_not_exists({items.CURRENT})")
    write.names["#c"] = current
    write.sets.append("#c = :ends")
    write.values[":ends"] = n(ends_ms)
    facts = {"expires_at_ms": "" if became.expires_at_ms is None else str(ends_ms)}
    previous = [name for name in home if items.is_until(name) and name != current]
    if not previous:
        return facts
    # Whoever ends it or lets it be followed meanwhile is not undone.
    write.names["#p"] = previous[0]
    write.conditions.append("#p = :was")
    write.values[":was"] = home[previous[0]]
    if int(home[previous[0]]["N"]) > at_ms and "grace" in record:
        until_ms = min(int(record["grace_until_ms"]["N"]), ends_ms)
        write.sets.append("#p = :until")
        write.values[":until"] = n(until_ms)
        facts["grace_ends"] = str(until_ms)
    return facts


def _of_policy(write: _Write, home: Item, version: int | None) -> dict[str, str]:
    """Which policy holds from now on, none if there is no version."""
    facts = {"policy_was": home[items.VERSION]["N"]} if items.VERSION in home else {}
    if version is not None:
        write.sets.append(f"{items.VERSION} = :version")
        write.values[":version"] = n(version)
    elif facts:
        write.removed.append(items.VERSION)
    return facts
