"""The owners' chains, read: by pages, whole, and to tell whether they hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.domain.audit import Entry, Head, Verification
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.services.audit.chain import verify
from chatgrid_auth.services.audit.log import EntryPage

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport


_FIRST, _LAST = layout.sk(0), layout.sk(10**10 - 1)


class AuditTrail:
    """The audit table, as ``services.audit.log.AuditLog`` asks for it.

    Args:
        transport: DynamoDB.
        table: the audit table's name.
        most_entries: how many are read to verify a chain; ``None`` for any number.
    """

    def __init__(
        self, transport: Transport, *, table: str, most_entries: int | None = None
    ) -> None:
        self._most_entries = most_entries
        self._transport = transport
        self._table = table

    def page(self, owner: str, *, limit: int, after: int | None, descending: bool) -> EntryPage:
        """The owner's entries in the order of their numbers, ``after`` that one."""
        first, last = _FIRST, _LAST
        if after is not None and descending:
            last = layout.sk(max(after - 1, 0))
        elif after is not None:
            first = layout.sk(after + 1)
        question = self._entries_of(owner, first=first, last=last)
        question.update({"ScanIndexForward": not descending, "Limit": limit + 1})
        found = list(islice(every_item(self._transport, "Query", question), limit + 1))
        shown = found[:limit]
        return EntryPage(
            items=[layout.document_of(item) for item in shown],
            last_seq=layout.seq_of(shown[-1]) if shown else None,
            has_more=len(found) > limit,
        )

    def entries(self, owner: str, *, descending: bool = False) -> Iterator[Entry]:
        """All entries of one owner, in the order of their numbers."""
        question = self._entries_of(owner, first=_FIRST, last=_LAST)
        question["ScanIndexForward"] = not descending
        for item in every_item(self._transport, "Query", question):
            yield Entry(owner=owner, document=layout.document_of(item))

    def verify(self, owner: str) -> Verification:
        """Whether the owner's chain holds, every entry of it read.

        Raises:
            StoreUnavailable: the store is out, or the chain has more entries than are read here:
                of a part of it nothing is said.
        """
        head = self._head(owner)
        if head is not None:
            self._refuse_beyond(head.seq)
        question = self._entries_of(owner, first=_FIRST, last=_LAST)
        kept = self._bounded(every_item(self._transport, "Query", question))
        stored = ((layout.seq_of(item), layout.document_of(item)) for item in kept)
        found = verify(stored, head=head or Head())
        # A chain that began meanwhile has its head by now; one that has none still has lost it.
        if found.entries and found.first_broken_seq is None and self._head(owner) is None:
            return Verification(entries=found.entries, first_broken_seq=found.entries + 1)
        return found

    def _bounded(self, kept: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for number, item in enumerate(kept, 1):
            self._refuse_beyond(number)
            yield item

    def _refuse_beyond(self, entries: int) -> None:
        if self._most_entries is not None and entries > self._most_entries:
            raise StoreUnavailable("Query", "ChainTooLong")

    def _head(self, owner: str) -> Head | None:
        place = {"pk": {"S": layout.pk(owner)}, "sk": {"S": layout.HEAD}}
        question = {"TableName": self._table, "Key": place, "ConsistentRead": True}
        item = self._transport.call("GetItem", question).get("Item")
        return None if item is None else layout.head_of(item)

    def _entries_of(self, owner: str, *, first: str, last: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": layout.pk(owner)},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            "ConsistentRead": True,
        }
