"""Windows of any length on the rate-limits table: of sessions, owners, routes, and backends.

The same arithmetic as for keys. An item is made by the first request that it counts and disposed
of by DynamoDB's TTL some time after the last. Nothing else lies there, so losing it costs at most
one limit's worth of requests.
"""

from __future__ import annotations

import json

from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits import costs, window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Clock, Transport
    from chatgrid_auth.domain.limits.any_length import AnyLength

    Item = Mapping[str, Any]


#: An item may be disposed of when it was not used for this long: days, because a window whose item
#: is gone costs a second request, and many windows, so that nothing that counts is forgotten.
IDLE_SECONDS = 7 * 86_400
_TRIES = 6
_MOST_KNOWN = 2_048


class CountedWindows:
    """Counts requests against limits, with one DynamoDB request each but for an item's first.

    Args:
        transport: DynamoDB.
        table: the rate-limits table's name.
        now_ms: the clock, in Unix milliseconds; read for each request that is sent, because a
            window holds for writes that are at most ``window.MAX_FLIGHT_MS`` on their way.
        clock: what ``now_ms`` reads, as in ``KeyDecisions``; ``None`` for one known to be right.
        classes: the costs beside 1 that all items keep, from the least to the highest.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        table: str,
        now_ms: Callable[[], int],
        clock: Clock | None = None,
        classes: tuple[int, ...] = (),
    ) -> None:
        self._transport = transport
        self._table = table
        self._now_ms = now_ms
        self._clock = clock
        self._classes = classes
        # What an item kept when it was last seen: old perhaps, but the condition says it.
        self._kept: dict[str, tuple[int, ...]] = {}

    def hit(
        self, place: str, *, limit: int, kind: AnyLength, cost: int = 1
    ) -> tuple[bool, window.WindowState]:
        """Count one request if the window has room for it.

        Args:
            place: the partition of the window's item; another for another length.
            limit: units in any time of that length.
            kind: the window.
            cost: how many units the request takes.

        Returns:
            Whether it was counted, and where the window stands now.

        Raises:
            StoreUnavailable: DynamoDB could not decide.
        """
        key = {"pk": {"S": place}}
        own = self._classes
        if cost != 1 and cost not in own:
            own = tuple(sorted({*own, cost}))
        kept = costs.sent(self._kept.get(place), own)
        item: Item | None = None
        for _ in range(_TRIES):
            now_ms = self._now_ms()
            times = kind.times(now_ms, item)
            try:
                item = self._count(key, times, now_ms=now_ms, kind=kind, cost=cost, kept=kept)
                admitted = True
            except ConditionFailed as refused:
                item, admitted = refused.item, False
            if item is None:
                now_ms = self._now_ms()
                made = {
                    "expires_on": self._expiry(now_ms, kind),
                    **_first(now_ms=now_ms, limit=limit, kind=kind, cost=cost, kept=own),
                }
                admitted = cost <= limit
                item = self._begin(key, made) if admitted else made
            self._refuse_late_answer(now_ms)
            if item is None or (not admitted and kind.times(now_ms, item) != times):
                continue  # another container began it, or told it a later time: now after that
            held = costs.kept(item)
            if not admitted and held != kept:
                kept, write = costs.in_step(item, own)
                if write is not None:
                    self._ask("UpdateItem", {"Key": key, **write})
                if len(self._kept) >= _MOST_KNOWN:
                    self._kept.clear()
                self._kept[place] = kept
                continue
            state = window.read(item, now_ms=now_ms, limit=limit, window=kind.of(item), cost=cost)
            if state.upkeep:
                self._put_in_order({**key, **item}, limit=limit, now_ms=now_ms, kind=kind)
            return admitted, state
        raise StoreUnavailable("UpdateItem", "WindowContended")

    def _put_in_order(self, item: Item, *, limit: int, now_ms: int, kind: AnyLength) -> None:
        from chatgrid_auth.adapters.metering.upkeep import put_in_order  # noqa: PLC0415 - seldom

        put_in_order(
            self._transport, item, table=self._table, limit=limit, now_ms=now_ms, kind=kind
        )

    def _count(
        self,
        key: Item,
        times: Item,
        *,
        now_ms: int,
        kind: AnyLength,
        cost: int,
        kept: tuple[int, ...],
    ) -> Item:
        admission = kind.admission(now_ms)
        confirmed = self._clock is None or self._clock.confirmed
        removal = f" REMOVE {admission.removals}" if confirmed else ""
        values = {":c": {"N": str(cost)}, ":expires_on": self._expiry(now_ms, kind), **times}
        of_costs = "attribute_not_exists(g)"
        if kept:
            of_costs = "g = :g"
            values[":g"] = costs.named(kept)
        attributes: Item = self._ask(
            "UpdateItem",
            {
                "Key": key,
                "ConditionExpression": (
                    f"attribute_exists(pk) AND {of_costs} AND {admission.condition}"
                ),
                "UpdateExpression": (
                    "SET expires_on = :expires_on, "
                    f"{admission.assignments}{costs.raised(kept)}{removal}"
                ),
                "ExpressionAttributeNames": {"#u": costs.counter(cost)},
                "ExpressionAttributeValues": values,
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            },
        )["Attributes"]
        return attributes

    @staticmethod
    def _expiry(now_ms: int, kind: AnyLength) -> dict[str, str]:
        return {"N": str((now_ms + kind.length_ms) // 1_000 + IDLE_SECONDS)}

    def _begin(self, key: Item, made: Item) -> Item | None:
        """Make the item, its first request counted; ``None`` if it exists by now."""
        item = {**key, **made}
        try:
            self._ask("PutItem", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"})
        except ConditionFailed:
            return None
        return item

    def _refuse_late_answer(self, now_ms: int) -> None:
        """As ``decisions.refuse_late_answer``, for those who load nothing else of keys."""
        if self._clock is not None and self._clock.answered_ms - now_ms > window.MAX_FLIGHT_MS:
            raise StoreUnavailable("UpdateItem", "AnsweredLate")

    def _ask(self, operation: str, parts: Item) -> dict[str, Any]:
        body = {"TableName": self._table, **parts}
        return self._transport.call_encoded(operation, json.dumps(body).encode())


def _first(
    *, now_ms: int, limit: int, kind: AnyLength, cost: int, kept: tuple[int, ...]
) -> dict[str, Any]:
    """The window of an item with its first request, or none if that is above the limit."""
    if cost > limit:
        return {**window.fresh(limit), **costs.fresh(kept, used=0)}
    first = window.first_admission(now_ms=now_ms, limit=limit, window=kind, cost=cost)
    return {**first, **kind.begun(now_ms), **costs.fresh(kept, used=cost)}
