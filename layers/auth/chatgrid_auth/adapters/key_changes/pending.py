"""What was committed on a key's home is told of once, by whoever comes, whoever was cut off.

A change of what decides on requests is one plain write on the home, which nothing holds up. What
follows from it lies elsewhere: record, counts, work, and the entry of the audit log, which has to
name who did it. So each change leaves

1. an intent on the record: who does what, under a token of its own;
2. with the commit, that token among the home's marks;
3. one transaction of cold items, whose condition is that the intent is still there, and which takes
   it away: done once, however many come to do it;
4. at last the mark goes.

An intent whose token is no mark was never committed, or not yet: it means nothing. One that never
can be is taken away by whoever comes (see ``stale``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.transactions import update
from chatgrid_auth.adapters.key_changes.intents import INTENT, Intent, all_intents, new_token
from chatgrid_auth.adapters.key_changes.stale import RecordFull, StaleIntents
from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.errors import Cancelled, ConditionFailed, StoreThrottled, StoreUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.audit_table.chain import AuditChain
    from chatgrid_auth.adapters.dynamodb.transport import Transport

Item = Mapping[str, Any]

#: As many changes of one key may be cut off before anybody looks at it.
_TRIES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """A committed change that is not in the books yet.

    Attributes:
        record: as it lies under its owner now, with its intents.
        home: the credential, read after the commit.
    """

    record: Item
    home: Item
    intent: Intent

    def bare_record(self) -> dict[str, Any]:
        """The record without intents."""
        return {name: v for name, v in self.record.items() if not name.startswith(INTENT)}

    def on_record(
        self, table: str, expression: str, values: Mapping[str, Any], *, remove: str = ""
    ) -> dict[str, Any]:
        """The write that changes the record and takes the intent away.

        Args:
            expression: what to do beside, without a REMOVE.
            remove: what else to remove, as names with commas between them.
        """
        removed = ", ".join(filter(None, (self.intent.attribute, remove)))
        place = (self.record["pk"]["S"], self.record["sk"]["S"])
        condition = f"attribute_exists({self.intent.attribute})"
        return update(
            table, place, f"{expression} REMOVE {removed}".strip(), values, condition=condition
        )


#: The cold writes of a change; the first is on the record, on condition of the intent.
Writer = Callable[[Unfinished], list[dict[str, Any]]]


class PendingChanges:
    """Begins changes, and finishes those that were committed.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        chain: adds the entries.
        writers: for each action of the audit log the writes that finish it.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        chain: AuditChain,
        writers: Mapping[str, Writer],
    ) -> None:
        self._transport = transport
        self._table = table
        self._chain = chain
        self._writers = writers
        self._stale = StaleIntents(transport, table=table)

    def begin(
        self,
        record: Item,
        event: AuditEvent,
        facts: Mapping[str, str] | None = None,
        *,
        minted_ms: Sequence[int] | None = None,
    ) -> Intent:
        """Leave the intent of a change on a record that is there.

        Args:
            minted_ms: when the key got other secrets in the last hour, the one that is begun among
                them; ``None`` where that is not counted.

        Raises:
            ConditionFailed: it is not: the key has been revoked meanwhile; or those times are
                others by now.
            RecordFull: it has no room for one.
            StoreUnavailable: any other fault; the intent may be there.
        """
        self._stale.clear(record, now_ms=event.at_ms)
        intent = Intent(token=new_token(), event=event, facts=facts or {})
        self.leave(record, intent, minted_ms=minted_ms)
        return intent

    def leave(
        self, record: Item, intent: Intent, *, minted_ms: Sequence[int] | None = None
    ) -> None:
        """Leave this intent on a record that is there.

        Raises:
            ConditionFailed: it is not, or the secrets that count are others by now.
            RecordFull: it has no room for one.
        """
        expression, condition = f"SET {intent.attribute} = :intent", "attribute_exists(pk)"
        values: dict[str, Any] = {":intent": s(intent.packed())}
        if minted_ms is not None:
            expression += f", {key_items.MINTED} = :minted"
            values[":minted"] = {"L": [n(time) for time in minted_ms]}
            known = record.get(key_items.MINTED)
            if known is None:
                condition += f" AND attribute_not_exists({key_items.MINTED})"
            else:
                condition += f" AND {key_items.MINTED} = :known"
                values[":known"] = known
        try:
            self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"pk": record["pk"], "sk": record["sk"]},
                    "UpdateExpression": expression,
                    "ConditionExpression": condition,
                    "ExpressionAttributeValues": values,
                },
            )
        except StoreUnavailable as fault:
            if fault.code == "ValidationException":  # of this request nothing else can be wrong
                raise RecordFull("UpdateItem", fault.code) from None
            raise

    def leave_in_place_of_others(self, record: Item, intent: Intent) -> None:
        """Leave the intent of a revocation that was committed, on a record that was full.

        Raises:
            ConditionFailed: somebody else has told of the revocation.
        """
        self._stale.clear(record, now_ms=intent.event.at_ms)
        self.leave(record, intent)

    def withdraw(self, record: Item, intent: Intent) -> None:
        """Take back the intent of a change that was refused: nobody has it to finish."""
        self._stale.withdraw(record, intent, at_ms=intent.event.at_ms)

    def finish(self, record: Item, home: Item) -> None:
        """Bring the books of a key into order; does nothing where they are.

        Args:
            record: its place and ``hash``; the rest is read again.
            home: the credential as it was read, its marks among it.

        Raises:
            StoreUnavailable: they may or may not be in order now.
        """
        marks = frozenset(home.get(items.MARKS, {}).get("SS", ()))
        for _ in range(_TRIES):
            known = self._read(record)
            if known is None:
                break
            if items.is_revoked(home):
                self._stale.take_back(known, home, now_ms=0)
            left = intents_of(known, marks)
            if not left and not items.is_revoked(home):
                break
            intent = left[0] if left else self._by_nobody(known, home)
            if intent is None:
                break
            change = Unfinished(record=known, home=home, intent=intent)
            try:
                self._chain.transact(self._writers[intent.event.action](change), intent.event)
            except Cancelled as cancelled:
                if not cancelled.refused(0):
                    raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
        else:
            raise StoreThrottled("TransactWriteItems", "RecordContended")
        if marks:
            self._remove(record["hash"]["S"], marks)

    def _by_nobody(self, record: Item, home: Item) -> Intent | None:
        """The intent of a revocation that nobody has left one for: it was made by hand."""
        event = AuditEvent(
            action=audit.REVOKED,
            owner=record["pk"]["S"].removeprefix(items.user_pk("")),
            target_id=record["sk"]["S"].partition("#")[2],
            actor=THE_SYSTEM,
            at_ms=revocation_of(record, home)[0],
        )
        try:
            return self.begin(record, event)
        except ConditionFailed:  # somebody else has seen it too
            return None

    def _read(self, record: Item) -> Item | None:
        question = {
            "TableName": self._table,
            "Key": {"pk": record["pk"], "sk": record["sk"]},
            "ConsistentRead": True,
        }
        found: Item | None = self._transport.call("GetItem", question).get("Item")
        return found

    def _remove(self, key_hash: str, marks: frozenset[str]) -> None:
        """The books are in order. Left behind, a mark costs the next reader a look."""
        try:
            self._transport.call(
                "UpdateItem",
                {
                    "TableName": self._table,
                    "Key": {"pk": s(items.credential_pk(key_hash)), "sk": s(items.CREDENTIAL)},
                    "UpdateExpression": f"DELETE {items.MARKS} :done",
                    "ConditionExpression": f"attribute_exists({items.MARKS})",
                    "ExpressionAttributeValues": {":done": {"SS": sorted(marks)}},
                },
            )
        except (ConditionFailed, StoreUnavailable):
            return


def intents_of(record: Item, marks: frozenset[str]) -> list[Intent]:
    """The committed changes that a record still tells of; a revocation, which moves it, last."""
    found = [intent for intent in all_intents(record) if intent.token in marks]
    return sorted(found, key=lambda one: (one.event.action == audit.REVOKED, one.event.at_ms))


def revocation_of(record: Item, credential: Item) -> tuple[int, str]:
    """When and why the key was revoked of which the books are not in order yet.

    Where a credential was turned off by hand, nothing tells: the last sign of life then, and no
    reason.
    """
    marks = frozenset(credential.get(items.MARKS, {}).get("SS", ()))
    for intent in intents_of(record, marks):
        if intent.event.action == audit.REVOKED:
            return intent.event.at_ms, audit.reason_of(intent.event)
    at_ms = key_items.last_used_at_ms(credential) or int(record["created_at_ms"]["N"])
    return at_ms, audit.UNSPECIFIED
