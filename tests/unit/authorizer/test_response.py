"""From a verdict to what API Gateway understands, to one line in the log, and to metrics."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_auth.domain.errors import IdentityProviderUnavailable, StoreUnavailable
from chatgrid_auth.domain.verdicts import Verdict
from chatgrid_authorizer.decision_metrics import MOST_HELD
from chatgrid_authorizer.response import respond
from tests.unit.authorizer.gates import (
    ALLOWED,
    FORBIDDEN,
    LIMITED,
    NOW_MS,
    REFUSED,
    gate,
)
from tests.unit.authorizer.test_event import ARN, request_event

SECRET = "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"


def decide(verdict: Verdict | Exception, **facts: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer to API Gateway and the logged line, of a container's first decision."""
    made, _, lines = gate(verdict)
    given = respond(request_event(**facts), gate=made)
    line, _ = lines  # the other is the metrics'
    return given, json.loads(line)


def effect(given: dict[str, Any]) -> str:
    (statement,) = given["policyDocument"]["Statement"]
    assert statement["Action"] == "execute-api:Invoke"
    assert statement["Resource"] == ARN, "a policy for more than the invoked method"
    return str(statement["Effect"])


def test_an_allowed_request_goes_on_with_its_caller_and_its_usage_key() -> None:
    given, _ = decide(ALLOWED)
    assert effect(given) == "Allow"
    assert given["principalId"] == ALLOWED.caller.user_id
    assert given["usageIdentifierKey"] == "its-usage-key"
    assert given["context"] == {
        "verdict": "allowed",
        "user_id": ALLOWED.caller.user_id,
        "auth_mode": "api-key",
        "scopes": "read write",
        "key_id": ALLOWED.caller.key_id,
        "environment": "live",
        "rate_limit": 120,
        "rate_remaining": 119,
        "rate_more": 1_800_000_004,
        "rate_reset": 1_800_000_060,
        "code": "service_unavailable",
        "message": "Usage plan unavailable",
    }


def test_a_refused_credential_is_denied_with_its_message() -> None:
    given, _ = decide(REFUSED)
    assert effect(given) == "Deny"
    assert given["context"] == {"message": "API key has been revoked", "reason": "revoked"}
    assert "usageIdentifierKey" not in given


def test_a_missing_scope_is_left_to_api_gateway_to_refuse() -> None:
    given, _ = decide(FORBIDDEN)
    assert effect(given) == "Allow"
    assert "usageIdentifierKey" not in given
    assert given["context"]["code"] == "forbidden"
    assert given["context"]["message"] == "Missing required scope: admin"
    assert "user_id" not in given["context"]


def test_a_used_up_limit_goes_to_the_guard_without_a_caller() -> None:
    given, _ = decide(LIMITED)
    assert effect(given) == "Allow"
    assert given["usageIdentifierKey"] == "its-usage-key"
    assert (given["context"]["verdict"], given["context"]["retry_after"]) == ("rate_limited", 17)
    assert "user_id" not in given["context"]


@pytest.mark.parametrize("verdict", [ALLOWED, REFUSED, FORBIDDEN, LIMITED])
def test_every_answer_is_one_that_api_gateway_takes(verdict: Verdict) -> None:
    given, _ = decide(verdict)
    assert given["principalId"], "API Gateway answers 500 to a policy without a principal"
    assert given["policyDocument"]["Version"] == "2012-10-17"
    for name, value in given["context"].items():
        assert name.replace("_", "").isalnum()
        assert isinstance(value, (str, int))
        assert json.dumps(value) == json.dumps(value, ensure_ascii=True)
    assert len(json.dumps(given)) < 8_192


