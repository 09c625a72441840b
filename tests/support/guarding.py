"""Which functions run for a request that the authorizer did not let through."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from chatgrid_auth.domain import context as carried
from chatgrid_devkit.functions.invocation import Returned
from chatgrid_devkit.functions.workers import Workers
from chatgrid_devkit.gateway.events import proxy_event
from chatgrid_devkit.gateway.messages import Request
from chatgrid_devkit.gateway.routing import METHODS, Match
from chatgrid_devkit.stack.aws_access import AwsAccess
from chatgrid_devkit.template.description import Api, Function, Route

_ACCOUNT = "000000000000"
#: Nobody listens there: what gets past a guard reaches no store.
_NO_AWS = AwsAccess("http://127.0.0.1:9", "none")
_FIGURES = {
    "rate_limit": "60",
    "rate_remaining": "0",
    "rate_more": "1800000000",
    "rate_reset": "1800000000",
}
#: What a backend may find in its context, and what the guard makes of it.
REFUSALS: dict[str, tuple[dict[str, Any] | None, int]] = {
    "forbidden": ({**_FIGURES, "verdict": carried.FORBIDDEN, "required_scope": "admin"}, 403),
    "rate limited": ({**_FIGURES, "verdict": carried.RATE_LIMITED, "retry_after": "7"}, 429),
    "missing": (None, 403),
    "without a verdict": ({**_FIGURES, "user_id": "somebody", "scopes": "admin"}, 403),
}

#: What ANY stands for; OPTIONS is a preflight, which needs no credential.
_EVERY_METHOD = tuple(sorted(METHODS - {"OPTIONS"}))
_CODES = {403: "forbidden", 429: "rate_limit_exceeded"}


async def unguarded(api: Api, functions: Iterable[Function]) -> list[str]:
    """Each protected route that answers a refused request otherwise than the guard does.

    Args:
        functions: those behind the API; they run as the local gateway runs them.
    """
    found: list[str] = []
    workers = Workers(
        functions,
        environment=_NO_AWS.environment(),
        per_function=1,
        on_line=lambda _name, _line: None,
    )
    async with workers:
        for route in protected_routes(api):
            if route.function not in workers.pools:
                continue
            for method in _EVERY_METHOD if route.method == "ANY" else (route.method,):
                for name, (context, status) in REFUSALS.items():
                    event = _event(api, route, method, context)
                    outcome = await workers.invoke(route.function, event)
                    if not _is_refusal(outcome, status):
                        found.append(f"{method} {route.resource}, {name}: {outcome}")
    return found


def protected_routes(api: Api) -> Iterator[Route]:
    """The routes of functions that the authorizer stands before: all but those with Auth NONE."""
    return (route for route in api.routes if route.function and route.authorizer)


def _event(api: Api, route: Route, method: str, context: dict[str, Any] | None) -> dict[str, Any]:
    path = re.sub(r"\{[^}]+\}", "0190a5d0-ac96-774b-bcce-b302099a8057", route.resource)
    request = Request(
        id="0190a5d0-0000-7000-8000-000000000000",
        received_ms=1_800_000_000_000,
        method=method,
        raw_path=f"/{api.stage}{path}",
        path=path,
        query="",
        headers=[("Content-Type", "application/json"), ("Accept", "*/*")],
        source_ip="203.0.113.7",
        body=b"" if method in {"GET", "HEAD", "DELETE"} else b'{"name": "x"}',
    )
    names = re.findall(r"\{([^}]+)\}", route.resource)
    parameters = dict.fromkeys(names, "0190a5d0-ac96-774b-bcce-b302099a8057")
    match = Match(route=route, parameters=parameters)
    return proxy_event(api, request, match, account=_ACCOUNT, authorizer=context, key=None)


def _is_refusal(outcome: object, status: int) -> bool:
    answer = outcome.value if isinstance(outcome, Returned) else None
    if not isinstance(answer, dict) or answer.get("statusCode") != status:
        return False
    named = {**answer.get("headers", {}), **answer.get("multiValueHeaders", {})}
    headers = {name.lower(): value for name, value in named.items()}
    if ("retry-after" in headers) is not (status == 429):
        return False
    text = answer.get("body")
    return not text or json.loads(text).get("code") == _CODES[status]
