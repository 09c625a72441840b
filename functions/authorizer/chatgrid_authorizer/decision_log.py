"""One line for each decision: a log record and its metrics in one, never a credential.

The line is JSON with the field names of Powertools' Logger, and CloudWatch's embedded metric
format beside them, so that Logs Insights, metric filters and alarms all read the same thing.
Powertools itself would cost the authorizer several times its whole start. The fields are
documented in docs/operations.md.
"""

from __future__ import annotations

import json
import time

from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.domain.errors import Fault
    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_authorizer.event import Request

SERVICE = "authorizer"
_METRICS = [{"Name": "Decisions", "Unit": "Count"}, {"Name": "DecisionMs", "Unit": "Milliseconds"}]
_COLD_START = {"Name": "ColdStart", "Unit": "Count"}


def line(
    outcome: Verdict | Fault,
    request: Request,
    *,
    now_ms: int,
    took_ms: float,
    namespace: str,
    cold_start: bool,
) -> str:
    """The line for one decision.

    Args:
        outcome: the verdict, or the fault in its place.
        request: what was asked.
        now_ms: Unix time in milliseconds.
        took_ms: how long the decision took, its store request included.
        namespace: the namespace of the metrics in CloudWatch.
        cold_start: whether this is the container's first request.
    """
    name, facts = _facts(outcome)
    record: dict[str, Any] = {
        "level": "INFO" if name != "fault" else "ERROR",
        "message": "decision",
        "timestamp": _timestamp(now_ms),
        "service": SERVICE,
        "cold_start": cold_start,
        "correlation_id": request.request_id,
        "method": request.method,
        "resource": request.resource,
        "outcome": name,
        **facts,
        "Decisions": 1,
        "DecisionMs": round(took_ms, 3),
        "_aws": {
            "Timestamp": now_ms,
            "CloudWatchMetrics": [
                {
                    "Namespace": namespace,
                    "Dimensions": [["service", "outcome"], ["service", "outcome", "reason"]],
                    "Metrics": [*_METRICS, _COLD_START] if cold_start else _METRICS,
                }
            ],
        },
    }
    if cold_start:
        record["ColdStart"] = 1
    return json.dumps(record, separators=(",", ":"))


def _facts(outcome: Verdict | Fault) -> tuple[str, dict[str, str | None]]:
    """The outcome's name, and what is known beside it: ``reason`` always."""
    if isinstance(outcome, Allowed):
        caller = outcome.caller
        return "allowed", {
            "reason": caller.auth_mode,
            "user_id": caller.user_id,
            "key_id": caller.key_id,
        }
    if isinstance(outcome, Refused):
        return "refused", {"reason": outcome.reason}
    if isinstance(outcome, Forbidden):
        return "forbidden", {"reason": outcome.required_scope}
    if isinstance(outcome, Exception):
        return "fault", {"reason": type(outcome).__name__, "detail": str(outcome)}
    return "rate_limited", {"reason": "window"}


def _timestamp(now_ms: int) -> str:
    seconds, milliseconds = divmod(now_ms, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{milliseconds:03d}Z"
