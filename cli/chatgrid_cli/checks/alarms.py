"""Alarms: there, on this very stack's functions and tables, quiet, and heard by somebody.

They are in a stack of their own (``monitoring.yaml``) under the name of this one and a dot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack

_DEPLOY = (
    "sam deploy --template-file monitoring.yaml --stack-name {stack}-monitoring"
    " --parameter-overrides GateStackName={stack}"
    " $(aws cloudformation describe-stacks --stack-name {stack} --output text"
    """ --query "Stacks[0].Outputs[].join('=', [OutputKey, OutputValue])")"""
)
#: What CloudFormation names itself, so that another resource under another name can come for it.
_NAMED_BY = ("FunctionName", "TableName")


def look_at_alarms(stack: Stack) -> Iterator[Finding]:
    """The stack's alarms, what they watch and their states."""
    if stack.local:
        yield skipped("alarms", "a local stack has none")
        return
    pages = stack.client("cloudwatch").get_paginator("describe_alarms")
    # A stack's name has no dot, so no other stack's alarms begin like this.
    own = {"AlarmNamePrefix": f"{stack.name}.", "AlarmTypes": ["MetricAlarm"]}
    found = [alarm for page in pages.paginate(**own) for alarm in page["MetricAlarms"]]
    deploy = _DEPLOY.format(stack=stack.name)
    if not found:
        yield warn("alarms", "there are none: nobody is told when it fails", deploy)
        return
    ringing = sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")
    if ringing:
        yield fail("alarms", f"ringing: {', '.join(ringing)}", "see docs/runbook.md")
    else:
        yield ok("alarms", f"all {len(found)} are quiet")
    watched = {name for alarm in found for name in _watched(alarm)}
    strangers = sorted(watched - set(stack.outputs.values()))
    if strangers:
        yield fail("alarms", f"they watch what is not the stack's: {', '.join(strangers)}", deploy)
    unheard = [
        alarm["AlarmName"]
        for alarm in found
        if not (alarm.get("ActionsEnabled", True) and alarm.get("AlarmActions"))
    ]
    if unheard:
        yield warn(
            "alarm actions",
            f"{len(unheard)} of {len(found)} tell nobody",
            "set AlarmTopicArn of monitoring.yaml to an SNS topic that somebody reads",
        )


def _watched(alarm: Mapping[str, Any]) -> Iterator[str]:
    """The functions and tables whose metrics an alarm reads."""
    parts = [
        part["MetricStat"]["Metric"] for part in alarm.get("Metrics", []) if "MetricStat" in part
    ]
    for metric in (alarm, *parts):
        for dimension in metric.get("Dimensions", []):
            if dimension["Name"] in _NAMED_BY:
                yield dimension["Value"]
