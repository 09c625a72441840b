"""What arrived in a minute is added to the buckets, exactly once, however often it is tried.

Minutes are folded in their order. Each bucket remembers the last minute that was added to it, and
takes none twice: a fold that was cut off, or that two processes made at once, ends as one.
"""

from __future__ import annotations

from contextlib import suppress

from chatgrid_auth.adapters.usage_table import layout
from chatgrid_auth.adapters.usage_table.arrivals import KEPT_SECONDS, last_closed, rows_of
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage.buckets import LENGTH_MS, expires_on, start_of
from chatgrid_auth.services.usage.tallies import COLUMNS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from chatgrid_auth.adapters.dynamodb.transport import Transport

    #: partition, granularity, start → name of the count → how many
    Sums = dict[tuple[str, str, int], dict[str, int]]

#: How far back the very first fold looks: nothing arrived before there was a function to keep it.
_FIRST_MINUTES = 30
_LETTERS = [layout.LETTERS[column] for column in COLUMNS]


class Folding:
    """Adds what arrived to the buckets.

    Args:
        transport: DynamoDB.
        table: the usage table's name.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(self, transport: Transport, *, table: str, now_ms: Callable[[], int]) -> None:
        self._transport = transport
        self._table = table
        self._now_ms = now_ms

    def run(self, *, until_ms: int) -> int:
        """Fold every minute that takes no more arrivals.

        Args:
            until_ms: when to begin no further minute, in Unix milliseconds.

        Returns:
            How many buckets were added to.

        Raises:
            StoreUnavailable: the next run goes on where this one ended.
        """
        added = 0
        last = last_closed(self._now_ms())
        known = self._folded()
        folded = last - _FIRST_MINUTES if known is None else max(known, last - KEPT_SECONDS // 60)
        for minute in range(folded + 1, last + 1):
            if self._now_ms() >= until_ms:
                break
            for place, counts in sorted(_summed(self._arrived(minute)).items()):
                added += self._add(place, counts, minute)
            folded = minute
            self._mark(folded)
        return added

    def _folded(self) -> int | None:
        question = {"TableName": self._table, "Key": layout.FOLDED, "ConsistentRead": True}
        item = self._transport.call("GetItem", question).get("Item")
        return None if item is None else int(item[layout.FOLD]["N"])

    def _mark(self, minute: int) -> None:
        change = {
            "TableName": self._table,
            "Key": layout.FOLDED,
            "UpdateExpression": "SET #p = :p",
            "ConditionExpression": "attribute_not_exists(#p) OR #p < :p",
            "ExpressionAttributeNames": {"#p": layout.FOLD},
            "ExpressionAttributeValues": {":p": {"N": str(minute)}},
        }
        with suppress(ConditionFailed):  # another process was there first
            self._transport.call("UpdateItem", change)

    def _arrived(self, minute: int) -> Iterator[list[Any]]:
        start: dict[str, Any] = {}
        while True:
            question = {
                "TableName": self._table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": layout.arrived_pk(minute)}},
                "ConsistentRead": True,
                **start,
            }
            found = self._transport.call("Query", question)
            for item in found["Items"]:
                yield from rows_of(item)
            if "LastEvaluatedKey" not in found:
                return
            start = {"ExclusiveStartKey": found["LastEvaluatedKey"]}

    def _add(self, place: tuple[str, str, int], counts: dict[str, int], minute: int) -> bool:
        pk, granularity, start_ms = place
        names = {f"#{number}": name for number, name in enumerate(counts)}
        values = {f":{number}": {"N": str(count)} for number, count in enumerate(counts.values())}
        added = ",".join(f"#{number} :{number}" for number in range(len(counts)))
        change = {
            "TableName": self._table,
            "Key": {"pk": {"S": pk}, "sk": {"S": layout.bucket_sk(granularity, start_ms)}},
            "UpdateExpression": f"SET #p = :p, #e = :e ADD {added}",
            "ConditionExpression": "attribute_not_exists(#p) OR #p < :p",
            "ExpressionAttributeNames": {"#p": layout.FOLD, "#e": layout.EXPIRES_ON, **names},
            "ExpressionAttributeValues": {
                ":p": {"N": str(minute)},
                ":e": {"N": str(expires_on(start_ms, granularity))},
                **values,
            },
        }
        try:
            self._transport.call("UpdateItem", change)
        except ConditionFailed:
            return False  # a former fold of this minute came as far as here
        return True


def _summed(rows: Iterable[list[Any]]) -> Sums:
    """The rows by bucket: for the key, its user and the whole deployment, in each granularity."""
    sums: Sums = {}
    for at_ms, owner, key_id, route, *counts in rows:
        partitions = [layout.ALL]
        if owner:
            partitions.append(layout.owner_pk(owner))
        if key_id:
            partitions.append(layout.key_pk(key_id))
        for granularity in LENGTH_MS:
            start_ms = start_of(at_ms, granularity)
            for pk in partitions:
                bucket = sums.setdefault((pk, granularity, start_ms), {})
                for letter, count in zip(_LETTERS, counts, strict=True):
                    if count:
                        of_route = f"{letter} {route}"
                        bucket[letter] = bucket.get(letter, 0) + count
                        bucket[of_route] = bucket.get(of_route, 0) + count
    return sums
