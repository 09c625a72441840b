"""The line in the log: JSON whatever was asked, and named as Powertools' Logger names things."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.errors import Fault, StoreUnavailable
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.domain.verdicts import Allowed, Caller, Verdict
from chatgrid_authorizer import decision_log, wiring
from chatgrid_authorizer.decision_log import Measured
from chatgrid_authorizer.event import Request
from tests.unit.authorizer.environment import SETTINGS
from tests.unit.authorizer.gates import ALLOWED, FIGURES, FORBIDDEN, LIMITED, NOW_MS, REFUSED

RUNBOOK = Path(__file__).parents[3] / "docs" / "runbook.md"
INVOCATION = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
#: What a decision has that no log record of Powertools' has.
OWN = {
    "method",
    "resource",
    "outcome",
    "reason",
    "user_id",
    "key_id",
    "_aws",
    *decision_log.METRICS,
    *decision_log.SERVICE_METRICS,
}


BY_JWT = Allowed(
    caller=Caller(user_id=ALLOWED.caller.user_id, auth_mode="jwt", scopes=SCOPES),
    figures=FIGURES,
    usage_key="its-usage-key",
    jwks_age_ms=61_250,
)
FAULT = StoreUnavailable("UpdateItem", "ReadTimeout")
OUTCOMES: list[Verdict | Fault] = [ALLOWED, BY_JWT, REFUSED, FORBIDDEN, LIMITED, FAULT]


class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id = INVOCATION
    function_name = "authorizer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:authorizer"


def record(
    outcome: Verdict | Fault, *, store_ms: float = 0.0, cold_start: bool = True, **facts: Any
) -> dict[str, Any]:
    asked = {"request_id": "r-1", "method": "GET", "resource": "/boards", **facts}
    request = Request(method_arn="*", authorization=None, **asked)
    text = decision_log.line(
        outcome,
        request,
        Measured(now_ms=NOW_MS, took_ms=1.23456, store_ms=store_ms, cold_start=cold_start),
        namespace="ChatGrid/test",
        invocation_id=INVOCATION,
    )
    assert "\n" not in text
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    """What Powertools' Logger writes in the same place."""
    stream = io.StringIO()
    logger = Logger(service="authorizer", stream=stream)

    @logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
    def handler(event: dict[str, Any], context: Any) -> None:
        logger.info("decision")

    with pytest.MonkeyPatch.context() as patch:
        # Powertools remembers the process's first call, which another test may have made.
        patch.setattr("aws_lambda_powertools.logging.logger.is_cold_start", True)
        handler({"requestContext": {"requestId": "r-1"}}, Context())
    found: dict[str, Any] = json.loads(stream.getvalue())
    return found


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
def test_what_powertools_would_log_too_has_its_name_and_its_value(
    outcome: Verdict | Fault, theirs: dict[str, Any]
) -> None:
    ours = record(outcome)
    shared = set(ours) - OWN - {"detail"}
    assert shared == {
        *("level", "message", "timestamp", "service"),
        *("cold_start", "correlation_id", "function_request_id"),
    }
    for name in shared - {"timestamp", "level"}:
        assert (name, ours[name]) == (name, theirs[name])


@given(texts=st.lists(st.text(), min_size=3, max_size=3))
def test_whatever_the_request_says_stays_inside_its_own_field(texts: list[str]) -> None:
    request_id, method, resource = texts
    line = record(ALLOWED, request_id=request_id, method=method, resource=resource)
    assert [line["correlation_id"], line["method"], line["resource"]] == texts
    assert line["outcome"] == "allowed"


def test_each_duration_is_a_number_in_milliseconds() -> None:
    line = record(REFUSED, store_ms=0.98765)
    assert (line["DecisionMs"], line["StoreMs"]) == (1.235, 0.988)


def test_the_age_of_the_key_set_is_told_where_one_vouched_for_the_caller() -> None:
    assert record(BY_JWT)["JwksAgeSeconds"] == 61.25


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: type(outcome).__name__)
@pytest.mark.parametrize("store_ms", [0.0, 1.5])
@pytest.mark.parametrize("cold_start", [True, False])
def test_what_is_declared_as_a_metric_is_what_the_line_has_to_tell(
    outcome: Verdict | Fault, store_ms: float, *, cold_start: bool
) -> None:
    line = record(outcome, store_ms=store_ms, cold_start=cold_start)
    told = {
        name: unit
        for name, unit, is_there in [
            ("StoreMs", "Milliseconds", store_ms > 0),
            ("JwksAgeSeconds", "Seconds", outcome is BY_JWT),
            ("ColdStart", "Count", cold_start),
        ]
        if is_there
    }
    assert set(told) == set(line) & set(decision_log.SERVICE_METRICS)
    by_outcome, *of_the_service = line["_aws"]["CloudWatchMetrics"]
    assert units(by_outcome) == decision_log.METRICS
    assert by_outcome["Dimensions"] == [["service", "outcome"], ["service", "outcome", "reason"]]
    # A directive without a metric is none that CloudWatch's format has.
    assert [units(directive) for directive in of_the_service] == ([told] if told else [])
    for directive in of_the_service:
        assert directive["Dimensions"] == [["service"]]
        assert directive["Namespace"] == by_outcome["Namespace"] == "ChatGrid/test"


def test_the_runbook_names_every_field_and_no_other() -> None:
    rows = re.findall(r"^\| (`.+?`) \|", RUNBOOK.read_text(encoding="utf-8"), re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    lines = [record(outcome, store_ms=1.0) for outcome in OUTCOMES]
    # How often a line counts is 1, which nobody looks for.
    written = set().union(*lines) - {"_aws", "Decisions", "ColdStart"}
    assert sorted(documented) == sorted(written)


def units(directive: dict[str, Any]) -> dict[str, str]:
    return {metric["Name"]: metric["Unit"] for metric in directive["Metrics"]}


def test_a_line_is_written_at_once_and_with_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    wiring.build(SETTINGS).log('{"a":1}')
    assert capsys.readouterr().out == '{"a":1}\n'
