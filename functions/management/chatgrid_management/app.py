"""The management API as an ASGI application: ``/me``, keys, and what was done to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth.http_api.edge import web_app
from chatgrid_management.routes import (
    api_keys,
    audit_log,
    me,
    own_key,
    rotation,
    tokens,
    usage,
)

if TYPE_CHECKING:
    from fastapi import FastAPI

    from chatgrid_auth.http_api.problems import Log
    from chatgrid_management.services import Management


def create_app(management: Management, *, log: Log) -> FastAPI:
    """The application; the guard stands in front of it, not in it."""
    parts = (me, api_keys, rotation, own_key, tokens, audit_log, usage)
    routers = [part.router for part in parts]
    app = web_app(title="ChatGrid management", routers=routers, log=log)
    app.state.management = management
    return app
