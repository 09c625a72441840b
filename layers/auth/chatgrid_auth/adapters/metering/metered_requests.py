"""The one request of a decision where keys have costs, or where credits are passed over.

Loaded for these alone: a plain key in a deployment without costs never comes here.
"""

from __future__ import annotations

import json

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits import costs, window
from chatgrid_auth.domain.scopes import LEVELS, NO_LEVEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.keys_table.ports import Clock, Transport
    from chatgrid_auth.services.gate.requests import Request

_GATE = "lvl >= :lvl AND #x > :now AND (attribute_not_exists(v) OR v = :v) AND "
_SPENDING = (
    "(attribute_not_exists(due) OR due > :now) AND (attribute_not_exists(top) OR #u < top) AND "
)
#: An item is asked for its set of costs, again for another's, and the request itself.
_TRIES = 6
_MOST_KNOWN = 2_048


class MeteredRequests:
    """Sends what ``KeyDecisions`` sends, for any cost, with and without credits.

    What it remembers of an item (which costs it keeps, whether it has credits) is at most old: the
    condition says what was assumed, and the item that comes back what holds.

    Args:
        transport: DynamoDB.
        table: the keys table's name.
        classes: the deployment's costs beside 1, from the least to the highest.
        clock: as in ``KeyDecisions``.
        check: raises for an answer that came too late.
    """

    def __init__(
        self,
        transport: Transport,
        table: str,
        classes: tuple[int, ...],
        clock: Clock | None,
        check: Callable[[Clock | None, int], None],
    ) -> None:
        self._transport = transport
        self._table = table
        self._classes = classes
        self._clock = clock
        self._check = check
        self._kept: dict[str, tuple[int, ...]] = {}
        # Of the running second: what is the same for all keys is written out once.
        self._admission: window.Admission | None = None
        self._forms: dict[tuple[object, ...], str] = {}
        self._with_credits: dict[str, bool] = {}

    def ask(
        self, home: str, tag: str, version: int, *, request: Request, now_ms: int
    ) -> tuple[Mapping[str, Any] | None, bool]:
        """The item as it is after the request, if that was admitted, or as it was if not.

        Raises:
            StoreUnavailable: DynamoDB could not decide, or what the item keeps changes too fast.
        """
        own = self._classes
        if request.cost != 1 and request.cost not in own:
            own = tuple(sorted({*own, request.cost}))
        for _ in range(_TRIES):
            kept = costs.sent(self._kept.get(home), own)
            item, admitted = self._send(
                home, tag, version, kept=kept, request=request, now_ms=now_ms
            )
            if admitted or item is None or items.LEVEL not in item:
                return item, admitted
            unlike = costs.kept(item) != kept
            if unlike:
                self._put_in_step(home, item, own)
            if request.spares_credits and (costs.TOP in item) != self._has_credits(home):
                self._remember(self._with_credits, home, costs.TOP in item)
                unlike = True
            if not unlike:
                return item, admitted
        raise StoreUnavailable("UpdateItem", "CostsChangeTooFast")

    def _has_credits(self, home: str) -> bool:
        return self._with_credits.get(home, False)

    def _put_in_step(self, home: str, item: Mapping[str, Any], own: tuple[int, ...]) -> None:
        kept, write = costs.in_step(item, own)
        if write is not None:
            key = {"pk": item["pk"], "sk": item["sk"]}
            body = json.dumps({"TableName": self._table, "Key": key, **write})
            self._transport.call_encoded("UpdateItem", body.encode())
        self._remember(self._kept, home, kept)

    @staticmethod
    def _remember(memory: dict[str, Any], home: str, fact: object) -> None:
        memory.pop(home, None)
        if len(memory) >= _MOST_KNOWN:
            del memory[next(iter(memory))]
        memory[home] = fact

    def _send(
        self,
        home: str,
        tag: str,
        version: int,
        *,
        kept: tuple[int, ...],
        request: Request,
        now_ms: int,
    ) -> tuple[Mapping[str, Any] | None, bool]:
        admission = window.MINUTE.admission(now_ms)
        confirmed = self._clock is None or self._clock.confirmed
        spared = self._has_credits(home) if request.spares_credits else None
        form = (kept, request.cost, spared, confirmed)
        if admission is not self._admission:
            self._forms.clear()
            self._admission = admission
        text = self._forms.get(form)
        if text is None:
            text = self._forms[form] = self._form(admission, kept, request.cost, spared, confirmed)
        body = text % (
            items.credential_pk(home),
            items.until(tag),
            items.used_at(tag),
            LEVELS.get(request.scope, NO_LEVEL),
            version,
            now_ms,
        )
        item: Mapping[str, Any] | None
        try:
            response = self._transport.call_encoded("UpdateItem", body.encode())
            item, admitted = response["Attributes"], True
        except ConditionFailed as refused:
            item, admitted = refused.item, False
        self._check(self._clock, now_ms)
        return item, admitted

    def _form(
        self,
        admission: window.Admission,
        kept: tuple[int, ...],
        cost: int,
        spared: bool | None,
        confirmed: bool,
    ) -> str:
        """The request of this second, with places for the key, its secret and what is asked of it.

        Args:
            spared: whether the key has credits that are passed over; ``None`` where they are spent.
        """
        raised, credits_clause = costs.raised(kept), _SPENDING
        if spared is not None:
            credits_clause = "attribute_not_exists(top) AND "
            if spared:
                credits_clause = "attribute_exists(top) AND "
                raised += ", top = top + :c"
        of_costs, generation = "attribute_not_exists(g) AND ", {}
        if kept:
            of_costs, generation = "g = :g AND ", {":g": costs.named(kept)}
        removal = f" REMOVE {admission.removals}" if confirmed else ""
        return json.dumps(
            {
                "TableName": self._table,
                "Key": {"pk": items.s("%s"), "sk": items.s(items.CREDENTIAL)},
                "ConditionExpression": _GATE + credits_clause + of_costs + admission.condition,
                "UpdateExpression": f"SET #s = :now, {admission.assignments}{raised}{removal}",
                "ReturnValues": "ALL_NEW",
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                "ExpressionAttributeNames": {"#u": costs.counter(cost), "#x": "%s", "#s": "%s"},
                "ExpressionAttributeValues": {
                    ":lvl": {"N": "%d"},
                    ":v": {"N": "%d"},
                    ":now": {"N": "%d"},
                    ":c": items.n(cost),
                    **generation,
                },
            }
        )
