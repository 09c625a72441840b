"""Asks a guard what the vectors ask, and tells its responses in the vectors' words."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from chatgrid_auth.domain import scopes
from chatgrid_auth.domain.verdicts import Caller
from chatgrid_auth.guard import GuardMiddleware, guarded

FOLDER = Path(__file__).parents[1] / "vectors" / "guard"
#: The vectors, by the kind of API whose events they are.
FILES = {"rest-api": FOLDER / "rest_api.json", "http-api": FOLDER / "http_api.json"}
OK = {"statusCode": 200, "headers": {"X-Own": "1"}, "body": "ok"}
#: What a handler learns of its caller; the other is for the authorizer's own log.
TOLD = sorted(set(Caller.__slots__) - {"short_user_id"})
EXPOSED = "access-control-expose-headers"


def read(path: Path) -> tuple[float, str, list[dict[str, Any]]]:
    """The time of the cases, the headers that every response exposes, and the cases."""
    known = json.loads(path.read_text())
    return known["now_s"], known["exposed_headers"], known["cases"]


def told(
    status: int, headers: Collection[tuple[str, str]], body: str | None, met: list[Caller]
) -> dict[str, Any]:
    """A response in the vectors' words; ``exposed`` is what every one has alike."""
    named = {name.lower(): value for name, value in headers}
    assert len(named) == len(headers), "a header twice"
    assert named.pop(EXPOSED)
    caller = None
    if met:
        caller = {name: getattr(met[0], name) for name in TOLD}
        caller["scopes"] = list(met[0].scopes)
        if met[0].permissions is not None:
            caller["permissions"] = list(met[0].permissions)
        token = met[0].token
        if token is not None:
            caller["token"] = {name: getattr(token, name) for name in sorted(token.__slots__)}
            caller["token"]["scopes"] = list(token.scopes)
    return {
        "caller": caller,
        "status": status,
        "headers": dict(sorted(named.items())),
        "body": body if met or body is None else json.loads(body),
    }


def _settings(case: Mapping[str, Any], now_s: float) -> dict[str, Any]:
    rule = case.get("required_scope")
    return {
        "allow_origin": case.get("allow_origin", "*"),
        "required_scope": scopes.required_scope if rule is None else lambda _method, _of: rule,
        "route_permissions": case.get("route_permissions", {}),
        "clock": lambda: now_s,
    }


def by_decorator(case: Mapping[str, Any], *, now_s: float) -> dict[str, Any]:
    """What a guarded plain handler gives."""
    met: list[Caller] = []
    own: dict[str, Any] = case.get("response", OK)

    @guarded(**_settings(case, now_s))
    def handler(_event: Any, _context: Any, caller: Caller) -> dict[str, Any]:
        met.append(caller)
        return own

    response = handler(case["event"], None)
    several = response.get("multiValueHeaders", {}).items()
    headers = [*response["headers"].items(), *((name, ", ".join(of)) for name, of in several)]
    return told(response["statusCode"], headers, response.get("body"), met)


def by_middleware(case: Mapping[str, Any], *, now_s: float) -> dict[str, Any]:
    """What an ASGI app behind the middleware gives."""
    met: list[Caller] = []
    own = case.get("response", OK)

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        met.append(scope["chatgrid.caller"])
        headers = [(n.lower().encode(), v.encode()) for n, v in (own.get("headers") or {}).items()]
        await send({"type": "http.response.start", "status": own["statusCode"], "headers": headers})
        await send({"type": "http.response.body", "body": own.get("body", "").encode()})

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    middleware = GuardMiddleware(app, **_settings(case, now_s))
    asyncio.run(middleware({"type": "http", "aws.event": case["event"]}, receive, send))
    start, body = sent
    headers: dict[str, str] = {}
    for raw_name, raw_value in start["headers"]:
        name, value = raw_name.decode(), raw_value.decode()
        if name == "vary" and name in headers:  # the one header that may stand there twice
            value = f"{headers.pop(name)}, {value}"
        assert name not in headers
        headers[name] = value
    text = body["body"].decode() if "body" in own or not met else None
    return told(start["status"], headers.items(), text, met)
