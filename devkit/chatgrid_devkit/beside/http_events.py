"""The events that HTTP APIs send to functions (payload format 2.0)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from chatgrid_devkit.beside.definition import HttpApi
from chatgrid_devkit.gateway.events import DOMAIN_SUFFIX
from chatgrid_devkit.gateway.messages import Request
from chatgrid_devkit.gateway.routing import Match

REGION = "us-east-1"


def request_event(api: HttpApi, request: Request, match: Match, *, account: str) -> dict[str, Any]:
    """What a Lambda authorizer gets."""
    place = f"arn:aws:execute-api:{REGION}:{account}:{api.id}"
    authorizer = match.route.authorizer
    headers = api.authorizers[authorizer].identity_headers if authorizer else ()
    return {
        **_both(api, request, match, account=account),
        "type": "REQUEST",
        "routeArn": f"{place}/{api.stage}/{request.method}{request.path}",
        "identitySource": [request.header(name) for name in headers] or None,
    }


def proxy_event(
    api: HttpApi,
    request: Request,
    match: Match,
    *,
    account: str,
    authorizer: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """What a function behind a Lambda proxy integration gets."""
    event = _both(api, request, match, account=account)
    if authorizer is not None:
        event["requestContext"]["authorizer"] = {"lambda": dict(authorizer)}
    if request.body:
        event["body"] = request.body.decode("utf-8", errors="replace")
    return {**event, "isBase64Encoded": False}


def _both(api: HttpApi, request: Request, match: Match, *, account: str) -> dict[str, Any]:
    route = match.route
    key = route.resource if route.resource == "$default" else f"{route.method} {route.resource}"
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": key,
        "rawPath": request.raw_path,
        "rawQueryString": request.query,
        "headers": _headers(request),
        "requestContext": {
            "accountId": account,
            "apiId": api.id,
            "domainName": f"{api.id}.{DOMAIN_SUFFIX}",
            "domainPrefix": api.id,
            "http": {
                "method": request.method,
                "path": request.raw_path,
                "protocol": request.protocol,
                "sourceIp": request.source_ip,
                "userAgent": request.header("User-Agent") or "",
            },
            "requestId": request.id,
            "routeKey": key,
            "stage": api.stage,
            "time": time.strftime(
                "%d/%b/%Y:%H:%M:%S +0000", time.gmtime(request.received_ms / 1000)
            ),
            "timeEpoch": request.received_ms,
        },
    }
    maps = {
        "queryStringParameters": _joined(parse_qsl(request.query, keep_blank_values=True)),
        "pathParameters": dict(match.parameters),
        "stageVariables": dict(api.stage_variables),
    }
    # What is empty is not there.
    return event | {name: values for name, values in maps.items() if values}


def _headers(request: Request) -> dict[str, str]:
    """Names in lower case, what came several times joined by commas; cookies apart."""
    headers = _joined(
        (name.lower(), value) for name, value in request.headers if name.lower() != "cookie"
    )
    forwarded = headers.get("x-forwarded-for")
    told = f"{forwarded}, {request.source_ip}" if forwarded else request.source_ip
    return {**headers, "x-forwarded-for": told, "x-forwarded-proto": "http"}


def _joined(pairs: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found
