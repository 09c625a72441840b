"""Answers HTTP APIs (payload format 2.0, simple responses), which have no responses of their own.

A REST API turns a verdict into the contract's response by itself. An HTTP API knows two, 401 and
403, with fixed bodies. So, where the API's stage says that a guard stands in front of every backend
(the stage variable ``chatgrid`` is ``guarded``), each request is let through, with its verdict,
for the guard to respond. Everywhere else only an allowed request is: a backend whose guard was
forgotten is closed, not open. No client has a hand in a stage's variables.

Loaded for the first such event: a REST API's authorizer does without.
Source: "Control access to HTTP APIs with AWS Lambda authorizers", API Gateway developer guide.
"""

from __future__ import annotations

from chatgrid_auth.domain import context
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.verdicts import Allowed, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.domain.verdicts import Verdict

#: The stage variable that tells of guards, and what it says then.
STAGE_VARIABLE = ("chatgrid", "guarded")


def rest_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same request as a REST API would ask about it, so that one set of rules reads both.

    ``$default``, which matches whatever is spelled, declares no resource. What came several times
    is one text with commas here, for headers and the query alike: no credential looks like that.
    """
    about = _mapping(event.get("requestContext"))
    http = _mapping(about.get("http"))
    method, route = http.get("method"), event.get("routeKey")
    _, space, declared = route.partition(" ") if isinstance(route, str) else ("", "", "")
    arn = event.get("routeArn")
    api = arn.split("/", 1)[0] if isinstance(arn, str) else ""
    return {
        "type": "REQUEST",
        "methodArn": f"{api}/{about.get('stage')}/{method}{_text(event.get('rawPath'))}",
        "resource": declared if space else None,
        "headers": event.get("headers"),
        "queryStringParameters": event.get("queryStringParameters"),
        "requestContext": {
            "requestId": about.get("requestId"),
            "identity": {"sourceIp": http.get("sourceIp")},
        },
    }


def writer(event: Mapping[str, Any]) -> Callable[[Verdict | Fault], dict[str, Any]]:
    """What writes the answer to this event."""
    variables = _mapping(event.get("stageVariables"))
    name, value = STAGE_VARIABLE
    return _for_guards if variables.get(name) == value else _for_anybody


def _for_anybody(outcome: Verdict | Fault) -> dict[str, Any]:
    """Let an allowed request through, and no other.

    Raises:
        Fault: the outcome is one. The API answers 500: an outage is no bad credential.
    """
    if isinstance(outcome, Fault):
        raise outcome
    return {"isAuthorized": isinstance(outcome, Allowed), "context": _facts(outcome)}


def _for_guards(outcome: Verdict | Fault) -> dict[str, Any]:
    """Let every request through, with what the guard has to know of it."""
    return {"isAuthorized": True, "context": _facts(outcome)}


def _facts(outcome: Verdict | Fault) -> dict[str, Any]:
    if isinstance(outcome, Fault):
        return {"verdict": context.UNAVAILABLE}
    if isinstance(outcome, Refused):
        return {
            "verdict": context.REFUSED,
            "message": outcome.message,
            "reason": outcome.reason,
        }
    return dict(context.write(outcome))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
