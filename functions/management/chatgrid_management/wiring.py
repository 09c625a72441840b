"""The management function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from chatgrid_auth import settings
from chatgrid_auth.adapters.dynamodb.lean_client import dynamodb
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.rules.permissions import check_routes
from chatgrid_auth.guard import GuardMiddleware
from chatgrid_auth.http_api.edge import ContractMiddleware
from chatgrid_auth.http_api.rest_api import lambda_handler
from chatgrid_auth.http_api.telemetry import Telemetry, read_telemetry
from chatgrid_auth.limit_settings import further_limits
from chatgrid_auth.services.key_rules import ANY_LIFETIME, Lifetimes
from chatgrid_auth.services.own_keys import OwnKeys
from chatgrid_management.app import create_app_by_parts
from chatgrid_management.services import Management

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools import Logger

    from chatgrid_auth.adapters.dynamodb.transport import Transport
    from chatgrid_auth.adapters.token_secret.held import TokenSecret
    from chatgrid_auth.domain.audit import Entry
    from chatgrid_auth.http_api.rest_api import Handler
    from chatgrid_auth.services.audit.log import AuditLog
    from chatgrid_auth.services.tokens.making import SigningSecret
    from chatgrid_auth.services.usage.reports import UsageReader
    from chatgrid_management.changing import Changing, Keys

MILESTONES = {
    ("POST", "/me/api-keys", 201): "KeysIssued",
    ("DELETE", "/me/api-keys/{id}", 200): "KeysRevoked",
    ("DELETE", "/me/api-key", 200): "KeysRevoked",
    ("PATCH", "/me/api-keys/{id}", 200): "KeysChanged",
    ("POST", "/me/api-keys/{id}/rotate", 200): "KeysRotated",
    ("POST", "/me/api-key/rotate", 200): "KeysRotated",
    ("POST", "/me/tokens", 201): "TokensMade",
}
#: Settings of which 0 is said, and never assumed.
_SAID = (
    "KEY_CREATIONS_PER_HOUR",
    "KEY_LIFETIME_DEFAULT_SECONDS",
    "KEY_LIFETIME_CEILING_SECONDS",
)


#: Entries that one request verifies: some 30 MB, in less time than a response may take.
MOST_VERIFIED = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template tells this function."""

    keys_table: str
    audit_table: str
    usage_table: str
    rate_limit_default: int
    rate_limit_ceiling: int
    keys_per_user: int
    own_gateway_keys: bool
    key_creations_per_hour: int
    revoked_retention_days: int
    allowed_origin: str
    telemetry: Telemetry
    traced: bool = False
    lifetimes: Lifetimes = ANY_LIFETIME
    trusted_proxies: int = 0
    route_permissions: Mapping[str, str] = field(default_factory=dict)
    #: What the dearest request takes: no limit may be below it.
    rate_limit_floor: int = 1
    #: Of the secret that tokens are made with; empty where something else gives that.
    token_secret_arn: str = ""

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Settings:
        """The settings.

        Raises:
            SettingError: names the variable that is missing or unusable.
        """
        for name in _SAID:
            settings.text(environ, name)
        limits = further_limits(environ)
        default = settings.positive_integer(environ, "RATE_LIMIT_DEFAULT")
        if default < limits.dearest:
            raise settings.SettingError(
                "the environment variable RATE_LIMIT_DEFAULT is below the dearest cost"
            )
        return cls(
            keys_table=settings.text(environ, "KEYS_TABLE"),
            audit_table=settings.text(environ, "AUDIT_TABLE"),
            usage_table=settings.text(environ, "USAGE_TABLE"),
            rate_limit_default=default,
            rate_limit_floor=limits.dearest,
            rate_limit_ceiling=settings.positive_integer(environ, "RATE_LIMIT_CEILING"),
            keys_per_user=settings.positive_integer(environ, "KEYS_PER_USER"),
            own_gateway_keys=settings.flag(environ, "OWN_GATEWAY_KEYS", default=""),
            key_creations_per_hour=settings.count(environ, "KEY_CREATIONS_PER_HOUR"),
            revoked_retention_days=settings.positive_integer(environ, "REVOKED_RETENTION_DAYS"),
            lifetimes=Lifetimes(
                default_seconds=settings.count(environ, "KEY_LIFETIME_DEFAULT_SECONDS"),
                ceiling_seconds=settings.count(environ, "KEY_LIFETIME_CEILING_SECONDS"),
            ),
            trusted_proxies=settings.count(environ, "TRUSTED_PROXIES"),
            allowed_origin=settings.text(environ, "ALLOWED_ORIGIN"),
            route_permissions=settings.checked(
                "ROUTE_PERMISSIONS",
                check_routes,
                settings.texts_by_name(environ, "ROUTE_PERMISSIONS"),
            ),
            telemetry=read_telemetry(environ),
            traced=not settings.flag(environ, "POWERTOOLS_TRACE_DISABLED", default="true"),
            token_secret_arn=settings.secret(environ, "TOKEN_SECRET_ARN"),
        )


