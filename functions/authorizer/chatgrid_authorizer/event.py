"""Reads what API Gateway asks an authorizer.

REQUEST events carry headers and the matched resource. TOKEN events carry the token and the ARN
of the method, nothing else; they come from APIs of other stacks and from the console's Test
button.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Request:
    """What an authorizer needs to know of a request.

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
        source: the address that API Gateway took the request from, which no header changes;
            empty for TOKEN events.
    """

    __slots__ = (
        "authorization",
        "declared_resource",
        "method",
        "method_arn",
        "request_id",
        "resource",
        "source",
    )

    def __init__(
        self,
        *,
        method_arn: str,
        authorization: str | None,
        method: str,
        resource: str,
        request_id: str,
        source: str = "",
        spelled: bool = False,
    ) -> None:
        self.method_arn = method_arn
        self.authorization = authorization
        self.method = method
        self.resource = resource
        self.declared_resource = "" if spelled else resource
        self.source = source
        self.request_id = request_id


def read(event: Mapping[str, Any]) -> Request:
    """The request that an authorizer event is about. Never raises.

    What is not an authorizer event at all reads as a request without a credential.
    """
    method_arn = event.get("methodArn") if isinstance(event, dict) else None
    # arn:partition:execute-api:region:account:api/stage/METHOD/path
    parts = method_arn.split("/", 3) if isinstance(method_arn, str) else []
    if not isinstance(method_arn, str) or len(parts) < 3 or not method_arn.startswith("arn:"):
        return Request(method_arn="*", authorization=None, method="", resource="", request_id="")
    method, path = parts[2], parts[3] if len(parts) > 3 else ""
    if event.get("type") == "TOKEN":
        token = event.get("authorizationToken")
        return Request(
            method_arn=method_arn,
            authorization=token if isinstance(token, str) else None,
            method=method,
            resource="/" + path,
            request_id="",
            spelled=True,
        )
    context = event.get("requestContext")
    request_id = context.get("requestId") if isinstance(context, dict) else None
    identity = context.get("identity") if isinstance(context, dict) else None
    source = identity.get("sourceIp") if isinstance(identity, dict) else None
    resource = event.get("resource")
    return Request(
        method_arn=method_arn,
        authorization=_only_authorization(event),
        method=method,
        resource=resource if isinstance(resource, str) else "/" + path,
        request_id=request_id if isinstance(request_id, str) else "",
        source=source if isinstance(source, str) else "",
        spelled=not isinstance(resource, str),
    )


def _only_authorization(event: Mapping[str, Any]) -> str | None:
    """The one ``Authorization`` header, its name in any case; ``None`` for none or several."""
    headers: Any = event.get("multiValueHeaders")
    several = isinstance(headers, dict)
    if not several:
        headers = event.get("headers")
        if not isinstance(headers, dict):
            return None
    found: list[object] = []
    for name in headers:
        # Most names are refused by their length alone. (The names in JSON are strings.)
        if len(name) == 13 and name.lower() == "authorization":
            value = headers[name]
            if not several:
                found.append(value)
            elif isinstance(value, list):
                found += value
    if len(found) != 1 or not isinstance(found[0], str):
        return None
    return found[0]
