"""What a function behind a Lambda proxy integration answered, turned into an HTTP answer.

Source: "Output format of a Lambda function for proxy integration", API Gateway developer guide.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from chatgrid_devkit.gateway.messages import Response

_KEYS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}
# The server's own business, whatever a function says of them.
_CONNECTION_HEADERS = {"connection", "content-length", "keep-alive", "transfer-encoding", "upgrade"}

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class MalformedResponse(Exception):
    """The function's answer is not in the format that API Gateway takes."""


def read_proxy_response(value: Any, *, request_id: str) -> Response:
    """The HTTP answer.

    Raises:
        MalformedResponse: API Gateway would answer 502.
    """
    if not isinstance(value, dict) or not set(value) <= _KEYS:
        raise MalformedResponse("no object with the keys of a proxy answer")
    headers = _headers(value.get("headers"), value.get("multiValueHeaders"))
    if not any(name.lower() == "content-type" for name, _ in headers):
        headers.append(("Content-Type", "application/json"))
    headers.append(("x-amzn-RequestId", request_id))
    return Response(status=_status(value.get("statusCode")), headers=headers, body=_body(value))


def _status(value: Any) -> int:
    text = str(value) if isinstance(value, str | int) else ""
    if not (text.isascii() and text.isdigit() and 200 <= int(text) <= 599):
        raise MalformedResponse("statusCode is no status")
    return int(text)


def _headers(single: Any, multi: Any) -> list[tuple[str, str]]:
    """Both maps merged: all values of `multiValueHeaders`, then what only `headers` has."""
    if not isinstance(single or {}, Mapping) or not isinstance(multi or {}, Mapping):
        raise MalformedResponse("headers are no object")
    merged: list[tuple[str, str]] = []
    for name, values in (multi or {}).items():
        if not isinstance(values, list):
            raise MalformedResponse("multiValueHeaders has a value that is no list")
        merged += [(name, _header_value(value)) for value in values]
    seen = {(name.lower(), value) for name, value in merged}
    for name, value in (single or {}).items():
        text = _header_value(value)
        if (name.lower(), text) not in seen:
            merged.append((name, text))
    if not all(_TOKEN.fullmatch(name) for name, _ in merged):
        raise MalformedResponse("a header's name is no token")
    return [(name, text) for name, text in merged if name.lower() not in _CONNECTION_HEADERS]


def _header_value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if not isinstance(value, str | int | float):
        raise MalformedResponse("a header's value is no text")
    text = str(value).strip()
    if _CONTROL.search(text):
        raise MalformedResponse("a header's value holds a control character")
    return text


def _body(value: Mapping[str, Any]) -> bytes:
    body, is_base64 = value.get("body"), value.get("isBase64Encoded", False)
    if not isinstance(is_base64, bool):
        raise MalformedResponse("isBase64Encoded is no boolean")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResponse("body is no text")
    if not is_base64:
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResponse("body is no base64") from error
