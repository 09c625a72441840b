"""What an operator is told: alarms with a way out, and a dashboard of metrics that exist."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chatgrid_auth.adapters.jwt import jwks_cache
from chatgrid_auth.domain import errors
from chatgrid_authorizer import decision_metrics
from chatgrid_reconciler import report
from tests.template.stack import ROOT, deployed

ALARMS = {
    "AuthorizerErrorsAlarm",
    "ServerErrorsAlarm",
    "StoreThrottledAlarm",
    "RefusedShareAlarm",
    "KeySetStaleAlarm",
    "ReconcilerAlarm",
    "OrphansHeldAlarm",
}
OURS = "ChatGrid/gate"
AWSS = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Invocations", "Errors", "Duration", "ConcurrentExecutions"},
    "AWS/DynamoDB": {
        "ConsumedWriteCapacityUnits",
        "WriteThrottleEvents",
        "SuccessfulRequestLatency",
    },
}
OUTCOMES = {
    "allowed": {"api-key", "jwt"},
    "refused": {"malformed", "unknown", "revoked", "expired", "invalid_token"},
    "forbidden": {"read", "write", "admin"},
    "rate_limited": {"window"},
    "fault": {"StoreUnavailable", "StoreThrottled", "IdentityProviderUnavailable"},
}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"

Series = tuple[str, str, dict[str, str]]


def alarms(**parameters: str) -> dict[str, dict[str, Any]]:
    return deployed(**parameters).of("AWS::CloudWatch::Alarm")


def dashboard() -> dict[str, Any]:
    body: dict[str, Any] = json.loads(deployed().one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    return body


def series_of_alarms() -> Iterator[Series]:
    for alarm in alarms().values():
        parts = [
            part["MetricStat"]["Metric"]
            for part in alarm.get("Metrics", [])
            if "MetricStat" in part
        ]
        for metric in parts or [alarm]:
            dimensions = {d["Name"]: d["Value"] for d in metric["Dimensions"]}
            yield metric["Namespace"], metric["MetricName"], dimensions


def series_of_the_dashboard() -> Iterator[Series]:
    for widget in dashboard()["widgets"]:
        for namespace, name, *rest in widget["properties"].get("metrics", []):
            names = rest[:-1]  # the last is how it is drawn
            yield namespace, name, dict(zip(names[::2], names[1::2], strict=True))


def is_published(namespace: str, name: str, dimensions: dict[str, str]) -> bool:
    if namespace != OURS:
        return name in AWSS.get(namespace, set())
    if dimensions == {"service": "reconciler"}:
        return name in report.METRICS.values()
    if dimensions == {"service": decision_metrics.SERVICE}:
        return name in decision_metrics.SERVICE_METRICS
    if dimensions.get("service") != decision_metrics.SERVICE:
        return False
    reasons = OUTCOMES.get(dimensions.get("outcome", ""), set())
    return name in decision_metrics.METRICS and dimensions.get("reason") in {None, *reasons}


def test_there_is_an_alarm_for_each_thing_that_can_go_wrong() -> None:
    assert set(alarms()) == ALARMS


def test_an_operator_with_monitoring_of_his_own_can_leave_ours_out() -> None:
    stack = deployed(Monitoring="disabled")
    assert not [name for name in stack.resources if name.endswith("Alarm") or name == "Dashboard"]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_says_where_its_way_out_is_written(name: str) -> None:
    found = re.search(r"docs/(runbook\.md)#([a-z0-9-]+)", alarms()[name]["AlarmDescription"])
    assert found
    text = (ROOT / "docs" / found[1]).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert found[2] in {heading.lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_the_topic_where_there_is_one(name: str) -> None:
    told = alarms(AlarmTopicArn=TOPIC)[name]
    assert told["AlarmActions"] == told["OKActions"] == [TOPIC]
    assert "AlarmActions" not in alarms()[name]


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarms_sum_is_made_of_the_metrics_that_it_asks_for(name: str) -> None:
    alarm = alarms()[name]
    if "Metrics" not in alarm:
        return
    _, *parts = alarm["Metrics"]
    expressions = [part["Expression"] for part in alarm["Metrics"] if "Expression" in part]
    used = {name for text in expressions for name in re.findall(r"\b[a-z]\w*\b", text)}
    assert used == {part["Id"] for part in parts}
    assert not [part["Id"] for part in parts if part["ReturnData"] is not False]
    assert len({part["MetricStat"]["Period"] for part in parts if "MetricStat" in part}) == 1


def test_silence_of_the_reconciler_is_an_alarm_and_silence_of_clients_is_none() -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms().items()}
    assert missing.pop("ReconcilerAlarm") == "breaching"
    assert set(missing.values()) == {"notBreaching"}


def test_keys_that_are_only_due_for_a_refresh_alarm_nobody() -> None:
    """Up to its stale age a key set serves without the provider having failed."""
    expressions = [part.get("Expression", "") for part in alarms()["KeySetStaleAlarm"]["Metrics"]]
    (alarming_s,) = re.findall(r"age > (\d+)", " ".join(expressions))
    assert int(alarming_s) * 1000 > jwks_cache.STALE_AGE_MS


def test_every_metric_that_the_authorizer_publishes_is_looked_at() -> None:
    looked_at = {name for space, name, _ in series_of_the_dashboard() if space == OURS}
    assert {*decision_metrics.METRICS, *decision_metrics.SERVICE_METRICS} <= looked_at


def test_the_share_that_alarms_is_the_operators() -> None:
    alarm = alarms(RefusedShareAlarmPercent="12")["RefusedShareAlarm"]
    assert alarm["Threshold"] == "12"


@pytest.mark.parametrize("series", [*series_of_alarms(), *series_of_the_dashboard()], ids=str)
def test_a_metric_that_is_looked_at_is_one_that_somebody_publishes(series: Series) -> None:
    assert is_published(*series)


def kinds_of(fault: type[errors.Fault]) -> set[str]:
    found = {fault.__name__} if fault.__module__ == errors.__name__ else set()
    return found.union(*(kinds_of(kind) for kind in fault.__subclasses__()))


def test_the_faults_that_are_counted_are_the_faults_that_there_are() -> None:
    assert kinds_of(errors.Fault) - {"Fault"} == OUTCOMES["fault"]


def test_the_dashboard_shows_every_alarm() -> None:
    shown = {
        arn for widget in dashboard()["widgets"] for arn in widget["properties"].get("alarms", [])
    }
    assert len(shown) == len(ALARMS)
    for alarm in alarms().values():
        assert any(alarm["AlarmName"] in arn for arn in shown)


def test_no_widget_of_the_dashboard_covers_another() -> None:
    cells = [
        (column, row)
        for widget in dashboard()["widgets"]
        for column in range(widget["x"], widget["x"] + widget["width"])
        for row in range(widget["y"], widget["y"] + widget["height"])
    ]
    assert len(cells) == len(set(cells))
    assert max(column for column, _ in cells) < 24


def test_the_dashboard_reads_the_log_that_the_authorizer_writes() -> None:
    (query,) = (
        widget["properties"]["query"]
        for widget in dashboard()["widgets"]
        if widget["type"] == "log"
    )
    assert "SOURCE '/aws/lambda/gate-authorizer'" in query
