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
#: What each decision is counted as, by outcome, and by outcome and reason; with the units.
METRICS = {"Decisions": "Count", "DecisionMs": "Milliseconds"}
#: What decisions depend on: in those lines only that have it to tell, and for all outcomes alike.
SERVICE_METRICS = {"StoreMs": "Milliseconds", "JwksAgeSeconds": "Seconds", "ColdStart": "Count"}

# Written out, because building the same nested record for each request and walking it again
# would cost more than the decision's own arithmetic. All that varies is quoted by `json`.
_LINE = (
    '{"level":"%s","message":"decision","timestamp":"%s.%03dZ","service":"' + SERVICE + '",'
    '"cold_start":%s,"correlation_id":%s,"function_request_id":%s,"method":%s,"resource":%s,'
    '"outcome":"%s",%s,"Decisions":1,"DecisionMs":%.3f,%s"_aws":{"Timestamp":%d,'
    '"CloudWatchMetrics":[{"Namespace":%s,'
    '"Dimensions":[["service","outcome"],["service","outcome","reason"]],"Metrics":[%s]}%s]}}'
)
_SERVICE_DIRECTIVE = ',{"Namespace":%s,"Dimensions":[["service"]],"Metrics":[%s]}'
_quote = json.JSONEncoder().encode
_DECLARED = ",".join(_quote({"Name": name, "Unit": unit}) for name, unit in METRICS.items())
_STORE, _JWKS, _COLD = (
    _quote({"Name": name, "Unit": unit}) for name, unit in SERVICE_METRICS.items()
)


class Measured:
    """What was measured of one decision.

    Attributes:
        now_ms: when it was asked for, in Unix milliseconds.
        took_ms: how long it took, the wait for the store included.
        store_ms: how long of that it waited for the store; 0 when the store was not asked.
        cold_start: whether this was the container's first decision.
    """

    __slots__ = ("cold_start", "now_ms", "store_ms", "took_ms")

    def __init__(self, *, now_ms: int, took_ms: float, store_ms: float, cold_start: bool) -> None:
        self.now_ms = now_ms
        self.took_ms = took_ms
        self.store_ms = store_ms
        self.cold_start = cold_start


def line(
    outcome: Verdict | Fault,
    request: Request,
    measured: Measured,
    *,
    namespace: str,
    invocation_id: str | None = None,
) -> str:
    """The line for one decision.

    Args:
        outcome: the verdict, or the fault in its place.
        request: what was asked.
        measured: when it was, and what it took.
        namespace: the namespace of the metrics in CloudWatch.
        invocation_id: Lambda's id of the invocation, as in the platform's own lines.
    """
    name, facts = _facts(outcome)
    quoted_namespace = _quote(namespace)
    values, declared = _of_the_service(outcome, measured)
    seconds, milliseconds = divmod(measured.now_ms, 1000)
    return _LINE % (
        "INFO" if name != "fault" else "ERROR",
        time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)),
        milliseconds,
        "true" if measured.cold_start else "false",
        _quote(request.request_id),
        _quote(invocation_id),
        _quote(request.method),
        _quote(request.declared_resource),
        name,
        facts,
        measured.took_ms,
        values,
        measured.now_ms,
        quoted_namespace,
        _DECLARED,
        _SERVICE_DIRECTIVE % (quoted_namespace, declared[1:]) if declared else "",
    )


def _of_the_service(outcome: Verdict | Fault, measured: Measured) -> tuple[str, str]:
    """The values that there are of ``SERVICE_METRICS``, and their declarations, after a comma."""
    values = declared = ""
    if measured.store_ms:
        values = f'"StoreMs":{measured.store_ms:.3f},'
        declared = "," + _STORE
    if isinstance(outcome, Allowed) and outcome.jwks_age_ms is not None:
        values += f'"JwksAgeSeconds":{outcome.jwks_age_ms / 1000:.3f},'
        declared += "," + _JWKS
    if measured.cold_start:
        values += '"ColdStart":1,'
        declared += "," + _COLD
    return values, declared


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
