"""The line in the log: JSON whatever was asked, and named as Powertools' Logger names things."""

from __future__ import annotations

import io
import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.errors import Fault, StoreUnavailable
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.domain.verdicts import Allowed, Caller, Forbidden, Limited, Refused, Verdict
from chatgrid_auth.services.gate.requests import Request
from chatgrid_authorizer import decision_log, wiring
from chatgrid_authorizer.decision_log import Measured
from chatgrid_authorizer.event import MethodRequest
from tests.support.stack.authorizer_settings import SETTINGS
from tests.unit.authorizer.gates import ALLOWED, FIGURES, FORBIDDEN, LIMITED, NOW_MS, REFUSED

DOCS = Path(__file__).parents[3] / "docs"
RUNBOOK = DOCS / "runbook.md"
OPENAPI = DOCS / "openapi.json"
INVOCATION = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
#: What a decision has that no log record of Powertools' has.
OWN = {
    "method",
    "resource",
    "outcome",
    "reason",
    "user_id",
    "key_id",
    "own",
    "detail",
    "alert",
    "source_ip",
    "DecisionMs",
    "StoreMs",
}
ALLOWED_BYTES = 318


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
    request = MethodRequest(method_arn="*", authorization=None, judged=Request("read"), **asked)
    text = decision_log.line(
        outcome,
        decision_log.named(outcome),
        request,
        Measured(now_ms=NOW_MS, took_ms=1.23456, store_ms=store_ms, cold_start=cold_start),
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
    shared = set(ours) - OWN
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
    assert (line["DecisionMs"], line["StoreMs"]) == (1.23, 0.99)


def longest(outcome: Allowed) -> str:
    """An allowed request's line, each of its fields as long as it gets."""
    routes = json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]
    request = MethodRequest(
        judged=Request("read"),
        method_arn="*",
        authorization=None,
        request_id=str(uuid.UUID(int=0)),
        method="DELETE",
        resource=max(routes, key=len),
    )
    measured = Measured(now_ms=NOW_MS, took_ms=4_999.99, store_ms=4_999.99, cold_start=False)
    called = decision_log.named(outcome)
    return decision_log.line(outcome, called, request, measured, invocation_id=INVOCATION)


@pytest.mark.parametrize("outcome", [ALLOWED, BY_JWT], ids=["api-key", "jwt"])
def test_an_allowed_requests_line_stays_within_318_bytes(outcome: Allowed) -> None:
    assert len(str(outcome.caller.key_id or outcome.caller.user_id)) == len(str(uuid.uuid4()))
    assert len(longest(outcome).encode()) <= ALLOWED_BYTES


@pytest.mark.parametrize(
    ("outcome", "facts"),
    [
        (ALLOWED, {"key_id": ALLOWED.caller.key_id, "own": "bx8KjmtbS46aNg8rfkocEQ"}),
        (BY_JWT, {"user_id": BY_JWT.caller.user_id}),
    ],
    ids=["api-key", "jwt"],
)
def test_an_allowed_requests_line_tells_whose_it_was_and_when(
    outcome: Allowed, facts: dict[str, str]
) -> None:
    assert record(outcome, store_ms=1.0, cold_start=False) == {
        "level": "INFO",
        "message": "decision",
        "timestamp": "2027-01-15T08:00:00.123Z",
        "correlation_id": "r-1",
        "method": "GET",
        "resource": "/boards",
        "outcome": "allowed",
        "DecisionMs": 1.23,
        **facts,
    }


@pytest.mark.parametrize(
    "outcome",
    [
        Refused(message="API key has been revoked", reason="revoked", key_id="k-1", user_id="u-1"),
        Forbidden(
            message="Missing required scope: admin",
            reason="admin",
            figures=FIGURES,
            key_id="k-1",
            user_id="u-1",
        ),
        Limited(figures=FIGURES, retry_after_s=17, usage_key="u", key_id="k-1", user_id="u-1"),
    ],
    ids=lambda outcome: type(outcome).__name__,
)
def test_a_refusal_of_a_known_key_names_it_and_its_user(outcome: Verdict) -> None:
    line = record(outcome)
    assert (line["key_id"], line["user_id"]) == ("k-1", "u-1")


@pytest.mark.parametrize("cold_start", [True, False])
@pytest.mark.parametrize(
    "outcome", [REFUSED, FORBIDDEN, LIMITED, FAULT], ids=lambda outcome: type(outcome).__name__
)
def test_what_is_not_allowed_is_told_in_full(outcome: Verdict | Fault, *, cold_start: bool) -> None:
    line = record(outcome, store_ms=1.0, cold_start=cold_start)
    assert set(line) - {"detail"} == {
        *("level", "message", "timestamp", "service"),
        *("cold_start", "correlation_id", "function_request_id"),
        *("method", "resource", "outcome", "reason", "DecisionMs", "StoreMs"),
    }
    assert ("detail" in line) == (outcome is FAULT)
    assert line["cold_start"] is cold_start


def test_the_runbook_names_every_field_and_no_other() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    section = text.partition("\n## The decision line\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \|", section, re.MULTILINE)
    documented = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    lines = [
        record(outcome, store_ms=1.0, cold_start=cold)
        for outcome in OUTCOMES
        for cold in (True, False)
    ]
    assert sorted(documented) == sorted(set().union(*lines))


def test_a_line_is_written_at_once_and_with_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    wiring.build(SETTINGS).log('{"a":1}')
    assert capsys.readouterr().out == '{"a":1}\n'


def test_whoever_brings_a_canary_is_told_once_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decision_log, "_told", {})
    canary = Refused(
        message="Missing or invalid token", reason="canary", key_id="key-1", user_id="ada"
    )

    def told(source: str, later_ms: int) -> object:
        request = MethodRequest(
            method_arn="arn",
            authorization=None,
            method="GET",
            resource="/boards",
            request_id="r",
            judged=Request("read", source=source),
        )
        measured = Measured(now_ms=NOW_MS + later_ms, took_ms=1.0, store_ms=0.0, cold_start=False)
        text = decision_log.line(canary, decision_log.named(canary), request, measured)
        line = json.loads(text)
        assert (line["reason"], line["key_id"], line["resource"]) == ("canary", "key-1", "/boards")
        assert line.get("source_ip") == (source if "alert" in line else None)
        return line.get("alert")

    asked = [("a", 0), ("a", 1), ("b", 2), ("a", 60_000), ("a", 60_001), ("b", 60_001)]
    once, never = "canary_used", None
    assert [told(*one) for one in asked] == [once, never, once, never, once, never]
