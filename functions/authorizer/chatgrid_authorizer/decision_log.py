"""One line for each decision: a log record and its metrics in one, never a credential.

The line is JSON with the field names of Powertools' Logger, and CloudWatch's embedded metric
format beside them, so that Logs Insights, metric filters and alarms all read the same thing.
Powertools itself would cost the authorizer several times its whole start. The fields are
documented in docs/runbook.md.
"""

from __future__ import annotations

import json
import time

from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.errors import Fault
    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_authorizer.event import Request

SERVICE = "authorizer"
#: The metrics and their units; ``ColdStart`` comes with a container's first line only.
METRICS = {"Decisions": "Count", "DecisionMs": "Milliseconds", "ColdStart": "Count"}

# Written out, because building the same nested record for each request and walking it again
# would cost more than the decision's own arithmetic. All that varies is quoted by `json`.
_LINE = (
    '{"level":"%s","message":"decision","timestamp":"%s.%03dZ","service":"' + SERVICE + '",'
    '"cold_start":%s,"correlation_id":%s,"function_request_id":%s,"method":%s,"resource":%s,'
    '"outcome":"%s",%s,"Decisions":1,"DecisionMs":%.3f,%s"_aws":{"Timestamp":%d,'
    '"CloudWatchMetrics":[{"Namespace":%s,'
    '"Dimensions":[["service","outcome"],["service","outcome","reason"]],"Metrics":[%s]}]}}'
)
_quote = json.JSONEncoder().encode
_DECLARED = [_quote({"Name": name, "Unit": unit}) for name, unit in METRICS.items()]
_COLD = ",".join(_DECLARED)
_WARM = ",".join(_DECLARED[:-1])


def line(
    outcome: Verdict | Fault,
    request: Request,
    *,
    now_ms: int,
    took_ms: float,
    namespace: str,
    cold_start: bool,
    invocation_id: str | None = None,
) -> str:
    """The line for one decision.

    Args:
        outcome: the verdict, or the fault in its place.
        request: what was asked.
        now_ms: Unix time in milliseconds.
        took_ms: how long the decision took, its store request included.
        namespace: the namespace of the metrics in CloudWatch.
        cold_start: whether this is the container's first request.
        invocation_id: Lambda's id of the invocation, as in the platform's own lines.
    """
    name, facts = _facts(outcome)
    seconds, milliseconds = divmod(now_ms, 1000)
    return _LINE % (
        "INFO" if name != "fault" else "ERROR",
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)),
        milliseconds,
        "true" if cold_start else "false",
        _quote(request.request_id),
        _quote(invocation_id),
        _quote(request.method),
        _quote(request.resource),
        name,
        facts,
        took_ms,
        '"ColdStart":1,' if cold_start else "",
        now_ms,
        _quote(namespace),
        _COLD if cold_start else _WARM,
    )


def _facts(outcome: Verdict | Fault) -> tuple[str, str]:
    """The outcome's name, and what is known beside it: ``reason`` always."""
    if isinstance(outcome, Allowed):
        caller = outcome.caller
        return "allowed", (
            f'"reason":"{caller.auth_mode}","user_id":{_quote(caller.user_id)},'
            f'"key_id":{_quote(caller.key_id)}'
        )
    if isinstance(outcome, Refused):
        return "refused", f'"reason":"{outcome.reason}"'
    if isinstance(outcome, Forbidden):
        return "forbidden", f'"reason":"{outcome.required_scope}"'
    if isinstance(outcome, Exception):
        return "fault", f'"reason":"{type(outcome).__name__}","detail":{_quote(str(outcome))}'
    return "rate_limited", '"reason":"window"'
