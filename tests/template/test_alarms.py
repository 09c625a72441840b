"""What an operator is told: alarms with a way out, and a dashboard of metrics that exist."""

from __future__ import annotations

import json
import re

import pytest

import chatgrid_leaks.wiring
from chatgrid_auth.adapters.jwt import jwks_cache
from chatgrid_auth.domain import context, errors
from chatgrid_authorizer import decision_metrics
from chatgrid_reconciler import report
from tests.support.stack.templates import FUNCTIONS, ROOT, deployed, monitored
from tests.template.monitoring import (
    LOGGED,
    UNLOGGED,
    Series,
    access_line,
    alarms,
    dashboard,
    gate,
    matches,
    metric_filters,
    series_of_alarms,
    series_of_the_dashboard,
)

ALARMS = {
    "AuthorizerErrorsAlarm",
    "AuthorizerThrottledAlarm",
    "BackendsThrottledAlarm",
    "ServerErrorsAlarm",
    "UsagePlanFaultAlarm",
    "StoreThrottledAlarm",
    "RefusedShareAlarm",
    "CanaryUsedAlarm",
    "KeySetStaleAlarm",
    "ReconcilerAlarm",
    "OrphansHeldAlarm",
    "EventsLostAlarm",
    "LeakReportsFailedAlarm",
    "UsageFailingAlarm",
}
OURS = "ChatGrid/gate"
AWSS = {
    "AWS/ApiGateway": {"Count", "4XXError", "5XXError", "Latency"},
    "AWS/Lambda": {"Invocations", "Errors", "Throttles", "Duration", "ConcurrentExecutions"},
    "AWS/DynamoDB": {
        "ConsumedWriteCapacityUnits",
        "WriteThrottleEvents",
        "SuccessfulRequestLatency",
    },
}
AWSS["AWS/SQS"] = {"ApproximateNumberOfMessagesVisible"}
OUTCOMES = {
    "allowed": {"api-key", "jwt"},
    "refused": {
        *("malformed", "unknown", "revoked", "disabled", "expired", "ended"),
        *("invalid_token", "canary"),
    },
    "forbidden": {"read", "write", "admin"},
    "rate_limited": {"window", "credits", "owner", "route"},
    "fault": {
        "StoreUnavailable",
        "StoreThrottled",
        "IdentityProviderUnavailable",
        "TokenSecretUnavailable",
    },
}
#: What each service publishes under its name alone.
METRICS = {
    "reconciler": set(report.METRICS.values()),
    "leaks": set(chatgrid_leaks.wiring.MILESTONES.values()),
    decision_metrics.SERVICE: set(decision_metrics.SERVICE_METRICS),
}
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"


def is_published(namespace: str, name: str, dimensions: dict[str, str]) -> bool:
    if namespace != OURS:
        return name in AWSS.get(namespace, set())
    if not dimensions:
        return name in metric_filters()
    if set(dimensions) == {"service"} and dimensions["service"] in METRICS:
        return name in METRICS[dimensions["service"]]
    if dimensions.get("service") != decision_metrics.SERVICE:
        return False
    reasons = OUTCOMES.get(dimensions.get("outcome", ""), set())
    return name in decision_metrics.METRICS and dimensions.get("reason") in {None, *reasons}


def test_there_is_an_alarm_for_each_thing_that_can_go_wrong() -> None:
    assert set(alarms()) == ALARMS


def test_without_an_access_log_only_what_nothing_else_tells_is_missing() -> None:
    assert set(alarms(UNLOGGED)) == ALARMS - {"UsagePlanFaultAlarm"}
    assert not metric_filters(UNLOGGED)
    assert not [series for series in series_of_alarms(UNLOGGED) if not series[2]]


