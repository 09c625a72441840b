"""What is given back to one invocation of API Gateway: translate, decide, translate."""

from __future__ import annotations

from chatgrid_auth.domain import context
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.verdicts import Allowed, Limited, Refused
from chatgrid_authorizer import decision_log, event
from chatgrid_authorizer.decision_metrics import DecisionMetrics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_auth.services.gate.authenticate import Authenticator
    from chatgrid_auth.services.gate.metered import MeteredGate
    from chatgrid_auth.services.gate.requests import Routes
    from chatgrid_authorizer.edge import ClosedPlan

#: Whoever is not known. API Gateway answers 500 to a policy without a principal.
NOBODY = "anonymous"
#: API Gateway takes no longer resource in a policy, though clients may ask for longer paths.
LONGEST_RESOURCE = 512


class Gate:
    """All that answering one event takes, built once by ``wiring``.

    Attributes:
        authenticator: gives the verdicts.
        now_ms: the clock, in Unix milliseconds.
        elapsed_ms: a clock that only goes forward, for durations.
        store_waited_ms: how long this container has waited for the store until now, in all.
        log: writes one line.
        metrics: what the decisions are counted as.
        routes: what the routes of the API need.
        source_of: which address counts behind trusted proxies; ``None`` without any.
        dearest: the highest cost of a request in this deployment.
        glances: gives what gives the same verdicts and counts nothing.
        closed: what API Gateway refuses by itself of requests over a limit; ``None`` for nothing.
        cold: whether no request was decided yet.
    """

    __slots__ = (
        "authenticator",
        "closed",
        "cold",
        "dearest",
        "elapsed_ms",
        "glances",
        "log",
        "metrics",
        "now_ms",
        "routes",
        "source_of",
        "store_waited_ms",
    )

    def __init__(  # noqa: PLR0913 - all that the handler works with
        self,
        *,
        authenticator: Authenticator | MeteredGate,
        now_ms: Callable[[], int],
        elapsed_ms: Callable[[], float],
        store_waited_ms: Callable[[], float],
        log: Callable[[str], None],
        metrics_namespace: str,
        routes: Routes,
        source_of: event.SourceRule | None = None,
        dearest: int = 1,
        glances: Callable[[], Authenticator | MeteredGate] | None = None,
        closed: ClosedPlan | None = None,
    ) -> None:
        self.authenticator = authenticator
        self.now_ms = now_ms
        self.elapsed_ms = elapsed_ms
        self.store_waited_ms = store_waited_ms
        self.log = log
        self.metrics = DecisionMetrics(metrics_namespace)
        self.routes = routes
        self.source_of = source_of
        self.dearest = dearest
        self.glances = glances
        self.closed = closed
        self.cold = True


def respond(
    incoming: dict[str, Any], *, gate: Gate, invocation_id: str | None = None
) -> dict[str, Any]:
    """The answer to an authorizer event, its decision logged.

    Args:
        incoming: the event.
        gate: all that it takes to answer.
        invocation_id: Lambda's id of this invocation, for the log.

    Raises:
        Fault: the store or the identity provider is out; logged too.
    """
    request = event.read(incoming, routes=gate.routes, source_of=gate.source_of)
    writer = None
    if request.method_arn == event.UNNAMED:  # as in no event of a REST API
        if event.is_proxied(incoming):
            from chatgrid_authorizer import verification  # noqa: PLC0415 - for one route only

            return verification.respond(incoming, gate=gate, invocation_id=invocation_id)
        if event.names_a_route(incoming):
            from chatgrid_authorizer import http_api  # noqa: PLC0415 - not for REST APIs

            asked, writer = http_api.rest_event(incoming), http_api.writer(incoming)
            request = event.read(asked, routes=gate.routes, source_of=gate.source_of)
    now_ms = gate.now_ms()
    started_ms, waited_ms = gate.elapsed_ms(), gate.store_waited_ms()
    cold_start, gate.cold = gate.cold, False

    outcome: Verdict | Fault
    try:
        outcome = gate.authenticator.decide(
            request.authorization, request=request.judged, now_ms=now_ms
        )
    except Fault as fault:
        outcome = fault
    measured = decision_log.Measured(
        now_ms=now_ms,
        took_ms=gate.elapsed_ms() - started_ms,
        store_ms=gate.store_waited_ms() - waited_ms,
        cold_start=cold_start,
    )
    called = decision_log.named(outcome)
    gate.log(decision_log.line(outcome, called, request, measured, invocation_id=invocation_id))
    age_ms = outcome.jwks_age_ms if isinstance(outcome, Allowed) else None
    for text in gate.metrics.record(called, measured, age_ms):
        gate.log(text)
    if writer is not None:
        return writer(outcome)
    if isinstance(outcome, Fault):
        raise outcome
    return policy(outcome, method_arn=request.method_arn, closed=gate.closed)


def policy(
    verdict: Verdict, *, method_arn: str, closed: ClosedPlan | None = None
) -> dict[str, Any]:
    """The authorizer's answer for a verdict: a policy for one method, and a context.

    What leads to which status is in docs/architecture.md. The policy names exactly the invoked
    method: results are never cached, so it never has to serve another one.

    Args:
        closed: what API Gateway refuses by itself of requests over a limit; ``None`` for nothing.
    """
    if isinstance(verdict, Refused):
        facts: dict[str, Any] = {"message": verdict.message, "reason": verdict.reason}
        return _answer("Deny", method_arn, principal=NOBODY, facts=facts)
    principal = verdict.caller.user_id if isinstance(verdict, Allowed) else NOBODY
    response = _answer("Allow", method_arn, principal=principal, facts=context.write(verdict))
    if isinstance(verdict, (Allowed, Limited)):
        # Without this key API Gateway itself refuses the request: that is how a missing scope
        # becomes a 403 before any backend is reached.
        response["usageIdentifierKey"] = verdict.usage_key
        if closed is not None and isinstance(verdict, Limited):
            response["usageIdentifierKey"] = closed.key_of(verdict)
    return response


def _answer(
    effect: str, method_arn: str, *, principal: str, facts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "principalId": principal,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": effect,
                    "Resource": _resource(method_arn),
                }
            ],
        },
        "context": facts,
    }


def _resource(method_arn: str) -> str:
    """The pattern that names the invoked method, whatever the client spelled in its path.

    A ``$`` could begin one of IAM's policy variables, so any one character stands in its place;
    and what is too long is cut short within the path. The answer serves this one request only.
    """
    pattern = method_arn.replace("$", "?")
    return pattern if len(pattern) <= LONGEST_RESOURCE else pattern[: LONGEST_RESOURCE - 1] + "*"
