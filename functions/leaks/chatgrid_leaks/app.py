"""The leak routes as an ASGI application. Public: no guard stands in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.http_api.edge import web_app
from chatgrid_leaks import routes

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatgrid_auth.http_api.problems import Log
    from chatgrid_leaks.services import Reporting


def create_app(reporting: Reporting, *, log: Log) -> FastAPI:
    """The application."""
    app = web_app(title="ChatGrid leaks", routers=[routes.router], log=log)
    app.state.reporting = reporting
    return app