def test_without_own_gateway_keys_no_alarm_is_about_their_orphans() -> None:
    stack = monitored(deployed(OwnGatewayKeys="false", AccessLog=LOGGED))
    left = {"OrphansHeldAlarm"}
    assert set(stack.of("AWS::CloudWatch::Alarm")) == ALARMS - left
    body = json.loads(stack.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    assert len(body["widgets"][0]["properties"]["alarms"]) == len(ALARMS - left)


def test_the_gate_itself_brings_no_alarm_and_no_dashboard() -> None:
    stack = deployed()
    assert not stack.of("AWS::CloudWatch::Alarm")
    assert not stack.of("AWS::CloudWatch::Dashboard")


def test_the_gates_outputs_are_all_that_monitoring_must_be_told() -> None:
    """One command deploys it: the gate's name, and its outputs under their own names."""
    parameters = monitored().raw["Parameters"]
    needed = {name for name, told in parameters.items() if "Default" not in told}
    assert needed - {"GateStackName"} <= set(deployed().outputs)
    for access_log in (LOGGED, UNLOGGED):
        assert gate(access_log).outputs["AccessLogGroupName"]
    assert set(deployed().outputs) == set(deployed(AccessLog=UNLOGGED).outputs)


def test_monitoring_imports_nothing_that_the_gate_could_not_change_then() -> None:
    assert "ImportValue" not in json.dumps(monitored().raw)


def test_an_alarms_name_has_a_dot_as_no_stacks_name_has() -> None:
    for alarm in alarms().values():
        assert re.fullmatch(r"gate\.[a-z0-9-]+", alarm["AlarmName"])


def test_throttled_invocations_ring_for_the_authorizer_and_for_each_backend() -> None:
    watched = {
        dimensions["FunctionName"]
        for namespace, name, dimensions in series_of_alarms()
        if (namespace, name) == ("AWS/Lambda", "Throttles")
    }
    names = {folder: deployed().outputs[f"{logical}Name"] for logical, folder in FUNCTIONS.items()}
    assert watched == {names["authorizer"], names["management"], names["boards"]}
    for name in ("AuthorizerThrottledAlarm", "BackendsThrottledAlarm"):
        assert alarms()[name]["Threshold"] == 0


def test_lambdas_metrics_are_asked_for_by_function_whatever_its_version_or_alias() -> None:
    """By FunctionName alone they are the sum over all versions and aliases."""
    asked = [dims for space, _, dims in series_of_alarms() if space == "AWS/Lambda"]
    assert asked
    assert all(set(dimensions) == {"FunctionName"} for dimensions in asked)
    assert not [dimensions for dimensions in asked if ":" in dimensions["FunctionName"]]


@pytest.mark.parametrize("status", ["200", "403", "429", "500", "502", "503", "504", "520"])
def test_the_5xx_share_counts_the_statuses_that_clients_got(status: str) -> None:
    pattern = metric_filters()["ServerErrors"]["FilterPattern"]
    assert matches(pattern, access_line(status=status)) == (status[0] == "5")
    expressions = [part.get("Expression", "") for part in alarms()["ServerErrorsAlarm"]["Metrics"]]
    assert "5XXError" not in json.dumps(alarms()["ServerErrorsAlarm"])
    assert any("100 * errors / requests" in text for text in expressions)


def test_without_an_access_log_failed_functions_count_beside_api_gateways_5xx() -> None:
    """API Gateway counts a 503 of the authorizer's and a 502 as 4xx: their statuses are changed."""
    found = json.dumps(alarms(UNLOGGED)["ServerErrorsAlarm"])
    assert "5XXError" in found
    for function in ("Authorizer", "Management", "Boards"):
        assert f'"{deployed().outputs[f"{function}FunctionName"]}"' in found


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ({"error": "INVALID_API_KEY", "verdict": "allowed"}, True),
        ({"error": "INVALID_API_KEY", "verdict": "forbidden"}, False),
        ({"error": "THROTTLED", "verdict": "allowed"}, False),
        ({"verdict": "allowed"}, False),
    ],
)
def test_a_usage_plans_fault_is_a_refused_key_under_a_good_verdict(
    line: dict[str, str], counts: bool
) -> None:
    pattern = metric_filters()["UsagePlanFaults"]["FilterPattern"]
    assert matches(pattern, access_line(status="403", **line)) == counts
    assert context.ALLOWED == "allowed"
    assert alarms()["UsagePlanFaultAlarm"]["MetricName"] == "UsagePlanFaults"


def test_what_the_access_log_counts_is_from_the_gates_own() -> None:
    group = gate(LOGGED).one("AWS::ApiGateway::Stage")["AccessLogSetting"]["DestinationArn"]
    for each in metric_filters().values():
        assert f":{each['LogGroupName']}:" in group
        assert each["MetricTransformations"][0]["MetricNamespace"] == OURS


