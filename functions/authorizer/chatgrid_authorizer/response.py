"""What is given back to one invocation of API Gateway: translate, decide, translate."""

from __future__ import annotations

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.verdicts import Allowed
from chatgrid_authorizer import decision_log, event, policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_authorizer.gate import Gate


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
    # Asked of nothing that a REST API's authorizer is sent: those events name their method.
    is_http_api = request.method_arn == event.UNNAMED and event.names_a_route(incoming)
    if request.method_arn == event.UNNAMED and event.is_proxied(incoming):
        from chatgrid_authorizer import verification  # noqa: PLC0415 - for one route only

        return verification.respond(incoming, gate=gate, invocation_id=invocation_id)
    if is_http_api:
        from chatgrid_authorizer import http_api  # noqa: PLC0415 - not for REST APIs

        asked = http_api.rest_event(incoming)
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
    if is_http_api:
        return http_api.writer(incoming)(outcome)
    if isinstance(outcome, Fault):
        raise outcome
    return policy.write(outcome, method_arn=request.method_arn, closed=gate.closed)
