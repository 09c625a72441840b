"""What a run says of itself: a metric for each kind of finding, and one log line."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools import Metrics

    from chatgrid_auth.services.usage_plans.ports import RunSummary

#: What the log line shows of the faults; a run may meet hundreds of one kind.
_FAULTS_SHOWN = 10
#: Field of the summary → name of the metric.
METRICS: Mapping[str, str] = {
    "created": "UsageKeysCreated",
    "activated": "UsageKeysActivated",
    "retired": "UsageKeysRetired",
    "missing": "UsageKeysMissing",
    "orphaned": "UsageKeysOrphaned",
    "disabled": "UsageKeysDisabled",
    "detached": "UsageKeysDetached",
    "unidentified": "UsageKeysUnidentified",
    "held": "UsageKeyOrphansHeld",
    "ceiling": "UsageKeysAtCeiling",
    "unfinished": "RevocationsFinished",
    "throttled": "ControlPlaneThrottled",
    "failed": "UsageKeysFailed",
    "queue_depth": "UsageKeyQueueDepth",
    "sweeps": "UsageKeySweeps",
}


def publish(summary: RunSummary, metrics: Metrics) -> None:
    """Every metric in every run: an alarm then tells *none* from *no run*."""
    for field, name in METRICS.items():
        metrics.add_metric(name, MetricUnit.Count, getattr(summary, field))


def response(summary: RunSummary, *, dry_run: bool) -> dict[str, Any]:
    """The summary as the function's response and log line; names and numbers, no values of keys."""
    counts = asdict(summary)
    faults: list[str] = counts.pop("faults")
    kinds = sorted(set(faults))[:_FAULTS_SHOWN]
    return {"dry_run": dry_run, **counts, "faults": kinds}
