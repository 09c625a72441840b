"""The boards function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from chatgrid_auth import settings
from chatgrid_auth.adapters.dynamodb.lean_client import dynamodb
from chatgrid_auth.domain.rules.permissions import check_routes
from chatgrid_auth.guard import GuardMiddleware
from chatgrid_auth.http_api.edge import ContractMiddleware
from chatgrid_auth.http_api.rest_api import lambda_handler
from chatgrid_auth.http_api.telemetry import Telemetry, read_telemetry
from chatgrid_boards.app import create_app
from chatgrid_boards.services import Boards
from chatgrid_boards.store import BoardStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.http_api.rest_api import Handler

MILESTONES = {("POST", "/boards", 201): "BoardsCreated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template tells this function."""

    boards_table: str
    allowed_origin: str
    telemetry: Telemetry
    traced: bool = False
    route_permissions: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings.

        Raises:
            SettingError: names the variable that is missing or unusable.
        """
        return cls(
            boards_table=settings.text(environ, "BOARDS_TABLE"),
            allowed_origin=settings.text(environ, "ALLOWED_ORIGIN"),
            route_permissions=settings.checked(
                "ROUTE_PERMISSIONS",
                check_routes,
                settings.texts_by_name(environ, "ROUTE_PERMISSIONS"),
            ),
            telemetry=read_telemetry(environ),
            traced=not settings.flag(environ, "POWERTOOLS_TRACE_DISABLED", default="true"),
        )


def from_environment() -> Handler:
    """The function's handler, as deployed."""
    configured = Settings.read(os.environ)
    transport = dynamodb(os.environ)
    return compose(configured, store=BoardStore(transport, table=configured.boards_table))


def compose(configured: Settings, *, store: BoardStore) -> Handler:
    """The function's handler over any store."""
    logger = configured.telemetry.logger()
    boards = Boards(store=store, now_ms=lambda: time.time_ns() // 1_000_000, entropy=os.urandom)
    app = ContractMiddleware(create_app(boards, log=logger))
    return lambda_handler(
        GuardMiddleware(
            app,
            clock=time.time,
            allow_origin=configured.allowed_origin,
            route_permissions=configured.route_permissions,
        ),
        logger=logger,
        tracer=configured.telemetry.tracer() if configured.traced else None,
        metrics=configured.telemetry.metrics(),
        milestones=MILESTONES,
    )
