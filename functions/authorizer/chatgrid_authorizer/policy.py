"""Writes the answer that API Gateway understands: a policy for one method, and a context.

What leads to which status is in docs/architecture.md. The policy names exactly the invoked
method: results are never cached, so it never has to serve another one.
"""

from __future__ import annotations

from chatgrid_auth.domain import context
from chatgrid_auth.domain.verdicts import Allowed, Limited, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_authorizer.edge import ClosedPlan

#: Whoever is not known. API Gateway answers 500 to a policy without a principal.
NOBODY = "anonymous"
#: API Gateway takes no longer resource in a policy, though clients may ask for longer paths.
LONGEST_RESOURCE = 512


def write(verdict: Verdict, *, method_arn: str, closed: ClosedPlan | None = None) -> dict[str, Any]:
    """The authorizer's answer for a verdict.

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
