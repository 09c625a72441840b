"""What a plain handler gives back to API Gateway, and the guard's headers on it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

Headers = Mapping[str, Any]


def explicit(response: Any) -> dict[str, Any]:
    """A response with its parts, from what a handler behind an HTTP API may give for short.

    Source: "AWS Lambda integrations for HTTP APIs" (payload 2.0), API Gateway developer guide.
    """
    if isinstance(response, dict) and "statusCode" in response:
        return response
    body = response
    if not isinstance(body, str):
        body = json.dumps(response, separators=(",", ":"), ensure_ascii=False)
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}


def with_headers(response: Mapping[str, Any], guards: Mapping[str, str]) -> dict[str, Any]:
    """A handler's response and the guard's headers, which it can add to and never replace.

    API Gateway takes ``multiValueHeaders`` before ``headers``, where both name one.
    """
    single: Headers = response.get("headers") or {}
    several: Headers = response.get("multiValueHeaders") or {}
    taken = {"vary", *(name.lower() for name in guards)}
    varying = [str(value) for name, value in single.items() if name.lower() == "vary"]
    for name, values in several.items():
        if name.lower() == "vary":
            varying += map(str, values)
    if "Vary" in guards:
        varying.append(guards["Vary"])
    headers = {**_without(taken, single), **guards}
    if varying:
        headers["Vary"] = ", ".join(varying)
    whole = {**response, "headers": headers}
    return {**whole, "multiValueHeaders": _without(taken, several)} if several else whole


def _without(taken: set[str], headers: Headers) -> dict[str, Any]:
    return {name: value for name, value in headers.items() if name.lower() not in taken}
