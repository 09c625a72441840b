"""Sums of a batch of log events, kept once, however often the batch is delivered.

A batch lies in the minute of its newest event, under the hash of its events' ids: a repeated
delivery finds it there. Where that minute takes no more arrivals, a mark is left in it which names
the minute that the batch was moved to; a repeated delivery follows the marks.
"""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode

from chatgrid_auth.adapters.usage_table import layout
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.usage.tallies import MINUTE_MS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.services.usage.tallies import Tally

#: How long after its end a minute still takes arrivals, and after which it is added up. In between
#: lies what a function that has read the clock may still need for its write.
OPEN_MS = 25_000
CLOSED_MS = 45_000
#: How long arrivals are kept, so that a batch which comes again is known. Lambda repeats an
#: asynchronous invocation for six hours at most.
KEPT_SECONDS = 86_400
#: So many sums in one item stay far below DynamoDB's 400 KB.
_MOST_IN_A_PART = 1_000
_SUMS, _MOVED_TO = "sums", "moved_to"


def is_open(minute: int, now_ms: int) -> bool:
    """Whether a minute (counted from the epoch) still takes arrivals."""
    return now_ms < (minute + 1) * MINUTE_MS + OPEN_MS


def last_closed(now_ms: int) -> int:
    """The last minute (counted from the epoch) that takes no more arrivals."""
    return (now_ms - CLOSED_MS) // MINUTE_MS - 1


class Arrivals:
    """What arrived, kept until it is added up.

    Args:
        transport: DynamoDB.
        table: the usage table's name.
    """

    def __init__(self, transport: Transport, *, table: str) -> None:
        self._transport = transport
        self._table = table

    def keep(self, sums: Tally, *, batch: str, newest_ms: int, now_ms: int) -> bool:
        """Keep the sums of a batch.

        Args:
            sums: what its lines come to.
            batch: what tells this batch from any other, the same at each delivery.
            newest_ms: when its newest event was written, in Unix milliseconds.
            now_ms: Unix time in milliseconds.

        Returns:
            Whether it was new, in some part.

        Raises:
            StoreUnavailable: it may or may not be kept; keeping it again does no harm.
        """
        places = sorted(sums)
        new = False
        for first in range(0, len(places), _MOST_IN_A_PART):
            part = places[first : first + _MOST_IN_A_PART]
            rows = [[*place, *sums[place]] for place in part]
            new |= self._keep_part(
                rows, sk=f"{batch}#{first}", minute=newest_ms // MINUTE_MS, now_ms=now_ms
            )
        return new

    def _keep_part(self, rows: list[list[Any]], *, sk: str, minute: int, now_ms: int) -> bool:
        came = now_ms // MINUTE_MS
        minute = min(minute, came)  # an event's clock may be ahead of this one
        while not is_open(minute, now_ms):
            found = self._put(minute, sk, {_MOVED_TO: {"N": str(came)}}, now_ms)
            if found is None:
                minute = came
            elif _MOVED_TO in found:
                minute = int(found[_MOVED_TO]["N"])
            else:
                return False
        return self._put(minute, sk, {_SUMS: {"S": _packed(rows)}}, now_ms) is None

    def _put(
        self, minute: int, sk: str, holds: dict[str, Any], now_ms: int
    ) -> Mapping[str, Any] | None:
        """Put an item where none is; gives what is there already."""
        place = {"pk": {"S": layout.arrived_pk(minute)}, "sk": {"S": sk}}
        expires_on = {"N": str(now_ms // 1000 + KEPT_SECONDS)}
        question = {
            "TableName": self._table,
            "Item": {**place, layout.EXPIRES_ON: expires_on, **holds},
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._transport.call("PutItem", question)
        except ConditionFailed as refused:
            return refused.item or {}
        return None


def _packed(rows: list[list[Any]]) -> str:
    return b64encode(zlib.compress(json.dumps(rows, separators=(",", ":")).encode())).decode()


def rows_of(item: Mapping[str, Any]) -> list[list[Any]]:
    """The sums that an arrival holds: place and counts; none where it is a mark."""
    if _SUMS not in item:
        return []
    rows: list[list[Any]] = json.loads(zlib.decompress(b64decode(item[_SUMS]["S"])))
    return rows
