"""The management API as an ASGI application: ``/me``, keys, and what was done to them.

A container loads what answers a request for the first such request. Most people who manage keys
look at them, and a list then waits for nothing that makes or changes one.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

from chatgrid_auth.http_api.edge import web_app

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from chatgrid_auth.http_api.problems import Log
    from chatgrid_management.services import Management

#: Which module under ``routes`` answers: by method, and resource as API Gateway names it.
PARTS = {
    ("GET", "/me"): "me",
    ("GET", "/me/api-keys"): "key_list",
    ("GET", "/me/api-keys/{id}"): "key_list",
    ("POST", "/me/api-keys"): "api_keys",
    ("PATCH", "/me/api-keys/{id}"): "api_keys",
    ("DELETE", "/me/api-keys/{id}"): "api_keys",
    ("POST", "/me/api-keys/{id}/rotate"): "rotation",
    ("DELETE", "/me/api-keys/{id}/previous-secret"): "rotation",
    ("GET", "/me/api-key"): "own_key",
    ("DELETE", "/me/api-key"): "own_key",
    ("POST", "/me/api-key/rotate"): "own_key",
    ("POST", "/me/tokens"): "tokens",
    ("GET", "/me/audit-log"): "audit_log",
    ("GET", "/me/audit-log/verify"): "audit_log",
    ("GET", "/me/usage"): "usage",
    ("GET", "/me/api-keys/{id}/usage"): "usage",
}
EVERY_PART = tuple(dict.fromkeys(PARTS.values()))


def create_app(management: Management, *, log: Log, parts: Iterable[str] = EVERY_PART) -> FastAPI:
    """The application, or some parts of it; the guard stands in front of it, not in it."""
    routers = [import_module(f"{__package__}.routes.{part}").router for part in parts]
    app = web_app(title="ChatGrid management", routers=routers, log=log)
    app.state.management = management
    return app


def create_app_by_parts(management: Management, *, log: Log, ahead: bool = False) -> ASGIApp:
    """The application, each part of it loaded for the first request that it answers.

    Args:
        ahead: whether all is loaded now, since nobody waits for it.
    """

    @cache
    def app_of(*parts: str) -> FastAPI:
        return create_app(management, log=log, parts=parts)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        part = PARTS.get((scope["method"], scope["aws.event"].get("resource", "")))
        # What no part answers the whole does: with 404, or with 405 and what it does allow.
        app = app_of(*EVERY_PART) if part is None else app_of(part)
        await app(scope, receive, send)

    if ahead:
        for part in EVERY_PART:
            app_of(part)
        management.changing()
        management.audit_log()
        management.usage()
    return answer
