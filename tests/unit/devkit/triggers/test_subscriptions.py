"""What a function prints reaches whoever subscribed to it, whole, in order, and nobody else."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from typing import Any

from chatgrid_devkit.functions.invocation import Failed, Outcome, Returned
from chatgrid_devkit.template.description import Subscription
from chatgrid_devkit.triggers.subscriptions import Subscriptions

SUBSCRIPTION = Subscription(printer="AuthorizerFunction", function="usage")


class Functions:
    """Called functions; the first so many calls fail."""

    def __init__(self, *, failing: int = 0) -> None:
        self.failing = failing
        self.calls: list[tuple[str, dict[str, Any]]] = []

    async def invoke(self, function: str, event: Any) -> Outcome:
        data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        self.calls.append((function, data))
        if len(self.calls) <= self.failing:
            return Failed(kind="error", error_type="E")
        return Returned(value=None)

    def lines(self) -> list[str]:
        return [event["message"] for _, data in self.calls for event in data["logEvents"]]


def hand_on(subscriptions: Subscriptions, functions: Functions) -> None:
    asyncio.run(subscriptions.hand_on(functions.invoke))


def test_lines_of_the_printer_are_handed_on_once_and_in_order() -> None:
    subscriptions, functions = Subscriptions([SUBSCRIPTION]), Functions()
    for number in range(2_500):
        subscriptions.printed("AuthorizerFunction", f"line {number}")
        subscriptions.printed("BoardsFunction", "another's")

    hand_on(subscriptions, functions)
    hand_on(subscriptions, functions)

    assert functions.lines() == [f"line {number}" for number in range(2_500)]
    assert {function for function, _ in functions.calls} == {"usage"}


def test_events_have_ids_of_their_own_in_every_batch() -> None:
    subscriptions, functions = Subscriptions([SUBSCRIPTION]), Functions()
    for _ in range(2):
        subscriptions.printed("AuthorizerFunction", "the same line")
        hand_on(subscriptions, functions)

    first, second = (data["logEvents"][0]["id"] for _, data in functions.calls)
    assert first != second


def test_a_batch_that_failed_comes_again_as_it_was() -> None:
    subscriptions, functions = Subscriptions([SUBSCRIPTION]), Functions(failing=2)
    subscriptions.printed("AuthorizerFunction", "line")

    hand_on(subscriptions, functions)

    assert len(functions.calls) == 3
    assert functions.calls[0] == functions.calls[1] == functions.calls[2]


def test_what_fails_for_good_does_not_hold_up_the_next() -> None:
    subscriptions, functions = Subscriptions([SUBSCRIPTION]), Functions(failing=3)
    subscriptions.printed("AuthorizerFunction", "lost")
    hand_on(subscriptions, functions)
    subscriptions.printed("AuthorizerFunction", "kept")
    hand_on(subscriptions, functions)

    assert functions.lines() == ["lost"] * 3 + ["kept"]
