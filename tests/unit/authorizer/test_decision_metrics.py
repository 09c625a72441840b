"""Every decision is counted once, at its time, in lines that CloudWatch takes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_authorizer.decision_log import Measured
from chatgrid_authorizer.decision_metrics import (
    HELD_MS,
    METRICS,
    SERVICE_METRICS,
    DecisionMetrics,
)
from tests.unit.authorizer.gates import NOW_MS

ALLOWED = ("allowed", "api-key")
BY_JWT = ("allowed", "jwt")
REFUSED = ("refused", "revoked")
#: CloudWatch's limits for a line, and for the values of a metric in it.
LINE_LIMIT_BYTES, VALUES_LIMIT = 256 * 1024, 100
#: How much later than it was a decision may be counted.
LATE_MS = 2 * HELD_MS


class Container:
    """A container's metrics, and the lines that they came to."""

    def __init__(self) -> None:
        self.metrics = DecisionMetrics("ChatGrid/test")
        self.lines: list[dict[str, Any]] = []

    def decide(
        self,
        now_ms: int,
        named: tuple[str, str] = ALLOWED,
        *,
        store_ms: float = 0.0,
        cold_start: bool = False,
        jwks_age_ms: int | None = None,
    ) -> list[dict[str, Any]]:
        """The lines that this decision wrote."""
        measured = Measured(now_ms=now_ms, took_ms=1.234, store_ms=store_ms, cold_start=cold_start)
        texts = self.metrics.record(named, measured, jwks_age_ms)
        assert all(len(text.encode()) < LINE_LIMIT_BYTES for text in texts)
        written = [json.loads(text) for text in texts]
        self.lines += written
        return written

    def counted(self) -> int:
        return sum(line["Decisions"] for line in self.lines)


def directives(line: dict[str, Any]) -> list[tuple[list[list[str]], dict[str, str]]]:
    """The dimensions of each, and its metrics with their units."""
    found = line["_aws"]["CloudWatchMetrics"]
    assert {directive["Namespace"] for directive in found} == {"ChatGrid/test"}
    return [
        (directive["Dimensions"], {m["Name"]: m["Unit"] for m in directive["Metrics"]})
        for directive in found
    ]


@given(
    decisions=st.lists(
        st.tuples(
            st.one_of(st.integers(0, 50), st.integers(-20_000, 20_000)),
            st.sampled_from([ALLOWED, BY_JWT, REFUSED]),
            st.booleans(),
        ),
        max_size=300,
    )
)
def test_the_sum_of_all_lines_is_the_number_of_decisions(
    decisions: list[tuple[int, tuple[str, str], bool]],
) -> None:
    """Whenever they come, whatever they are, and wherever the clock is set."""
    container, now_ms = Container(), NOW_MS
    for pause_ms, named, stored in decisions:
        now_ms += pause_ms
        container.decide(now_ms, named, store_ms=0.5 if stored else 0.0)
    container.decide(now_ms + LATE_MS)  # writes whatever is held, and itself
    made = Counter(named for _, named, _ in decisions) + Counter([ALLOWED])
    told = Counter[tuple[str, str]]()
    for line in container.lines:
        told[line["outcome"], line["reason"]] += line["Decisions"]
        assert len(line["DecisionMs"]) == line["Decisions"] <= VALUES_LIMIT
        assert len(line.get("StoreMs", [])) <= VALUES_LIMIT
    assert told == made
    store_values = sum(len(line.get("StoreMs", [])) for line in container.lines)
    assert store_values == sum(stored for _, _, stored in decisions)


@given(pauses=st.lists(st.integers(0, 3 * HELD_MS), min_size=1, max_size=100))
def test_a_line_s_time_is_at_most_ten_seconds_after_its_decisions(pauses: list[int]) -> None:
    container, now_ms, waiting = Container(), NOW_MS, list[int]()
    for pause_ms in pauses:
        now_ms += pause_ms
        waiting.append(now_ms)
        for line in container.decide(now_ms):
            told, waiting = waiting[: line["Decisions"]], waiting[line["Decisions"] :]
            assert told[-1] == line["_aws"]["Timestamp"]
            assert line["_aws"]["Timestamp"] - told[0] < LATE_MS


def test_decisions_that_are_rare_are_each_told_at_once() -> None:
    container = Container()
    for number in range(5):
        (line,) = container.decide(NOW_MS + number * HELD_MS)
        assert line["Decisions"] == 1


