"""All chains of a stack: an operator's view, by reading the whole table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.domain.audit import Entry

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport


class AuditInventory:
    """The audit table, read whole.

    Args:
        transport: DynamoDB.
        table: the audit table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def every_entry(self) -> Iterator[Entry]:
        """All entries of all owners, each owner's in the order of their numbers."""
        question = {"TableName": self._table, "ConsistentRead": True}
        for item in every_item(self._transport, "Scan", question):
            if layout.is_entry(item):
                yield Entry(owner=layout.owner_of(item), document=layout.document_of(item))

    def owners(self) -> list[str]:
        """Every owner that has a chain, in order."""
        question = {"TableName": self._table, "ConsistentRead": True, "ProjectionExpression": "pk"}
        return sorted(
            {
                layout.owner_of(item)
                for item in every_item(self._transport, "Scan", question)
                if not layout.is_notice(item)
            }
        )
