"""DynamoDB transactions: all or nothing, tried again when they met another writer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.domain.errors import Cancelled, StoreThrottled

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport

_RETRIES = RetryPolicy(attempts=10, backoff=0.01)
_CONDITION = "ConditionalCheckFailed"
_PASSING = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})


def transact(
    transport: Transport, writes: list[dict[str, Any]], *, pause: Callable[[float], None]
) -> None:
    """Do all of these writes, or none.

    A transaction that meets another one, or a plain write, on the same item is cancelled by
    DynamoDB and tried again here, up to ten times, with growing, jittered pauses: it is known
    then that nothing was written. Where that is not known, the client repeats the request once,
    under the same token, by which DynamoDB writes it once for ten minutes.

    Raises:
        Cancelled: a condition did not hold.
        StoreThrottled: other writers were in the way until the tries were used up.
        StoreUnavailable: any other fault.
    """
    for failures in range(1, _RETRIES.attempts + 1):
        # One token for a call and the client's own repeats of it: DynamoDB knows them as one.
        question = {"TransactItems": writes, "ClientRequestToken": str(uuid4())}
        try:
            transport.call("TransactWriteItems", question)
        except Cancelled as cancelled:
            if _CONDITION in cancelled.reasons or not _PASSING.intersection(cancelled.reasons):
                raise
        else:
            return
        pause(_RETRIES.pause(failures, os.urandom))
    raise StoreThrottled("TransactWriteItems", "TransactionConflict")


def put(table: str, item: Mapping[str, Any], *, condition: str | None = None) -> dict[str, Any]:
    """A write of a whole item, for a transaction."""
    return {"Put": _given({"TableName": table, "Item": item, "ConditionExpression": condition})}


def update(
    table: str,
    key: tuple[str, str],
    expression: str,
    values: Mapping[str, Any],
    *,
    condition: str | None = None,
) -> dict[str, Any]:
    """A change of the item with this partition and sort key, for a transaction."""
    parts = {
        "TableName": table,
        "Key": {"pk": {"S": key[0]}, "sk": {"S": key[1]}},
        "UpdateExpression": expression,
        "ExpressionAttributeValues": values,
        "ConditionExpression": condition,
    }
    return {"Update": _given(parts)}


def _given(parts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part is not None}
