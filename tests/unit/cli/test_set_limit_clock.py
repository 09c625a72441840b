"""`chatgrid keys set-limit` goes by the store's clock: the operator's own may be minutes off."""

from __future__ import annotations

import time
from typing import Any

import pytest

from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli import store_clock
from tests.support.cli import Operator


def admitted(operator: Operator, raw_key: str, *, times: int, at_ms: int) -> int:
    """How many of so many requests at a time a gate admits."""
    answers = [
        operator.gate().admit(hash_of(raw_key), now_ms=at_ms, request=Request("read"))
        for _ in range(times)
    ]
    return sum(answer is not None and answer.admitted for answer in answers)


@pytest.mark.parametrize("skew_s", [-300, -66, 0, 66, 300])
def test_an_operators_clock_does_not_matter_to_what_is_admitted(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, skew_s: int
) -> None:
    issued = operator.issue(rate_limit=10)
    clock = time.time_ns
    start_ms = clock() // 1_000_000
    assert admitted(operator, issued.raw_key, times=12, at_ms=start_ms) == 10
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: clock() + skew_s * 1_000_000_000)
        assert operator.run("keys", "set-limit", issued.key.id, "10").exit_code == 0
    for later_s in (0, 20, 40, 58):
        at_ms = start_ms + later_s * 1_000
        assert admitted(operator, issued.raw_key, times=3, at_ms=at_ms) == 0
    assert admitted(operator, issued.raw_key, times=12, at_ms=start_ms + 70_000) == 10


@pytest.mark.parametrize("why", ["late", "no date", "not a date"])
def test_nothing_is_changed_where_the_time_is_not_known(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    key = operator.issue(rate_limit=10).key

    def spoil(parsed: dict[str, Any], **_: object) -> None:
        headers = parsed["ResponseMetadata"]["HTTPHeaders"]
        headers["date"] = "" if why == "no date" else "now"

    if why == "late":
        uptimes = iter(range(0, 1_000_000, 1_501))
        monkeypatch.setattr(store_clock, "_uptime_ms", lambda: next(uptimes))
    else:
        operator.dynamodb.meta.events.register_first("after-call.dynamodb", spoil)
    try:
        error = operator.answer("keys", "set-limit", key.id, "7", exit_code=3)
    finally:
        operator.dynamodb.meta.events.unregister("after-call.dynamodb", spoil)
    assert (error["code"], "nothing was changed" in error["message"]) == ("no_time", True)
    assert operator.answer("keys", "show", key.id)["data"]["rate_limit"] == 10
