"""What monitoring.yaml deploys beside a gate: its alarms, what it counts in logs, its dashboard."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from tests.support.stack.templates import Stack, deployed, monitored

#: Whether the gate has an access log.
LOGGED, UNLOGGED = "existing-role", "disabled"

#: Namespace, name and dimensions of a metric.
Series = tuple[str, str, dict[str, str]]


def gate(access_log: str) -> Stack:
    """The gate, with an access log or without."""
    return deployed(AccessLog=access_log)


def alarms(access_log: str = LOGGED, **parameters: str) -> dict[str, dict[str, Any]]:
    """The alarms by logical id, beside a gate with an access log or without."""
    return monitored(gate(access_log), **parameters).of("AWS::CloudWatch::Alarm")


def dashboard(access_log: str = LOGGED) -> dict[str, Any]:
    """The dashboard's body."""
    stack = monitored(gate(access_log))
    body: dict[str, Any] = json.loads(stack.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    return body


def metric_filters(access_log: str = LOGGED) -> dict[str, dict[str, Any]]:
    """What is counted in the access log, by the metric's name."""
    found = monitored(gate(access_log)).of("AWS::Logs::MetricFilter").values()
    return {each["MetricTransformations"][0]["MetricName"]: each for each in found}


def access_line(**values: str) -> dict[str, str]:
    """A line of the access log: ``-`` stands for what API Gateway has no value for."""
    setting = gate(LOGGED).one("AWS::ApiGateway::Stage")["AccessLogSetting"]
    written: dict[str, str] = json.loads(setting["Format"])
    assert set(values) <= set(written)
    return {name: values.get(name, "-") for name in written}


def matches(pattern: str, line: dict[str, str]) -> bool:
    """Whether CloudWatch Logs' JSON pattern, of equal texts joined by and, takes a line."""
    terms = pattern.removeprefix("{ ").removesuffix(" }").split(" && ")
    found = [re.fullmatch(r'\$\.(\w+) = "([\w*]+)"', term) for term in terms]
    assert all(found), f"{pattern} is more than this test understands"
    return all(fnmatchcase(line[term[1]], term[2]) for term in found if term)


def series_of_alarms(access_log: str = LOGGED) -> Iterator[Series]:
    """Every metric that an alarm reads."""
    for alarm in alarms(access_log).values():
        parts = [
            part["MetricStat"]["Metric"]
            for part in alarm.get("Metrics", [])
            if "MetricStat" in part
        ]
        for metric in parts or [alarm]:
            dimensions = {d["Name"]: d["Value"] for d in metric.get("Dimensions", [])}
            yield metric["Namespace"], metric["MetricName"], dimensions


def series_of_the_dashboard() -> Iterator[Series]:
    """Every metric that the dashboard draws."""
    for widget in dashboard()["widgets"]:
        for namespace, name, *rest in widget["properties"].get("metrics", []):
            names = rest[:-1]  # the last is how it is drawn
            yield namespace, name, dict(zip(names[::2], names[1::2], strict=True))
