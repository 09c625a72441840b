"""A verdict that comes later than the window allows for is a fault, whatever it says."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.server_clock import ServerClock
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.domain.limits.window import MAX_FLIGHT_MS
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.decisions import item_of

START = 1_795_000_000.25
RAW_KEY = "cgk_live_" + "0" * 32


class SlowStore:
    """Answers after so many milliseconds, as the lean client does: the clock hears of it."""

    def __init__(self, took_ms: int, *, admits: bool) -> None:
        self._now = START
        self.clock = ServerClock(lambda: self._now, lambda: self._now)
        self._took_ms = took_ms
        self._admits = admits

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        sent_at = self._now
        self._now = round(self._now + self._took_ms / 1000, 3)
        self.clock.heard(None, sent_at=sent_at)
        item = item_of(RAW_KEY)
        if not self._admits:
            raise ConditionFailed({**item, "used": item["cap"]})
        return {"Attributes": item}


@pytest.mark.parametrize("admits", [True, False], ids=["admitted", "refused"])
@pytest.mark.parametrize(("took_ms", "counts"), [(MAX_FLIGHT_MS, True), (MAX_FLIGHT_MS + 1, False)])
@pytest.mark.parametrize("who", ["key", "user"])
def test_an_answer_counts_within_two_seconds_of_the_reading_and_not_later(
    who: str, took_ms: int, *, counts: bool, admits: bool
) -> None:
    store = SlowStore(took_ms, admits=admits)

    def decide() -> bool:
        now_ms = store.clock.now_ms()
        if who == "user":
            users = UserWindows(
                store, table="t", limit=120, now_ms=lambda: now_ms, clock=store.clock
            )
            return users.admit("u")[0]
        decisions = KeyDecisions(store, table="t", clock=store.clock)
        found = decisions.admit(hash_of(RAW_KEY), now_ms=now_ms, request=Request("read"))
        assert found is not None
        return found.admitted

    if counts:
        assert decide() is admits
    else:
        with pytest.raises(StoreUnavailable, match="AnsweredLate"):
            decide()
