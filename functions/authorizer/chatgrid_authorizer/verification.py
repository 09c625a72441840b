"""``POST /keys/verify``: the gate's verdict for backends that API Gateway does not stand before.

The caller's own request has been decided on, like any other; the guard sees to it that it may ask.
The credential in the body is then judged by the same code, in the same container: one store request
more. An outage is 503, never a credential that is not valid.

Loaded for the first such request: decisions for API Gateway do without.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.limits.beyond import CREDITS
from chatgrid_auth.domain.verdicts import (
    Allowed,
    Caller,
    Forbidden,
    Limited,
    RateLimitStatus,
    Refused,
    Verdict,
    assert_never,
)
from chatgrid_auth.guard import guarded
from chatgrid_auth.services.instants import iso_instant
from chatgrid_authorizer import decision_log
from chatgrid_authorizer.event import MethodRequest
from chatgrid_authorizer.verification_body import BodyInvalid, Question, parse, read

if TYPE_CHECKING:
    from chatgrid_authorizer.response import Gate

ROUTE = ("POST", "/keys/verify")
MAX_BODY_CHARACTERS = 64 * 1024
_CODES = {"revoked": "revoked", "ended": "revoked", "disabled": "disabled", "expired": "expired"}


def respond(
    incoming: Mapping[str, Any], *, gate: Gate, invocation_id: str | None
) -> dict[str, Any]:
    """The response to a proxy event of this route. Never raises for an outage."""

    @guarded(clock=lambda: gate.now_ms() / 1000)
    def verify(event: Any, _context: Any, _caller: Caller) -> dict[str, Any]:
        unfit = _unfit(event)
        if unfit is not None:
            return unfit
        try:
            question = read(parse(event), routes=gate.routes, dearest=gate.dearest)
        except BodyInvalid as invalid:
            return _error(error_table.INVALID_BODY, details=invalid.details)
        try:
            verdict = _decide(question, event, gate, invocation_id)
        except Fault:
            response = _error(error_table.UNAVAILABLE)
            response["headers"]["Retry-After"] = "1"
            return response
        body = {"object": "verification", "data": _told(verdict)}
        return _response(200, body)

    return verify(incoming, None)


def _unfit(event: Mapping[str, Any]) -> dict[str, Any] | None:
    """The response to what is no question at all; ``None`` for what may be one."""
    if event.get("resource") != ROUTE[1]:
        return _error(error_table.NOT_FOUND)
    if event.get("httpMethod") != ROUTE[0]:
        response = _error(error_table.METHOD_NOT_ALLOWED)
        response["headers"]["Allow"] = ROUTE[0]
        return response
    media_type = _header(event, "content-type").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return _error(error_table.UNSUPPORTED_MEDIA_TYPE)
    if len(event.get("body") or "") > MAX_BODY_CHARACTERS:
        return _error(error_table.PAYLOAD_TOO_LARGE)
    return None


def _decide(
    question: Question, event: Mapping[str, Any], gate: Gate, invocation_id: str | None
) -> Verdict:
    """The verdict, logged as a request of this route if it counts as one."""
    now_ms = gate.now_ms()
    started_ms, waited_ms = gate.elapsed_ms(), gate.store_waited_ms()
    authenticator = gate.authenticator
    if not question.counts and gate.glances is not None:
        authenticator = gate.glances()
    outcome: Verdict | Fault
    try:
        outcome = authenticator.decide(
            f"Bearer {question.credential}", request=question.request, now_ms=now_ms
        )
    except Fault as fault:
        outcome = fault
    if question.counts:
        measured = decision_log.Measured(
            now_ms=now_ms,
            took_ms=gate.elapsed_ms() - started_ms,
            store_ms=gate.store_waited_ms() - waited_ms,
            cold_start=False,
        )
        method, resource = ROUTE
        about = event.get("requestContext")
        request_id = about.get("requestId") if isinstance(about, Mapping) else None
        request = MethodRequest(
            method_arn="",
            authorization=None,
            method=method,
            resource=resource,
            request_id=request_id if isinstance(request_id, str) else "",
            judged=question.request,
        )
        called = decision_log.named(outcome)
        gate.log(decision_log.line(outcome, called, request, measured, invocation_id=invocation_id))
        for text in gate.metrics.record(called, measured, None):
            gate.log(text)
    if isinstance(outcome, Fault):
        raise outcome
    return outcome


def _told(verdict: Verdict) -> dict[str, Any]:
    """A verdict as the contract tells it."""
    caller, wait_s = None, None
    figures: RateLimitStatus | None
    match verdict:
        case Allowed():
            code, message, figures = "valid", None, verdict.figures
            caller = _caller(verdict.caller)
        case Refused():
            code, message = _CODES.get(verdict.reason, "invalid"), verdict.message
            figures = None
        case Forbidden():
            code = "ip_not_allowed" if verdict.reason == "address" else "forbidden"
            message, figures = verdict.message, verdict.figures
        case Limited():
            code, message = "rate_limited", error_table.RATE_LIMITED.message
            if verdict.beyond is not None and verdict.beyond.refused_by == CREDITS:
                code = error_table.CREDITS_EXHAUSTED.code
                message = error_table.CREDITS_EXHAUSTED.message
            figures, wait_s = verdict.figures, verdict.retry_after_s
        case _:
            assert_never(verdict)
    return {
        "valid": code == "valid",
        "code": code,
        "message": message,
        "caller": caller,
        "rate_limit": figures
        and {
            "limit": figures.limit,
            "remaining": figures.remaining,
            "reset_at": iso_instant(figures.reset_s * 1000),
        },
        "retry_after_seconds": wait_s,
    }


def _caller(caller: Caller) -> dict[str, Any]:
    notes = json.loads(caller.metadata) if caller.metadata is not None else {}
    return {
        "user_id": caller.user_id,
        "key_id": caller.key_id,
        "auth_mode": caller.auth_mode,
        "scopes": list(caller.scopes),
        "permissions": None if caller.permissions is None else list(caller.permissions),
        "environment": caller.environment,
        "metadata": None if caller.key_id is None else notes,
        "expires_at": None if caller.expires_at_ms is None else iso_instant(caller.expires_at_ms),
    }


def _header(event: Mapping[str, Any], wanted: str) -> str:
    headers = event.get("headers")
    found = headers.items() if isinstance(headers, Mapping) else ()
    return next((str(value) for name, value in found if name.lower() == wanted), "")


def _error(
    kind: error_table.ErrorKind, *, details: list[dict[str, str]] | None = None
) -> dict[str, Any]:
    body = kind.envelope()
    return _response(kind.status, body if details is None else {**body, "details": details})


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": json.dumps(body, separators=(",", ":"), ensure_ascii=False),
    }