def test_decisions_that_are_many_share_a_line() -> None:
    container = Container()
    for number in range(1_000):
        container.decide(NOW_MS + number * 100)
    assert len(container.lines) == 1_000 * 100 // HELD_MS
    assert container.counted() > 1_000 - HELD_MS / 100


def test_a_line_never_has_more_values_than_cloudwatch_takes() -> None:
    container = Container()
    for _ in range(1 + 3 * VALUES_LIMIT):
        container.decide(NOW_MS, store_ms=0.5, jwks_age_ms=1_000)
    assert [len(line["StoreMs"]) for line in container.lines] == [1, *[VALUES_LIMIT] * 3]
    assert [len(line["JwksAgeSeconds"]) for line in container.lines] == [1, *[VALUES_LIMIT] * 3]


def test_what_slept_in_a_frozen_container_keeps_its_own_time() -> None:
    hour_ms = 3_600_000
    container = Container()
    container.decide(NOW_MS)
    container.decide(NOW_MS + 1_000, REFUSED)
    slept, woken = container.decide(NOW_MS + hour_ms)
    assert (slept["outcome"], slept["_aws"]["Timestamp"]) == ("refused", NOW_MS + 1_000)
    assert (woken["outcome"], woken["_aws"]["Timestamp"]) == ("allowed", NOW_MS + hour_ms)


def test_what_a_container_takes_with_it_is_of_its_last_five_seconds() -> None:
    container = Container()
    for number in range(200):
        container.decide(NOW_MS + number * 70)
    lost = 200 - container.counted()
    assert lost * 70 <= HELD_MS


def test_a_clock_that_was_set_back_holds_no_decision_for_long() -> None:
    container = Container()
    container.decide(NOW_MS)
    assert container.decide(NOW_MS - 3_600_000)
    assert not container.decide(NOW_MS - 3_600_000 + HELD_MS - 1)
    assert container.decide(NOW_MS - 3_600_000 + HELD_MS)


@pytest.mark.parametrize("named", [ALLOWED, BY_JWT, REFUSED])
@pytest.mark.parametrize("store_ms", [0.0, 1.5])
@pytest.mark.parametrize("cold_start", [True, False])
@pytest.mark.parametrize("jwks_age_ms", [None, 61_250])
def test_the_metrics_declared_are_those_the_line_tells(
    named: tuple[str, str], store_ms: float, jwks_age_ms: int | None, *, cold_start: bool
) -> None:
    (line,) = Container().decide(
        NOW_MS, named, store_ms=store_ms, cold_start=cold_start, jwks_age_ms=jwks_age_ms
    )
    expected: dict[str, Any] = {}
    if store_ms:
        expected["StoreMs"] = [1.5]
    if jwks_age_ms:
        expected["JwksAgeSeconds"] = [61.25]
    if cold_start:
        expected["ColdStart"] = 1
    assert {name: line[name] for name in set(line) & set(SERVICE_METRICS)} == expected
    assert (line["service"], line["DecisionMs"]) == ("authorizer", [1.23])
    by_outcome, *of_the_service = directives(line)
    assert by_outcome == ([["service", "outcome"], ["service", "outcome", "reason"]], METRICS)
    # A directive without a metric is none that CloudWatch's format has.
    units = {name: SERVICE_METRICS[name] for name in expected}
    assert of_the_service == ([([["service"]], units)] if units else [])


def test_what_all_outcomes_share_is_told_once() -> None:
    container = Container()
    container.decide(NOW_MS, cold_start=True)
    container.decide(NOW_MS + 1, REFUSED, store_ms=2.0)
    container.decide(NOW_MS + 1, ALLOWED, store_ms=1.0)
    written = container.decide(NOW_MS + HELD_MS, REFUSED)
    assert sorted(line["outcome"] for line in written) == ["allowed", "refused"]
    assert [line["StoreMs"] for line in written if "StoreMs" in line] == [[2.0, 1.0]]


def test_a_line_of_metrics_holds_nothing_of_anybody() -> None:
    (line,) = Container().decide(NOW_MS, store_ms=1.0, cold_start=True, jwks_age_ms=1)
    assert set(line) == {"service", "outcome", "reason", "_aws", *METRICS, *SERVICE_METRICS}
