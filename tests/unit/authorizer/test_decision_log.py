"""The line in the log: JSON whatever was asked, and named as Powertools' Logger names things."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.errors import Fault, StoreUnavailable
from chatgrid_auth.domain.verdicts import Verdict
from chatgrid_authorizer import decision_log, wiring
from chatgrid_authorizer.event import Request
from tests.unit.authorizer.environment import SETTINGS
from tests.unit.authorizer.gates import ALLOWED, FORBIDDEN, LIMITED, NOW_MS, REFUSED

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
}
OUTCOMES = [ALLOWED, REFUSED, FORBIDDEN, LIMITED, StoreUnavailable("UpdateItem", "ReadTimeout")]


class Context:
    """What Lambda tells a function about its invocation."""

    aws_request_id = INVOCATION
    function_name = "authorizer"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-central-1:111122223333:function:authorizer"


def record(outcome: Verdict | Fault, **facts: Any) -> dict[str, Any]:
    asked = {"request_id": "r-1", "method": "GET", "resource": "/boards", **facts}
    request = Request(method_arn="*", authorization=None, **asked)
    text = decision_log.line(
        outcome,
        request,
        now_ms=NOW_MS,
        took_ms=1.23456,
        namespace="ChatGrid/test",
        cold_start=True,
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
    assert record(REFUSED)["DecisionMs"] == 1.235


def test_a_line_is_written_at_once_and_with_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    wiring.build(SETTINGS).log('{"a":1}')
    assert capsys.readouterr().out == '{"a":1}\n'