def test_api_gateways_metrics_are_asked_for_by_the_apis_name_and_stage() -> None:
    series = [*series_of_alarms(), *series_of_alarms(UNLOGGED), *series_of_the_dashboard()]
    asked = [dims for space, _, dims in series if space == "AWS/ApiGateway"]
    name = deployed().one("AWS::ApiGateway::RestApi")["Name"]
    stage = deployed().one("AWS::ApiGateway::Stage")["StageName"]
    assert asked
    assert all(dimensions == {"ApiName": name, "Stage": stage} for dimensions in asked)


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_says_where_its_way_out_is_written(name: str) -> None:
    found = re.search(r"docs/(runbook\.md)#([a-z0-9-]+)", alarms()[name]["AlarmDescription"])
    assert found
    text = (ROOT / "docs" / found[1]).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    assert found[2] in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_limit_and_every_lost_message_has_a_line_on_the_dashboard() -> None:
    drawn = list(series_of_the_dashboard())
    limits = {dims.get("reason") for _, _, dims in drawn if dims.get("outcome") == "rate_limited"}
    assert limits - {None} == OUTCOMES["rate_limited"]
    refused = {dims.get("reason") for _, _, dims in drawn if dims.get("outcome") == "refused"}
    assert refused - {None} == OUTCOMES["refused"]
    queues = {dims["QueueName"] for space, _, dims in drawn if space == "AWS/SQS"}
    outputs = deployed().outputs
    assert queues == {outputs["LeaksDeadLettersName"], outputs["EventsDeadLettersName"]}
    functions = {dims["FunctionName"] for space, _, dims in drawn if space == "AWS/Lambda"}
    assert outputs["UsageFunctionName"] in functions


@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarm_tells_the_topic_where_there_is_one(name: str) -> None:
    told = alarms(AlarmTopicArn=TOPIC)[name]
    assert told["AlarmActions"] == told["OKActions"] == [TOPIC]
    assert "AlarmActions" not in alarms()[name]


@pytest.mark.parametrize("access_log", [LOGGED, UNLOGGED])
@pytest.mark.parametrize("name", sorted(ALARMS))
def test_an_alarms_sum_is_made_of_the_metrics_that_it_asks_for(name: str, access_log: str) -> None:
    alarm = alarms(access_log).get(name, {})
    if "Metrics" not in alarm:
        return
    _, *parts = alarm["Metrics"]
    expressions = [part["Expression"] for part in alarm["Metrics"] if "Expression" in part]
    used = {name for text in expressions for name in re.findall(r"\b[a-z]\w*\b", text)}
    assert used == {part["Id"] for part in parts}
    assert not [part["Id"] for part in parts if part["ReturnData"] is not False]
    assert len({part["MetricStat"]["Period"] for part in parts if "MetricStat" in part}) == 1


def test_silence_of_what_runs_each_minute_alarms_and_the_clients_not() -> None:
    missing = {name: alarm["TreatMissingData"] for name, alarm in alarms().items()}
    for scheduled in ("ReconcilerAlarm", "UsageFailingAlarm"):
        assert missing.pop(scheduled) == "breaching"
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


@pytest.mark.parametrize(
    "series",
    [*series_of_alarms(), *series_of_alarms(UNLOGGED), *series_of_the_dashboard()],
    ids=str,
)
def test_a_metric_that_is_looked_at_is_one_that_somebody_publishes(series: Series) -> None:
    assert is_published(*series)


def kinds_of(fault: type[errors.Fault]) -> set[str]:
    found = {fault.__name__} if fault.__module__ == errors.__name__ else set()
    return found.union(*(kinds_of(kind) for kind in fault.__subclasses__()))


def test_the_faults_that_are_counted_are_the_faults_that_there_are() -> None:
    assert kinds_of(errors.Fault) - {"Fault"} == OUTCOMES["fault"]


@pytest.mark.parametrize("access_log", [LOGGED, UNLOGGED])
def test_the_dashboard_shows_every_alarm(access_log: str) -> None:
    shown = {
        arn
        for widget in dashboard(access_log)["widgets"]
        for arn in widget["properties"].get("alarms", [])
    }
    expected = alarms(access_log)
    assert len(shown) == len(expected)
    for alarm in expected.values():
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
    written = deployed().resources["AuthorizerFunction"]["LoggingConfig"]["LogGroup"]
    assert written == "/aws/lambda/gate-authorizer"
    assert f"SOURCE '{written}'" in query
