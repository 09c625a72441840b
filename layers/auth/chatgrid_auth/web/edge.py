"""What the HTTP edge owes every answer, whatever route gave it.

``HEAD`` is answered as ``GET`` without the body; nothing may be stored by a cache; and an
exception that even the framework lets through still becomes the contract's 500.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders

from chatgrid_auth.web.json_body import JsonRoute
from chatgrid_auth.web.problems import install, internal_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from chatgrid_auth.web.problems import Log


def web_app(*, title: str, routers: Iterable[APIRouter], log: Log) -> FastAPI:
    """A FastAPI application that answers in the contract's shapes only."""
    app = FastAPI(
        title=title,
        openapi_url=None,
        redirect_slashes=False,
        routes=[route for router in routers for route in router.routes],
    )
    install(app, log=log)
    return app


def router(tag: str) -> APIRouter:
    """A router for routes with strict bodies, grouped under ``tag`` in the description."""

    return APIRouter(route_class=JsonRoute, tags=[tag], redirect_slashes=False)


class Edge:
    """Puts the edge's promises around an application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        bodiless = scope["method"] == "HEAD"
        inner = {**scope, "method": "GET"} if bodiless else scope
        started = False

        async def finish(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers["Cache-Control"] = "no-store"
                if bodiless:
                    del headers["Content-Length"]
            elif bodiless:
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, finish)
        except Exception:
            # The framework answers a fault, logs it through us, and raises it once more.
            if not started:
                await internal_error().response()(inner, receive, finish)
