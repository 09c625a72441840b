"""Alarms: there where monitoring is on, quiet, and heard by somebody."""

from __future__ import annotations

from collections.abc import Iterator

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack


def look_at_alarms(stack: Stack) -> Iterator[Finding]:
    """The stack's alarms and their states."""
    if stack.local:
        yield skipped("alarms", "a local stack has none")
        return
    if stack.parameters.get("Monitoring") == "disabled":
        yield warn("alarms", "left out by the parameter Monitoring", "watch the metrics elsewhere")
        return
    own = _names(stack)
    pages = stack.client("cloudwatch").get_paginator("describe_alarms")
    found = [
        alarm
        for page in pages.paginate(AlarmNamePrefix=f"{stack.name}-", AlarmTypes=["MetricAlarm"])
        for alarm in page["MetricAlarms"]
        if alarm["AlarmName"] in own
    ]
    if not found:
        yield fail("alarms", "there are none", "deploy with the parameter Monitoring=enabled")
        return
    ringing = sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")
    if ringing:
        yield fail("alarms", f"ringing: {', '.join(ringing)}", "see docs/runbook.md")
    else:
        yield ok("alarms", f"all {len(found)} are quiet")
    unheard = [
        alarm["AlarmName"]
        for alarm in found
        if not (alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions"))
    ]
    if unheard:
        yield warn(
            "alarm actions",
            f"{len(unheard)} of {len(found)} tell nobody",
            "set AlarmTopicArn to an SNS topic that somebody reads",
        )


def _names(stack: Stack) -> set[str]:
    """The alarms that CloudFormation made: another stack's name may begin with this one's."""
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    return {
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack.name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::CloudWatch::Alarm"
    }
