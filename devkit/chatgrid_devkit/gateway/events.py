"""The events that API Gateway's REST APIs send to functions (payload format 1.0)."""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

from chatgrid_devkit.gateway.messages import Request
from chatgrid_devkit.gateway.routing import Match
from chatgrid_devkit.template.description import Api, UsageKey

DOMAIN_SUFFIX = "execute-api.us-east-1.amazonaws.com"

_IDENTITY_KEYS = (
    "cognitoIdentityPoolId",
    "accountId",
    "cognitoIdentityId",
    "caller",
    "principalOrgId",
    "accessKey",
    "cognitoAuthenticationType",
    "cognitoAuthenticationProvider",
    "userArn",
    "user",
)


def method_arn(api: Api, request: Request, *, region: str, account: str) -> str:
    """The ARN that an authorizer's policy has to name: the path as it was sent."""
    path = request.path.removeprefix("/")
    return f"arn:aws:execute-api:{region}:{account}:{api.id}/{api.stage}/{request.method}/{path}"


def token_event(request: Request, *, arn: str, header: str) -> dict[str, Any]:
    """What a TOKEN authorizer gets."""
    return {
        "type": "TOKEN",
        "methodArn": arn,
        "authorizationToken": request.header(header),
    }


def request_event(
    api: Api, request: Request, match: Match, *, arn: str, account: str
) -> dict[str, Any]:
    """What a REQUEST authorizer gets: never the body, and empty maps where a proxy has null."""
    single, multi = _headers(request)
    query, multi_query = _query(request)
    return {
        "type": "REQUEST",
        "methodArn": arn,
        "resource": match.route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": single,
        "multiValueHeaders": multi,
        "queryStringParameters": query,
        "multiValueQueryStringParameters": multi_query,
        "pathParameters": dict(match.parameters),
        "stageVariables": {},
        "requestContext": request_context(api, request, match.route.resource, account=account),
    }


def proxy_event(
    api: Api,
    request: Request,
    match: Match,
    *,
    account: str,
    authorizer: Mapping[str, Any] | None,
    key: UsageKey | None,
) -> dict[str, Any]:
    """What a function behind a Lambda proxy integration gets."""
    single, multi = _headers(request)
    query, multi_query = _query(request)
    context = request_context(api, request, match.route.resource, account=account)
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    if key is not None:
        context["identity"] |= {"apiKey": key.value, "apiKeyId": key.id}
    body, is_base64 = _body(request, api.binary_media_types)
    return {
        "resource": match.route.resource,
        "path": request.path,
        "httpMethod": request.method,
        "headers": single,
        "multiValueHeaders": multi,
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": multi_query or None,
        "pathParameters": dict(match.parameters) or None,
        "stageVariables": None,
        "requestContext": context,
        "body": body,
        "isBase64Encoded": is_base64,
    }


def request_context(
    api: Api, request: Request, resource: str | None, *, account: str
) -> dict[str, Any]:
    """What events, and the templates of gateway responses, call the context of a request."""
    moment = time.gmtime(request.received_ms / 1000)
    return {
        "resourceId": "local1",
        "resourcePath": resource,
        "httpMethod": request.method,
        "extendedRequestId": request.id.replace("-", "")[:15] + "=",
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", moment),
        "requestTimeEpoch": request.received_ms,
        "path": request.raw_path,
        "accountId": account,
        "protocol": request.protocol,
        "stage": api.stage,
        "domainPrefix": api.id,
        "domainName": f"{api.id}.{DOMAIN_SUFFIX}",
        "deploymentId": "local2",
        "apiId": api.id,
        "requestId": request.id,
        "identity": dict.fromkeys(_IDENTITY_KEYS)
        | {"sourceIp": request.source_ip, "userAgent": request.header("User-Agent")},
    }


def _headers(request: Request) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Last value by name, and all values by name; the peer's address added as the edge does."""
    multi: dict[str, list[str]] = {}
    for name, value in request.headers:
        multi.setdefault(name, []).append(value)
    forwarded = multi.get("X-Forwarded-For", [])
    multi["X-Forwarded-For"] = [", ".join([*forwarded, request.source_ip])]
    multi.setdefault("X-Forwarded-Proto", ["http"])
    return {name: values[-1] for name, values in multi.items()}, multi


def _query(request: Request) -> tuple[dict[str, str], dict[str, list[str]]]:
    multi: dict[str, list[str]] = {}
    for name, value in parse_qsl(request.query, keep_blank_values=True):
        multi.setdefault(name, []).append(value)
    return {name: values[-1] for name, values in multi.items()}, multi


def _body(request: Request, binary_media_types: Sequence[str]) -> tuple[str | None, bool]:
    if not request.body:
        return None, False
    media_type = (request.header("Content-Type") or "").partition(";")[0].strip().lower()
    if "*/*" in binary_media_types or media_type in binary_media_types:
        return base64.b64encode(request.body).decode("ascii"), True
    return request.body.decode("utf-8", errors="replace"), False
