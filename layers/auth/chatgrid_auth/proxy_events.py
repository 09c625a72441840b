"""What a guard takes out of a proxy event, of a REST API or of an HTTP API.

REST APIs (and payload 1.0) tell the matched resource by itself, and what the authorizer said as
flat strings. HTTP APIs (payload 2.0) tell the route's key, and what the authorizer said under
``lambda``, with its types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HTTP_API = "2.0"
_NOTHING: Mapping[str, Any] = {}


def read(event: object) -> tuple[Mapping[str, Any], str | None, str | None]:
    """The authorizer's context, the method and the matched resource. Never raises.

    The context is empty where nobody was asked, the others ``None`` where nothing was matched: the
    resource is never the path that the client spelled.
    """
    if not isinstance(event, Mapping):
        return _NOTHING, None, None
    about = _mapping(event.get("requestContext"))
    told = _mapping(about.get("authorizer"))
    if event.get("version") == HTTP_API:
        route = event.get("routeKey")
        method = _text(_mapping(about.get("http")).get("method"))
        return _mapping(told.get("lambda")), method, _resource(route, method)
    return told, _text(event.get("httpMethod")), _path(event.get("resource"))


def _resource(route: object, method: str | None) -> str | None:
    """The path of a route's key; ``None`` for ``$default``, which matches whatever is spelled."""
    if not isinstance(route, str):
        return None
    declared, space, path = route.partition(" ")
    return _path(path) if space and declared in {"ANY", method} else None


def _path(value: object) -> str | None:
    """A declared path: an HTTP API's ``$default``, also in payload 1.0, is none."""
    return value if isinstance(value, str) and value.startswith("/") else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else _NOTHING


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
