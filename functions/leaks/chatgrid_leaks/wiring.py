"""The leaks function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from chatgrid_auth import settings
from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.dynamodb.lean_client import dynamodb
from chatgrid_auth.adapters.key_changes.revocations import Revocations
from chatgrid_auth.adapters.leaks.exposed_keys import DynamoExposedKeys
from chatgrid_auth.http_api.edge import ContractMiddleware
from chatgrid_auth.http_api.rest_api import lambda_handler
from chatgrid_auth.http_api.telemetry import Telemetry, read_telemetry
from chatgrid_auth.services.leaks.acting import LEAK_RESPONSES, Leaks
from chatgrid_leaks.app import create_app
from chatgrid_leaks.queue import SqsReports, act_on, sqs
from chatgrid_leaks.services import Reporting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools import Logger

    from chatgrid_auth.http_api.rest_api import Handler
    from chatgrid_auth.services.leaks.acting import LeakResponse
    from chatgrid_leaks.services import ReportQueue, Signatures

MILESTONES = {
    ("POST", "/leaks", 202): "LeakReports",
    ("POST", "/leaks/github", 200): "LeakReports",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template tells this function."""

    keys_table: str
    audit_table: str
    queue_url: str
    github_keys_url: str
    response: LeakResponse
    imported: bool
    own_gateway_keys: bool
    revoked_retention_days: int
    telemetry: Telemetry
    traced: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings.

        Raises:
            SettingError: names the variable that is missing or unusable.
        """
        response = settings.text(environ, "LEAK_RESPONSE")
        if response not in LEAK_RESPONSES:
            raise settings.SettingError(
                "the environment variable LEAK_RESPONSE is not disable, revoke or report"
            )
        return cls(
            keys_table=settings.text(environ, "KEYS_TABLE"),
            audit_table=settings.text(environ, "AUDIT_TABLE"),
            queue_url=settings.text(environ, "LEAKS_QUEUE_URL"),
            github_keys_url=settings.text(environ, "GITHUB_KEYS_URL"),
            response=response,
            imported=settings.flag(environ, "ALLOW_IMPORTED_KEYS", default=""),
            own_gateway_keys=settings.flag(environ, "OWN_GATEWAY_KEYS", default=""),
            revoked_retention_days=settings.positive_integer(environ, "REVOKED_RETENTION_DAYS"),
            telemetry=read_telemetry(environ),
            traced=not settings.flag(environ, "POWERTOOLS_TRACE_DISABLED", default="true"),
        )


def from_environment() -> Handler:
    """The function's handler, as deployed."""
    configured = Settings.read(os.environ)
    logger = configured.telemetry.logger()
    transport = dynamodb(os.environ)
    chain = AuditChain(
        transport,
        table=configured.audit_table,
        pause=time.sleep,
        anchor=lambda entry: logger.info(entry.line["event"], extra=entry.line),
    )
    keys = DynamoExposedKeys(
        transport,
        table=configured.keys_table,
        chain=chain,
        revocations=Revocations(
            transport,
            table=configured.keys_table,
            chain=chain,
            own_gateway_keys=configured.own_gateway_keys,
            retention_days=configured.revoked_retention_days,
        ),
    )
    queue = SqsReports(sqs, url=configured.queue_url)
    leaks = Leaks(keys, response=configured.response, now_ms=_now_ms)
    return compose(configured, queue=queue, leaks=leaks, logger=logger)


def compose(
    configured: Settings,
    *,
    queue: ReportQueue,
    leaks: Leaks,
    logger: Logger | None = None,
    github: Callable[[], Signatures] | None = None,
) -> Handler:
    """The function's handler: the API's events and the queue's are told apart by their shape."""
    logger = logger or configured.telemetry.logger()

    @cache
    def signatures() -> Signatures:
        # `cryptography` is loaded when GitHub's first report comes.
        from chatgrid_auth.adapters.leaks.github_keys import GithubSignatures  # noqa: PLC0415

        return GithubSignatures(configured.github_keys_url)

    reporting = Reporting(
        queue=queue,
        github=github or signatures,
        leaks=leaks,
        imported=configured.imported,
        now_ms=_now_ms,
    )
    api = lambda_handler(
        ContractMiddleware(create_app(reporting, log=logger)),
        logger=logger,
        tracer=configured.telemetry.tracer() if configured.traced else None,
        metrics=configured.telemetry.metrics(),
        milestones=MILESTONES,
    )

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        if "Records" in event:
            return act_on(event, leaks, log=logger)
        return api(event, context)

    return handle


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
