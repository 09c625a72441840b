"""The answers that API Gateway gives by itself, as the template shapes them.

Sources: "Supported gateway response types" and "Gateway response definition", API Gateway
developer guide. Templates know substitution only: no logic, and nothing is escaped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from chatgrid_devkit.gateway.messages import Request, Response
from chatgrid_devkit.template.description import GatewayResponse

#: type: (default status, `x-amzn-ErrorType`, default message)
TYPES: dict[str, tuple[int, str, str | None]] = {
    "ACCESS_DENIED": (
        403,
        "AccessDeniedException",
        "User is not authorized to access this resource",
    ),
    "API_CONFIGURATION_ERROR": (
        500,
        "InternalServerErrorException",
        "Internal server error",
    ),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "AuthorizerConfigurationException", None),
    "AUTHORIZER_FAILURE": (500, "AuthorizerFailureException", None),
    "DEFAULT_4XX": (400, "BadRequestException", "Bad Request"),
    "INTEGRATION_FAILURE": (502, "InternalServerErrorException", "Internal server error"),
    "INTEGRATION_TIMEOUT": (504, "InternalServerErrorException", "Endpoint request timed out"),
    "INVALID_API_KEY": (403, "ForbiddenException", "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (
        403,
        "MissingAuthenticationTokenException",
        "Missing Authentication Token",
    ),
    "QUOTA_EXCEEDED": (429, "LimitExceededException", "Limit Exceeded"),
    "REQUEST_TOO_LARGE": (413, "RequestTooLargeException", "Request Too Long"),
    "THROTTLED": (429, "TooManyRequestsException", "Too Many Requests"),
    "UNAUTHORIZED": (401, "UnauthorizedException", "Unauthorized"),
}

_VARIABLE = re.compile(
    r"\$(context|stageVariables)((?:\.[A-Za-z_][A-Za-z0-9_]*)+)"
    r"|\$?method\.request\.(header|path|querystring)\.([A-Za-z0-9_-]+)"
)


class GatewayError(Exception):
    """API Gateway answers by itself, with a response of this type.

    Attributes:
        status: where AWS gives the type another status than its usual one in this case.
        reason: for the operator's log, never for the client.
    """

    def __init__(
        self,
        response_type: str,
        *,
        reason: str = "",
        status: int | None = None,
        message: str | None = None,
    ) -> None:
        super().__init__(response_type)
        self.response_type = response_type
        self.reason = reason
        self.status = status
        self.message = message


def render(
    error: GatewayError,
    *,
    responses: Mapping[str, GatewayResponse],
    request: Request,
    context: Mapping[str, Any],
) -> Response:
    """The answer for an error: the type's own response, else DEFAULT_4XX or 5XX, else AWS's.

    Args:
        context: what `$context` knows at this moment, `authorizer` included if it was called.
    """
    default_status, error_type, default_message = TYPES[error.response_type]
    default_status = error.status or default_status
    message = error.message or default_message
    family = "DEFAULT_4XX" if default_status < 500 else "DEFAULT_5XX"
    response = responses.get(error.response_type) or responses.get(family)
    known = {
        **context,
        "error": {
            "message": message,
            "messageString": json.dumps(message),
            "responseType": error.response_type,
        },
    }
    headers = {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": error_type,
        "x-amzn-RequestId": request.id,
    }
    for name, expression in (response.headers if response else {}).items():
        headers[name] = _header(expression, known)
    template = response.template if response else None
    if template is None:
        word = "Message" if error.response_type == "ACCESS_DENIED" else "message"
        template = f'{{"{word}":$context.error.messageString}}'
    return Response(
        status=(response.status if response else None) or default_status,
        headers=tuple(headers.items()),
        body=substitute(template, known, request=request).encode(),
        response_type=error.response_type,
    )


def substitute(template: str, context: Mapping[str, Any], *, request: Request) -> str:
    """The template with its variables filled in; nothing is escaped, as on AWS."""

    def value(found: re.Match[str]) -> str:
        if found[1] == "context":
            return _context_value(found[2][1:], context)
        if found[3] == "header":
            return request.header(found[4]) or ""
        return ""

    return _VARIABLE.sub(value, template)


def _header(expression: str, context: Mapping[str, Any]) -> str:
    if expression.startswith("'"):
        return expression.strip("'")
    return _context_value(expression.removeprefix("context."), context)


def _context_value(path: str, context: Mapping[str, Any]) -> str:
    """A `$context` variable; empty when it is not there (AWS documents no rule for that)."""
    value: Any = context
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None else str(value)