def from_environment() -> Handler:
    """The function's handler, as deployed."""
    configured = Settings.read(os.environ)
    logger = configured.telemetry.logger()
    transport = dynamodb(os.environ)
    store = DynamoKeyStore(
        transport,
        table=configured.keys_table,
        audit_table=configured.audit_table,
        pause=time.sleep,
        anchor=lambda entry: _anchor(entry, logger),
        own_gateway_keys=configured.own_gateway_keys,
        revoked_retention_days=configured.revoked_retention_days,
    )
    return compose(
        configured,
        store=store,
        audit_log=lambda: _audit_log(transport, configured.audit_table),
        usage=lambda: _usage(transport, configured.usage_table),
        token_secret=_TokenSecret(configured.token_secret_arn, os.environ),
        logger=logger,
        ahead=settings.starts_ahead(os.environ),  # nobody waits while it loads
    )


def _audit_log(transport: Transport, table: str) -> AuditLog:
    from chatgrid_auth.adapters.audit_table.trail import AuditTrail  # noqa: PLC0415 - for who asks first

    return AuditTrail(transport, table=table, most_entries=MOST_VERIFIED)


def _usage(transport: Transport, table: str) -> UsageReader:
    from chatgrid_auth.adapters.usage_table.usage_reader import (  # noqa: PLC0415 - for who asks first
        UsageTable,
    )

    return UsageTable(transport, table=table)


class _TokenSecret:
    """The stack's secret for tokens, with all that reads it: loaded for the first of them."""

    def __init__(self, arn: str, environ: Mapping[str, str]) -> None:
        self._arn = arn
        self._environ = environ
        self._held: TokenSecret | None = None

    def signing(self, now_ms: int) -> bytes:
        """What to make tokens with, as ``TokenSecret`` has it."""
        if self._held is None:
            from chatgrid_auth.adapters.awslite.credential_chain import (  # noqa: PLC0415
                credentials_from,
            )
            from chatgrid_auth.adapters.token_secret.held import TokenSecret  # noqa: PLC0415

            self._held = TokenSecret(
                self._arn,
                credentials=credentials_from(self._environ),
                endpoint=self._environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
            )
        return self._held.signing(now_ms)


def compose(
    configured: Settings,
    *,
    store: Keys,
    audit_log: Callable[[], AuditLog],
    usage: Callable[[], UsageReader],
    token_secret: SigningSecret,
    logger: Logger | None = None,
    ahead: bool = False,
) -> Handler:
    """The function's handler over any store.

    Args:
        ahead: whether all that any request needs is loaded now, and not for the first of its kind.
    """
    logger = logger or configured.telemetry.logger()

    def changing() -> Changing:
        from chatgrid_management import changing  # noqa: PLC0415 - a list does without

        return changing.compose(configured, store=store, token_secret=token_secret, now_ms=_now_ms)

    management = Management(
        keys=OwnKeys(store, now_ms=_now_ms),
        changing=cache(changing),
        audit_log=cache(audit_log),
        usage=cache(usage),
        trusted_proxies=configured.trusted_proxies,
    )
    app = ContractMiddleware(create_app_by_parts(management, log=logger, ahead=ahead))
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


def _anchor(entry: Entry, logger: Logger) -> None:
    """An entry of the audit log, in a store that whoever edits the table does not reach."""
    logger.info(entry.line["event"], extra=entry.line)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
