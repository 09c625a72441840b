"""Reads what API Gateway asks an authorizer.

REQUEST events carry headers and the matched resource. TOKEN events carry the token and the ARN
of the method, nothing else; they come from APIs of other stacks and from the console's Test
button.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.services.gate.requests import Request, Routes

    SourceRule = Callable[[Mapping[str, Any], str], str]

#: The method of an event that names none.
UNNAMED = "*"


class MethodRequest:
    """What an authorizer needs to know of a request to a method of the API.

    Attributes:
        method_arn: the ARN of the invoked method; ``*`` when the event names none, which only
            ever goes into a Deny.
        authorization: the ``Authorization`` header; ``None`` unless there is exactly one.
        method: the HTTP method, in upper case.
        resource: the path as the API declares it; for TOKEN events the path of the ARN, which is
            as the client spelled it.
        declared_resource: the same, but empty where the client spelled it: a client may put a
            credential there, which no log may hold, or name what is not what it asks for.
        request_id: API Gateway's id of the request; empty for TOKEN events.
        judged: what a verdict may depend on. Its source is the address that API Gateway took the
            request from, or, behind trusted proxies, that the outermost of them did; it is unknown,
            as the origin is, for TOKEN events.
    """

    __slots__ = (
        "authorization",
        "declared_resource",
        "judged",
        "method",
        "method_arn",
        "request_id",
        "resource",
    )

    def __init__(
        self,
        *,
        method_arn: str,
        authorization: str | None,
        method: str,
        resource: str,
        request_id: str,
        judged: Request,
        spelled: bool = False,
    ) -> None:
        self.method_arn = method_arn
        self.authorization = authorization
        self.method = method
        self.resource = resource
        self.declared_resource = "" if spelled else resource
        self.request_id = request_id
        self.judged = judged


def read(
    event: Mapping[str, Any], *, routes: Routes, source_of: SourceRule | None = None
) -> MethodRequest:
    """The request that an authorizer event is about. Never raises.

    What is not an authorizer event at all reads as a request without a credential.

    Args:
        event: the event.
        routes: what the routes of the API need.
        source_of: makes of the event and API Gateway's own source the address that counts;
            ``None`` where that is API Gateway's own.
    """
    method_arn = event.get("methodArn") if isinstance(event, dict) else None
    # arn:partition:execute-api:region:account:api/stage/METHOD/path
    parts = method_arn.split("/", 3) if isinstance(method_arn, str) else []
    if not isinstance(method_arn, str) or len(parts) < 3 or not method_arn.startswith("arn:"):
        return MethodRequest(
            method_arn=UNNAMED,
            authorization=None,
            method="",
            resource="",
            request_id="",
            judged=routes.spelled("", ""),
            spelled=True,
        )
    method, path = parts[2], parts[3] if len(parts) > 3 else ""
    if event.get("type") == "TOKEN":
        token = event.get("authorizationToken")
        return MethodRequest(
            method_arn=method_arn,
            authorization=token if isinstance(token, str) else None,
            method=method,
            resource="/" + path,
            request_id="",
            judged=routes.spelled(method, "/" + path),
            spelled=True,
        )
    request_id = source = None
    context = event.get("requestContext")
    if isinstance(context, dict):
        request_id, identity = context.get("requestId"), context.get("identity")
        if isinstance(identity, dict):
            source = identity.get("sourceIp")
    resource: Any = event.get("resource")
    # An HTTP API's `$default`, in payload 1.0, is no declared path.
    spelled = not (isinstance(resource, str) and resource.startswith("/"))
    if spelled:
        resource = "/" + path
    authorization, origin = _only(event)
    source = source if isinstance(source, str) else ""
    if source_of is not None:
        source = source_of(event, source)
    route = routes.spelled(method, resource) if spelled else routes.declared(method, resource)
    judged = route.asked(source, origin)
    if judged.unlimited:
        judged.unlimited = _ends_its_key(event)
    return MethodRequest(
        method_arn=method_arn,
        authorization=authorization,
        method=method,
        resource=resource,
        request_id=request_id if isinstance(request_id, str) else "",
        judged=judged,
        spelled=spelled,
    )


def _ends_its_key(event: Mapping[str, Any]) -> bool:
    """Whether nothing in the query of a ``DELETE /me/api-key`` has it refused.

    No limit counts such a request, so it has to be the key's last.
    """
    from chatgrid_auth.domain.audit import REVOCATION_REASONS  # noqa: PLC0415 - for this route only

    several = event.get("multiValueQueryStringParameters") or {}
    single = event.get("queryStringParameters") or {}
    reasons = several.get("reason") if several else [single["reason"]] if "reason" in single else []
    return not reasons or (len(reasons) == 1 and reasons[0] in REVOCATION_REASONS)


def is_proxied(event: object) -> bool:
    """Whether an event is a request that this function itself is to serve: a proxy event."""
    return isinstance(event, dict) and "httpMethod" in event and "methodArn" not in event


def names_a_route(event: object) -> bool:
    """Whether an event is an HTTP API's (payload format 2.0)."""
    return isinstance(event, dict) and "routeArn" in event


def _only(event: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The one ``Authorization`` and the one ``Origin``, their names in any case.

    ``None`` for a header that is not there, or there several times.
    """
    headers: Any = event.get("multiValueHeaders")
    several = isinstance(headers, dict)
    if not several:
        headers = event.get("headers")
        if not isinstance(headers, dict):
            return None, None
    authorizations: list[object] = []
    origins: list[object] = []
    for name in headers:
        # Most names are refused by their length alone. (The names in JSON are strings.)
        length = len(name)
        if length == 13 and name.lower() == "authorization":
            found = authorizations
        elif length == 6 and name.lower() == "origin":
            found = origins
        else:
            continue
        value = headers[name]
        if not several:
            found.append(value)
        elif isinstance(value, list):
            found += value
    authorization = authorizations[0] if len(authorizations) == 1 else None
    origin = origins[0] if origins and len(origins) == 1 else None
    return (
        authorization if isinstance(authorization, str) else None,
        origin if origin is not None and isinstance(origin, str) else None,
    )
