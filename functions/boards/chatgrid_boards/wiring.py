"""The boards function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer

from chatgrid_auth import settings
from chatgrid_auth.adapters import boto3_client
from chatgrid_auth.adapters.boto3_transport import Boto3Transport
from chatgrid_auth.guard import GuardMiddleware
from chatgrid_auth.web.edge import Edge
from chatgrid_auth.web.rest_api import lambda_handler
from chatgrid_boards.app import create_app
from chatgrid_boards.services import Boards
from chatgrid_boards.store import BoardStore

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.web.rest_api import Handler

MILESTONES = {("POST", "/boards", 201): "BoardsCreated"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template tells this function."""

    boards_table: str
    allowed_origin: str
    service_name: str
    metrics_namespace: str
    log_level: str

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings.

        Raises:
            SettingError: names the variable that is missing or unusable.
        """
        return cls(
            boards_table=settings.text(environ, "BOARDS_TABLE"),
            allowed_origin=settings.text(environ, "ALLOWED_ORIGIN"),
            service_name=settings.text(environ, "POWERTOOLS_SERVICE_NAME"),
            metrics_namespace=settings.text(environ, "POWERTOOLS_METRICS_NAMESPACE"),
            log_level=settings.log_level(environ, "POWERTOOLS_LOG_LEVEL"),
        )


def from_environment() -> Handler:
    """The function's handler, as deployed."""
    configured = Settings.read(os.environ)
    transport = Boto3Transport(boto3_client.dynamodb())
    return compose(configured, store=BoardStore(transport, table=configured.boards_table))


def compose(configured: Settings, *, store: BoardStore) -> Handler:
    """The function's handler over any store."""
    logger = Logger(service=configured.service_name, level=configured.log_level)
    boards = Boards(store=store, now_ms=lambda: time.time_ns() // 1_000_000, entropy=os.urandom)
    app = Edge(create_app(boards, log=logger))
    return lambda_handler(
        GuardMiddleware(app, clock=time.time, allow_origin=configured.allowed_origin),
        logger=logger,
        tracer=Tracer(service=configured.service_name, patch_modules=["botocore"]),
        metrics=Metrics(service=configured.service_name, namespace=configured.metrics_namespace),
        milestones=MILESTONES,
    )
