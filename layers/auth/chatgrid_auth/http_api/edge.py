"""What the HTTP edge owes every answer, whatever route gave it.

``HEAD`` is answered as ``GET`` without the body; nothing may be stored by a cache; an
exception that even the framework lets through still becomes the contract's 500, and a store
that takes too long its 503.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.datastructures import MutableHeaders

from chatgrid_auth.http_api.json_body import JsonRoute
from chatgrid_auth.http_api.problems import install, internal_error, service_unavailable
from chatgrid_auth.http_api.time_limit import OutOfTime, time_limit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from chatgrid_auth.http_api.problems import Log

#: The functions' own time-out is 15 seconds; what is left must still carry the answer.
ANSWER_SECONDS = 12.0


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


class ContractMiddleware:
    """Puts the edge's promises around an application.

    Args:
        seconds: how long it may take to answer.
    """

    def __init__(self, app: ASGIApp, *, seconds: float = ANSWER_SECONDS) -> None:
        self.app = app
        self._seconds = seconds

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
            with time_limit(self._seconds):
                await self.app(inner, receive, finish)
        except OutOfTime:
            if not started:
                await service_unavailable().response()(inner, receive, finish)
        except Exception:
            # The framework answers a fault, logs it through us, and raises it once more.
            if not started:
                await internal_error().response()(inner, receive, finish)
