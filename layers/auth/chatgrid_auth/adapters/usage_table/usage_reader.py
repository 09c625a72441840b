"""Buckets as they lie in the usage table, read for one key, one user or all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.adapters.dynamodb.pages import every_item
from chatgrid_auth.adapters.usage_table import layout
from chatgrid_auth.services.usage.reports import Bucket
from chatgrid_auth.services.usage.tallies import COLUMNS

if TYPE_CHECKING:
    from chatgrid_auth.adapters.dynamodb.transport import Transport

_COLUMNS = {letter: column for column, letter in layout.LETTERS.items()}


class UsageTable:
    """The usage table, as ``services.usage.reports.UsageReader`` asks for it.

    Args:
        transport: DynamoDB.
        table: the usage table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def of_key(
        self, key_id: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterator[Bucket]:
        """A key's buckets that begin in this span, the end excluded."""
        return self._buckets(layout.key_pk(key_id), granularity, from_ms, to_ms)

    def of_owner(
        self, owner: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterator[Bucket]:
        """The same of all keys and sessions of one user."""
        return self._buckets(layout.owner_pk(owner), granularity, from_ms, to_ms)

    def of_all(self, *, granularity: str, from_ms: int, to_ms: int) -> Iterator[Bucket]:
        """The same of everybody, and of requests of which nobody knows whose they were."""
        return self._buckets(layout.ALL, granularity, from_ms, to_ms)

    def _buckets(self, pk: str, granularity: str, from_ms: int, to_ms: int) -> Iterator[Bucket]:
        question = {
            "TableName": self._table,
            "KeyConditionExpression": "pk = :pk AND sk BETWEEN :first AND :last",
            "ExpressionAttributeValues": {
                ":pk": {"S": pk},
                ":first": {"S": layout.bucket_sk(granularity, from_ms)},
                ":last": {"S": layout.bucket_sk(granularity, to_ms - 1)},
            },
        }
        for item in every_item(self._transport, "Query", question):
            yield _bucket(item)


def _bucket(item: Mapping[str, Any]) -> Bucket:
    counts = dict.fromkeys(COLUMNS, 0)
    routes: dict[str, dict[str, int]] = {}
    for name, value in item.items():
        letter, _, route = name.partition(" ")
        column = _COLUMNS.get(letter)
        if column is None:
            continue
        if not route:
            counts[column] = int(value["N"])
        else:
            routes.setdefault(route, dict.fromkeys(COLUMNS, 0))[column] = int(value["N"])
    return Bucket(start_ms=int(item["sk"]["S"].partition("#")[2]), counts=counts, routes=routes)
