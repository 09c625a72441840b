"""The Lambda entry point: translate, decide, translate."""

from __future__ import annotations

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.scopes import required_scope
from chatgrid_authorizer import decision_log, event, policy, wiring

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.domain.verdicts import Verdict

_gate = wiring.build()


def handler(incoming: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer API Gateway's question whether a request may go on.

    Raises:
        Fault: the store or the identity provider is out. API Gateway answers 503 then, so an
            outage is never reported as a bad credential.
    """
    return answer(incoming, gate=_gate)


def answer(incoming: dict[str, Any], *, gate: wiring.Gate) -> dict[str, Any]:
    """As ``handler``, with everything it works with given."""
    request = event.read(incoming)
    now_ms = gate.now_ms()
    started_ms = gate.elapsed_ms()
    cold_start, gate.cold = gate.cold, False

    def log(outcome: Verdict | Fault) -> None:
        gate.log(
            decision_log.line(
                outcome,
                request,
                now_ms=now_ms,
                took_ms=gate.elapsed_ms() - started_ms,
                namespace=gate.metrics_namespace,
                cold_start=cold_start,
            )
        )

    try:
        verdict = gate.authenticator.decide(
            request.authorization,
            scope=required_scope(request.method, request.resource),
            now_ms=now_ms,
        )
    except Fault as fault:
        log(fault)
        raise
    log(verdict)
    return policy.write(verdict, method_arn=request.method_arn)
