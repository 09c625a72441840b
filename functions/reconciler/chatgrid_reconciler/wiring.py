"""The reconciler's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import boto3
from botocore.config import Config

from chatgrid_auth import settings
from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.adapters.dynamodb.boto3_client import rejecting_non_json
from chatgrid_auth.adapters.dynamodb.lean_client import dynamodb
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue, DynamoRunLease
from chatgrid_auth.http_api.telemetry import Telemetry, read_telemetry
from chatgrid_auth.services.usage_plans.ports import Tier
from chatgrid_auth.services.usage_plans.reconciler import Reconciler, Timing
from chatgrid_reconciler import report

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    Handler = Callable[[Any, LambdaContext], dict[str, Any]]

#: API Gateway allows an account and Region 5 creations of keys a second, and 10 calls in all.
MOST_CALLS_PER_SECOND = 5.0
#: Longer than the longest call, so that no call is cut off by the end of the invocation.
_MARGIN_SECONDS = 8.0
# Its own retries are off: pacing and back-off are ours, within the time that the run has.
_CONTROL_PLANE = Config(
    connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 1}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template tells this function."""

    keys_table: str
    audit_table: str
    usage_plan: str
    stack: str
    most_keys: int
    own_keys: bool
    dry_run: bool
    calls_per_second: float
    dormant_after_days: int
    telemetry: Telemetry

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings.

        Raises:
            SettingError: names the variable that is missing or unusable.
        """
        return cls(
            keys_table=settings.text(environ, "KEYS_TABLE"),
            audit_table=settings.text(environ, "AUDIT_TABLE"),
            usage_plan=settings.text(environ, "USAGE_PLAN_STANDARD"),
            stack=settings.text(environ, "USAGE_KEY_NAME_PREFIX"),
            most_keys=settings.positive_integer(environ, "GATEWAY_KEY_CEILING"),
            own_keys=settings.flag(environ, "OWN_GATEWAY_KEYS", default=""),
            dry_run=settings.flag(environ, "DRY_RUN", default=""),
            calls_per_second=_rate(environ, "CONTROL_PLANE_CALLS_PER_SECOND"),
            dormant_after_days=settings.count(environ, "DORMANT_AFTER_DAYS"),
            telemetry=read_telemetry(environ),
        )


def from_environment() -> Handler:
    """The function's handler, as deployed."""
    configured = Settings.read(os.environ)
    transport = dynamodb(os.environ)
    logger = configured.telemetry.logger()
    directory = DynamoKeyDirectory(
        transport,
        table=configured.keys_table,
        audit_table=configured.audit_table,
        anchor=lambda entry: logger.info(entry.line["event"], extra=entry.line),
        dormant_after_days=configured.dormant_after_days,
    )
    reconciler = Reconciler(
        plane=control_plane(configured.stack),
        queue=DynamoPlanQueue(transport, table=configured.keys_table),
        directory=directory,
        lease=DynamoRunLease(transport, table=configured.keys_table),
        tier=Tier(
            plan=configured.usage_plan,
            stack=configured.stack,
            most_keys=configured.most_keys,
            own_keys=configured.own_keys,
        ),
        timing=Timing(
            clock=time.monotonic,
            now_ms=_now_ms,
            sleep=time.sleep,
            fraction=random.SystemRandom().random,
            calls_per_second=configured.calls_per_second,
        ),
        entropy=os.urandom,
        dry_run=configured.dry_run,
    )
    return compose(configured, reconciler)


def control_plane(stack: str) -> ApiGateway:
    """API Gateway, as the environment leads to it."""
    client = boto3.client("apigateway", config=_CONTROL_PLANE)
    return ApiGateway(rejecting_non_json(client), stack=stack)


def compose(configured: Settings, reconciler: Reconciler) -> Handler:
    """The function's handler over any reconciler."""
    logger = configured.telemetry.logger()
    metrics = configured.telemetry.metrics()

    @logger.inject_lambda_context(log_event=False)
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handle(event: Any, context: LambdaContext) -> dict[str, Any]:
        def time_left() -> float:
            return context.get_remaining_time_in_millis() / 1000 - _MARGIN_SECONDS

        sweep = isinstance(event, dict) and event.get("sweep") is True
        summary = reconciler.run(time_left=time_left, sweep=sweep)
        report.publish(summary, metrics)
        response = report.response(summary, dry_run=configured.dry_run)
        troubled = summary.failed or summary.held or summary.ceiling or summary.unidentified
        log = logger.warning if troubled else logger.info
        log("reconciled", extra={"run": response})
        return response

    return cast("Handler", handle)


def _rate(environ: Mapping[str, str], name: str) -> float:
    try:
        rate = float(settings.text(environ, name))
    except ValueError:
        rate = 0.0
    if not 0 < rate <= MOST_CALLS_PER_SECOND:
        raise settings.SettingError(f"the environment variable {name} is not from above 0 to 5")
    return rate


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
