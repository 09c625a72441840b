"""What is done and the entry that tells of it are written together, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.dynamodb.transactions import put, transact
from chatgrid_auth.domain.audit import AuditEvent, Entry, Head
from chatgrid_auth.domain.errors import Cancelled, StoreThrottled, StoreUnavailable
from chatgrid_auth.services.audit.chain import linked

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport

#: Writers of one owner's chain take turns by chance; sixteen at once need some twenty tries.
_RETRIES = RetryPolicy(attempts=40, backoff=0.01, backoff_limit=0.3)


class AuditChain:
    """Adds entries to the owners' chains.

    Args:
        transport: DynamoDB.
        table: the audit table's name.
        pause: waits that many seconds; between tries that met another writer.
        anchor: is told of each entry that was written; it must not fail.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        pause: Callable[[float], None],
        anchor: Callable[[Entry], None] = lambda _entry: None,
    ) -> None:
        self._transport = transport
        self._table = table
        self._pause = pause
        self._anchor = anchor

    def transact(self, writes: Sequence[dict[str, Any]], event: AuditEvent) -> None:
        """Do all of these writes and add the event's entry to its owner's chain, or nothing.

        The entry's number is the next one at the moment of writing: whoever loses it to another
        writer takes the one after. So a chain has no gap and no fork, and what has its condition
        among the writes is told of once, however often it is tried.

        Raises:
            Cancelled: a condition of these writes did not hold; its indexes are theirs.
            StoreThrottled: other writers were in the way until the tries were used up.
            StoreUnavailable: any other fault; it may or may not be done.
        """
        for failures in range(1, _RETRIES.attempts + 1):
            entry, puts = self._next(event)
            try:
                transact(self._transport, [*writes, *puts], pause=self._pause)
            except Cancelled as cancelled:
                if any(cancelled.refused(at) for at in range(len(writes))):
                    raise
                if not any(cancelled.refused(len(writes) + at) for at in range(len(puts))):
                    raise StoreUnavailable("TransactWriteItems", "TransactionCanceled") from None
            else:
                self._anchor(entry)
                return
            self._pause(_RETRIES.pause(failures, os.urandom))
        raise StoreThrottled("TransactWriteItems", "ChainContended")

    def _next(self, event: AuditEvent) -> tuple[Entry, list[dict[str, Any]]]:
        """The event's entry, and the two writes that make it the last one."""
        # Of the head and the last entry one is enough; that a head is lost, or put back by hand,
        # is for the verification to tell, and no reason to refuse what an owner asks for.
        question = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": layout.pk(event.owner)}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": 2,
        }
        found = self._transport.call("Query", question)["Items"]
        known = [layout.head_of(item) for item in found if not layout.is_entry(item)]
        kept = [_end_at(item) for item in found if layout.is_entry(item)]
        last = max([*known, *kept], key=lambda head: head.seq, default=Head())
        entry = linked(event, head=last, entropy=os.urandom)
        head = put(
            self._table,
            layout.head_item(event.owner, entry.head),
            condition="seq = :known" if known else "attribute_not_exists(pk)",
        )
        if known:
            head["Put"]["ExpressionAttributeValues"] = {":known": {"N": str(known[0].seq)}}
        new = "attribute_not_exists(pk)"
        return entry, [head, put(self._table, layout.entry_item(entry), condition=new)]


def _end_at(item: dict[str, Any]) -> Head:
    return Head(seq=layout.seq_of(item), hash=layout.document_of(item).get("hash"))
