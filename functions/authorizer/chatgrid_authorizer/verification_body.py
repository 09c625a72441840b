"""What ``POST /keys/verify`` takes, checked field by field. No value is ever repeated."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any

from chatgrid_auth.domain.rules.addresses import read_address
from chatgrid_auth.domain.rules.permissions import is_permission
from chatgrid_auth.domain.scopes import SCOPES
from chatgrid_auth.services.gate.authenticate import LONGEST_CREDENTIAL
from chatgrid_auth.services.gate.requests import Request, Routes

_FIELDS = ("credential", "scope", "method", "resource", "permission", "cost", "source_ip", "origin")
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_LONGEST = 1_024
WHOLE_BODY = "body"


class BodyInvalid(Exception):
    """The body is not what the route takes.

    Attributes:
        details: what is wrong, as the contract's errors tell it.
    """

    def __init__(self, details: list[dict[str, str]]) -> None:
        super().__init__("invalid body")
        self.details = details


class Question:
    """What is asked about a credential.

    Attributes:
        credential: as a client presented it, without ``Bearer``.
        request: what it is presented for, at a price of at least 1.
        counts: whether the request is counted.
    """

    __slots__ = ("counts", "credential", "request")

    def __init__(self, credential: str, request: Request, *, counts: bool) -> None:
        self.credential = credential
        self.request = request
        self.counts = counts


def parse(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body's JSON object.

    Raises:
        BodyInvalid: it is none.
    """
    body = event.get("body")
    try:
        if event.get("isBase64Encoded") is True and isinstance(body, str):
            body = base64.b64decode(body, validate=True).decode()
        found = json.loads(body if isinstance(body, str) else "", object_pairs_hook=_object)
    except (ValueError, RecursionError, binascii.Error):
        raise BodyInvalid([_detail("invalid_value", WHOLE_BODY, "Expected JSON")]) from None
    if not isinstance(found, dict):
        raise BodyInvalid([_detail("invalid_type", WHOLE_BODY, "Expected an object")])
    return found


def read(body: Mapping[str, Any], *, routes: Routes, dearest: int) -> Question:
    """What is asked.

    Args:
        routes: what the routes of the deployment need.
        dearest: the highest cost of a request in this deployment.

    Raises:
        BodyInvalid: something in it is not as it must be.
    """
    wrong = [
        _detail("unrecognized_key", WHOLE_BODY, "Unrecognized field")
        for name in body
        if name not in _FIELDS
    ]
    credential = body.get("credential")
    if "credential" not in body:
        wrong.append(_detail("required", "credential", "Required"))
    elif not isinstance(credential, str):
        wrong.append(_detail("invalid_type", "credential", "Expected a string"))
    cost = body.get("cost", 1)
    if isinstance(cost, bool) or not isinstance(cost, int):
        wrong.append(_detail("invalid_type", "cost", "Expected an integer"))
    elif not 0 <= cost <= dearest:
        wrong.append(_detail("invalid_value", "cost", f"Expected 0 to {dearest}"))
    wrong += _wrong_texts(body)
    if wrong:
        raise BodyInvalid(wrong)
    presented = credential if isinstance(credential, str) else ""
    request = _request(body, routes, max(1, cost))
    # As an empty header, or one that is too long: no credential looks like that.
    usable = presented if len(presented) < LONGEST_CREDENTIAL and " " not in presented else ""
    return Question(usable, request, counts=cost > 0)


def _request(body: Mapping[str, Any], routes: Routes, cost: int) -> Request:
    permission = body.get("permission")
    source, origin = body.get("source_ip") or "", body.get("origin")
    if body.get("scope") is not None:
        return Request(
            body["scope"], permission=permission, source=source, origin=origin, cost=cost
        )
    route = routes.declared(body["method"], body["resource"])
    return Request(
        route.scope,
        permission=permission or route.permission,
        source=source,
        origin=origin,
        cost=cost,
        route=route.route,
    )


def _wrong_texts(body: Mapping[str, Any]) -> list[dict[str, str]]:
    given = {name: body[name] for name in _FIELDS[1:5] if body.get(name) is not None}
    rest = ("source_ip", "origin")
    given |= {name: body[name] for name in rest if body.get(name) is not None}
    wrong = [
        _detail("invalid_type", name, "Expected a string")
        for name, value in given.items()
        if not isinstance(value, str)
    ]
    if wrong:
        return wrong
    checks: dict[str, tuple[Callable[[str], bool], str]] = {
        "scope": (lambda text: text in SCOPES, "Expected read, write or admin"),
        "method": (lambda text: text in _METHODS, f"Expected one of {', '.join(_METHODS)}"),
        "resource": (
            lambda text: text.startswith("/") and len(text) <= _LONGEST,
            "Expected a path as the API declares it",
        ),
        "permission": (is_permission, "Expected resource:action"),
        "source_ip": (lambda text: read_address(text) is not None, "Expected an IP address"),
    }
    wrong = [
        _detail("invalid_value", name, checks[name][1])
        for name, value in given.items()
        if name in checks and not checks[name][0](value)
    ]
    pair = {"method", "resource"} & given.keys()
    if ("scope" in given) == bool(pair):
        message = "Expected either scope, or method and resource"
        wrong.append(_detail("invalid_value", WHOLE_BODY, message))
    elif pair and len(pair) == 1:
        missing = ({"method", "resource"} - pair).pop()
        wrong.append(_detail("required", missing, "Required"))
    return wrong


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found


def _detail(code: str, path: str, message: str) -> dict[str, str]:
    return {"code": code, "path": path, "message": message}