@pytest.mark.parametrize(
    "fault", [StoreUnavailable("UpdateItem", "Timeout"), IdentityProviderUnavailable()]
)
def test_a_fault_is_raised_and_logged_and_never_a_deny(fault: Exception) -> None:
    made, _, lines = gate(fault)
    with pytest.raises(type(fault)):
        respond(request_event(), gate=made)
    line = json.loads(lines[0])
    assert (line["level"], line["outcome"], line["reason"]) == (
        "ERROR",
        "fault",
        type(fault).__name__,
    )


@pytest.mark.parametrize(
    ("method", "resource", "scope"),
    [
        ("GET", "/boards", "read"),
        ("POST", "/boards", "write"),
        ("GET", "/me/api-keys", "admin"),
        ("DELETE", "/me/api-keys/{id}", "admin"),
    ],
)
def test_the_needed_scope_is_asked_for(method: str, resource: str, scope: str) -> None:
    made, asked, _ = gate(ALLOWED)
    arn = f"arn:aws:execute-api:r:1:api/v1/{method}/whatever"
    respond(request_event(methodArn=arn, resource=resource), gate=made)
    (question,) = asked.questions
    judged = question.pop("request")
    assert question == {"authorization": "Bearer x", "now_ms": NOW_MS}
    assert (judged.scope, judged.source, judged.cost) == (scope, "192.0.2.1", 1)
    assert (judged.route, judged.unlimited) == (f"{method} {resource}", False)


@pytest.mark.parametrize(
    ("verdict", "outcome", "reason"),
    [
        (ALLOWED, "allowed", "api-key"),
        (REFUSED, "refused", "revoked"),
        (FORBIDDEN, "forbidden", "admin"),
        (LIMITED, "rate_limited", "window"),
    ],
)
def test_each_decision_is_one_line_and_the_metrics_say_the_same(
    verdict: Verdict, outcome: str, reason: str
) -> None:
    made, _, lines = gate(verdict)
    respond(request_event(), gate=made)
    line, metrics = map(json.loads, lines)
    assert (line["outcome"], line["reason"], line["level"]) == (outcome, reason, "INFO")
    assert line["timestamp"] == "2027-01-15T08:00:00.123Z"
    assert line["correlation_id"] == "r-1"
    assert (metrics["outcome"], metrics["reason"]) == (outcome, reason)
    assert metrics["_aws"]["Timestamp"] == NOW_MS
    for directive in metrics["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"] == "ChatGrid/test"
        for metric in directive["Metrics"]:
            values = metrics[metric["Name"]]
            assert isinstance(values, (int, list))
        for dimension in [name for names in directive["Dimensions"] for name in names]:
            assert isinstance(metrics[dimension], str)


def test_a_line_tells_the_times_of_decision_and_store() -> None:
    """How long the decision took, and how long of that the store."""
    for verdict in (ALLOWED, REFUSED):
        _, line = decide(verdict)
        assert (line["DecisionMs"], line["StoreMs"]) == (1.5, 0.75)


def test_only_a_containers_first_request_is_a_cold_start() -> None:
    made, _, lines = gate(REFUSED)
    for _ in range(MOST_HELD + 1):
        respond(request_event(), gate=made)
    first, metrics, second, *_, more_metrics = map(json.loads, lines)
    assert (first["cold_start"], metrics["ColdStart"]) == (True, 1)
    assert second["cold_start"] is False
    assert more_metrics["Decisions"] == MOST_HELD
    assert "ColdStart" not in more_metrics


@pytest.mark.parametrize("verdict", [ALLOWED, REFUSED, FORBIDDEN, LIMITED])
def test_no_credential_is_ever_echoed(verdict: Verdict) -> None:
    given, line = decide(verdict, multiValueHeaders={"Authorization": [f"Bearer {SECRET}"]})
    assert SECRET[9:] not in json.dumps([given, line])


def test_what_is_no_authorizer_event_is_denied_and_not_failed() -> None:
    made, asked, _ = gate(REFUSED)
    given = respond({"hello": "world"}, gate=made)
    (statement,) = given["policyDocument"]["Statement"]
    assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
    assert asked.questions[0]["authorization"] is None
