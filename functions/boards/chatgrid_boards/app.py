"""The boards API as an ASGI application: the example of a protected backend."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.http_api.edge import web_app
from chatgrid_auth.http_api.problems import handle
from chatgrid_boards import routes

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatgrid_auth.http_api.problems import Log
    from chatgrid_boards.services import Boards


def create_app(boards: Boards, *, log: Log) -> FastAPI:
    """The application; the guard stands in front of it, not in it."""
    app = web_app(title="ChatGrid boards", routers=[routes.router], log=log)
    handle(app, NotFound, lambda _request, _exc: routes.board_not_found())
    app.state.boards = boards
    return app
