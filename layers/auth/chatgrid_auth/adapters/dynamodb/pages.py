"""What a Query or a Scan finds, however many pages DynamoDB makes of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport


def every_item(
    transport: Transport, operation: str, question: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """All items, page after page as they are asked for.

    DynamoDB ends a page at its ``Limit`` or at a megabyte, whichever comes first.

    Args:
        operation: ``Query`` or ``Scan``.
        question: the request in DynamoDB JSON.

    Raises:
        StoreUnavailable: any fault.
    """
    start: dict[str, Any] = {}
    while True:
        response = transport.call(operation, {**question, **start})
        yield from response["Items"]
        if "LastEvaluatedKey" not in response:
            return
        start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}
