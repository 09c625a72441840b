"""What API Gateway takes from an authorizer, and what no answer may do, whatever was asked."""

from __future__ import annotations

import json
import re
from typing import Any

from chatgrid_devkit.gateway.policy import allows, read_output

#: What is written for REST APIs nowhere, and for WebSocket APIs in the quota table.
MOST_ANSWER_BYTES = 8_192
#: "Output from an API Gateway Lambda authorizer": longer resources are an error.
MOST_RESOURCE_CHARACTERS = 512
PLAN_FAULT = ("service_unavailable", "Usage plan unavailable")
MISSING_SCOPES = {
    ("forbidden", f"Missing required scope: {scope}") for scope in ("read", "write", "admin")
}
MESSAGES = {"Missing or invalid token", "API key has been revoked", "API key has expired"}

_NAME = re.compile(r"[a-z_]+")
# `${…}` in a policy's resource is a variable that IAM replaces.
_VARIABLE = "${"


def check(answer: dict[str, Any]) -> str:
    """The effect of an answer that API Gateway takes; fails on any other."""
    assert set(answer) <= {"principalId", "policyDocument", "context", "usageIdentifierKey"}
    assert isinstance(answer["principalId"], str)
    assert answer["principalId"]
    assert answer["policyDocument"]["Version"] == "2012-10-17"
    (statement,) = answer["policyDocument"]["Statement"]
    assert set(statement) == {"Action", "Effect", "Resource"}
    assert statement["Action"] == "execute-api:Invoke"
    assert 0 < len(statement["Resource"]) <= MOST_RESOURCE_CHARACTERS
    assert _VARIABLE not in statement["Resource"]
    for name, value in answer["context"].items():
        assert _NAME.fullmatch(name)
        assert isinstance(value, str | int)
        assert not isinstance(value, str) or value.isprintable()
    assert len(json.dumps(answer).encode()) <= MOST_ANSWER_BYTES
    read_output(answer)
    _check_outcome(answer, str(statement["Effect"]))
    return str(statement["Effect"])


def _check_outcome(answer: dict[str, Any], effect: str) -> None:
    """Only an allowed request has a caller; only fixed texts reach unescaped templates."""
    context = answer["context"]
    if effect == "Deny":
        assert set(context) == {"message", "reason"}
        assert context["message"] in MESSAGES
        assert answer["principalId"] == "anonymous"
        assert "usageIdentifierKey" not in answer
        return
    assert effect == "Allow"
    assert context["verdict"] in {"allowed", "forbidden", "rate_limited"}
    assert ("user_id" in context) == (context["verdict"] == "allowed")
    assert ("usageIdentifierKey" in answer) == (context["verdict"] != "forbidden")
    assert (context["code"], context["message"]) in (
        MISSING_SCOPES if context["verdict"] == "forbidden" else {PLAN_FAULT}
    )


def is_served(answer: dict[str, Any], arn: str) -> bool:
    """Whether API Gateway lets the request go on to its backend."""
    return allows(read_output(answer), arn) and "usageIdentifierKey" in answer
