"""Which route a request meets: by the template's resources, on the path as it was sent.

Literal segments are compared byte for byte, percent-encoding included: a path in another
spelling is another path. A path parameter is one segment and keeps its encoding, as in the
proxy events of REST APIs; `%2F` in it is no separator.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatgrid_devkit.template.description import Route

#: What a method called ANY stands for; there is no route for any other.
METHODS = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A route, and the path's parameters (still percent-encoded)."""

    route: Route
    parameters: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Resource:
    segments: tuple[str, ...]
    methods: dict[str, Route]

    def parameters(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters when the path is this resource, else `None`."""
        if len(segments) != len(self.segments):
            return None
        found: dict[str, str] = {}
        for pattern, segment in zip(self.segments, segments, strict=True):
            if _is_parameter(pattern):
                if not segment:
                    return None
                found[pattern[1:-1]] = segment
            elif pattern != segment:
                return None
        return found


class Router:
    """The routes of one API."""

    def __init__(self, routes: Iterable[Route]) -> None:
        resources: dict[str, _Resource] = {}
        for route in routes:
            segments = tuple(_segments(route.resource))
            resource = resources.setdefault(route.resource, _Resource(segments, {}))
            resource.methods[route.method] = route
        # A literal segment goes before a parameter in the same place.
        self._resources = sorted(
            resources.values(), key=lambda r: [_is_parameter(segment) for segment in r.segments]
        )

    def match(self, method: str, path: str) -> Match | None:
        """The route for a path without its stage; `None` for an unknown path or method.

        One slash at the end is no part of the path; a method that is named goes before `ANY`.
        """
        if method not in METHODS:
            return None
        segments = _segments(path.removesuffix("/") or "/")
        for resource in self._resources:
            parameters = resource.parameters(segments)
            if parameters is not None:
                route = resource.methods.get(method) or resource.methods.get("ANY")
                return Match(route=route, parameters=parameters) if route else None
        return None


def without_stage(raw_path: str, stage: str) -> str | None:
    """The path as the API's resources see it; `None` when it lies outside the stage.

    An HTTP API's stage `$default` is no part of a path.
    """
    if stage == "$default":
        return raw_path
    if raw_path == f"/{stage}":
        return "/"
    prefix = f"/{stage}/"
    return raw_path[len(prefix) - 1 :] if raw_path.startswith(prefix) else None


def _segments(path: str) -> list[str]:
    return path.split("/")[1:]


def _is_parameter(segment: str) -> bool:
    return segment.startswith("{") and segment.endswith("}")
