"""That a canary was used lies in the audit table as a notice: its stream tells EventBridge.

A notice is one item, put there if it is not: that is all that makes it come once.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage.canaries import sightings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chatgrid_auth.adapters.dynamodb.transport import Transport


def give(transport: Transport, lines: Iterable[tuple[int, str]], *, table: str) -> None:
    """Tell of the canaries in these decision lines, each once a minute and address.

    Args:
        lines: when each was written, in Unix milliseconds, and its text.
        table: the audit table's name.

    Raises:
        StoreUnavailable: some may not be told of; giving all again does no harm.
    """
    for sighting in sightings(lines):
        question = {
            "TableName": table,
            "Item": layout.sighting_item(sighting),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        with suppress(ConditionFailed):
            transport.call("PutItem", question)
