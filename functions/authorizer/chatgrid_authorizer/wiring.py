"""The composition root: reads the environment, builds everything once, at init."""

from __future__ import annotations

import os
import sys
import time

from chatgrid_auth import settings
from chatgrid_auth.adapters.awslite.credentials import fixed_credentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.limits.window import JWT_RATE_LIMIT
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_auth.settings import jwt_settings
from chatgrid_authorizer.response import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from chatgrid_auth.adapters.awslite.credentials import CredentialSource
    from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
    from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
    from chatgrid_auth.domain.limits.window import WindowState
    from chatgrid_auth.limit_settings import FurtherLimits
    from chatgrid_auth.services.gate.metered import MeteredGate, Windows
    from chatgrid_auth.services.gate.ports import Derived, Tokens
    from chatgrid_auth.settings import JwtSettings
    from chatgrid_authorizer.edge import ClosedPlan
    from chatgrid_authorizer.event import SourceRule


def start(environ: Mapping[str, str] = os.environ) -> Gate:
    """The gate of this container, its connection to the store opened ahead.

    Containers that are provisioned, or restored from a snapshot, start before any request comes:
    what is done here, none of their requests waits for.

    Raises:
        SettingError: an environment variable is missing or not usable.
    """
    credentials = _credentials(environ)
    dynamodb = _dynamodb(environ, credentials)
    gate = _gate(environ, credentials, dynamodb)
    dynamodb.warm()
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        _renew_after_restore(dynamodb)
    wanted = settings.flag(environ, "LOAD_JWT_AT_START") or settings.starts_ahead(environ)
    if wanted and environ.get("SUPABASE_URL"):
        try:
            from chatgrid_auth.adapters.jwt.loading import load_pyjwt  # noqa: PLC0415 - JWTs only

            _load_verifier()
            load_pyjwt()
        except Exception:  # noqa: S110 - the first JWT meets it again, and keys do without
            pass
    return gate


def build(environ: Mapping[str, str]) -> Gate:
    """The gate for an environment; nothing is connected yet.

    Raises:
        SettingError: an environment variable is missing or not usable.
    """
    credentials = _credentials(environ)
    return _gate(environ, credentials, _dynamodb(environ, credentials))


def _credentials(environ: Mapping[str, str]) -> CredentialSource:
    fixed = fixed_credentials(environ)
    if fixed is not None:
        return fixed
    from chatgrid_auth.adapters.awslite.credential_chain import (  # noqa: PLC0415 - seldom needed
        credentials_from,
    )

    return credentials_from(environ)


def _dynamodb(environ: Mapping[str, str], credentials: CredentialSource) -> DynamoDB:
    return DynamoDB(
        region=settings.text(environ, "AWS_REGION"),
        credentials=credentials,
        errors=errors,
        endpoint=environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
    )


def _renew_after_restore(dynamodb: DynamoDB) -> None:
    """Make a function that starts from a snapshot open a connection of its own."""
    # Lambda's own module, there in its Python runtimes only.
    from snapshot_restore_py import register_after_restore  # noqa: PLC0415

    def renew() -> None:
        dynamodb.reset()
        dynamodb.warm()

    register_after_restore(renew)


def _gate(environ: Mapping[str, str], credentials: CredentialSource, dynamodb: DynamoDB) -> Gate:
    limits = _further_limits(environ)
    classes = () if limits is None else limits.classes
    tokens = _tokens(jwt_settings(environ), credentials)
    derived = _derived(
        settings.secret(environ, "TOKEN_SECRET_ARN"),
        environ.get("AWS_ENDPOINT_URL_SECRETS_MANAGER"),
        credentials,
    )

    keys_table = settings.text(environ, "KEYS_TABLE")
    rate_limits_table = settings.text(environ, "RATE_LIMITS_TABLE")
    limited_tier = settings.text(environ, "USAGE_KEY_LIMITED")

    def metered(
        authenticator: Authenticator, windows: Callable[[], Windows]
    ) -> Authenticator | MeteredGate:
        if limits is None or not limits.has_windows:
            return authenticator
        from chatgrid_auth.services.gate.metered import MeteredGate  # noqa: PLC0415 - seldom

        return MeteredGate(
            authenticator,
            windows=windows(),
            owner_limit=limits.owner_limit,
            routes=limits.routes,
            limited_tier=limited_tier,
        )

    made: list[Authenticator | MeteredGate] = []

    def glances() -> Authenticator | MeteredGate:
        from chatgrid_authorizer.glancing import glancing  # noqa: PLC0415 - for /keys/verify only

        if not made:
            imported = settings.flag(environ, "ALLOW_IMPORTED_KEYS")
            failed = settings.count(environ, "FAILED_ATTEMPTS_PER_MINUTE")
            tables = (keys_table, rate_limits_table)
            made.append(glancing(dynamodb, tables, tokens, derived, imported, failed, metered))
        return made[0]

    authenticator = Authenticator(
        keys=KeyDecisions(dynamodb, table=keys_table, clock=dynamodb.clock, classes=classes),
        users=_Users(dynamodb, table=rate_limits_table, classes=classes),
        tokens=tokens,
        derived=derived,
        key_tier=settings.text(environ, "USAGE_KEY_STANDARD"),
        jwt_tier=settings.text(environ, "USAGE_KEY_WEB"),
        limited_tier=limited_tier,
        imported_keys=settings.flag(environ, "ALLOW_IMPORTED_KEYS"),
        failed_attempts_per_minute=settings.count(environ, "FAILED_ATTEMPTS_PER_MINUTE"),
    )
    return Gate(
        authenticator=metered(
            authenticator, lambda: _windows(rate_limits_table, dynamodb, classes)
        ),
        now_ms=dynamodb.clock.now_ms,
        elapsed_ms=lambda: time.perf_counter_ns() / 1e6,
        store_waited_ms=lambda: dynamodb.waited_seconds * 1e3,
        log=_print_line,
        metrics_namespace=settings.text(environ, "METRICS_NAMESPACE"),
        routes=Routes(
            permissions=_permissions(environ), costs=None if limits is None else limits.costs
        ),
        source_of=_source_rule(settings.count(environ, "TRUSTED_PROXIES")),
        dearest=1 if limits is None else limits.dearest,
        glances=glances,
        closed=_closed_plan(environ),
    )


def _permissions(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The deployment's own permissions by route."""
    mapped = settings.texts_by_name(environ, "ROUTE_PERMISSIONS")
    if mapped:
        from chatgrid_auth.domain.rules.permissions import (  # noqa: PLC0415 - where there are any
            check_routes,
        )

        settings.checked("ROUTE_PERMISSIONS", check_routes, mapped)
    return mapped


def _source_rule(proxies: int) -> SourceRule | None:
    if not proxies:
        return None
    from chatgrid_auth.domain.rules.sources import (  # noqa: PLC0415 - behind proxies only
        source_behind,
    )

    return lambda event, peer: source_behind(event, peer, proxies=proxies)


def _further_limits(environ: Mapping[str, str]) -> FurtherLimits | None:
    """What holds beyond each key's own minute; nothing is loaded for it where nothing does."""
    if not (
        environ.get("ROUTE_COSTS")
        or environ.get("ROUTE_LIMITS")
        or environ.get("OWNER_RATE_LIMIT", "0") != "0"
    ):
        return None
    from chatgrid_auth.limit_settings import further_limits  # noqa: PLC0415 - where there are some

    return further_limits(environ)


def _closed_plan(environ: Mapping[str, str]) -> ClosedPlan | None:
    """What API Gateway refuses by itself; nothing is loaded for it where it does not."""
    retry_after_s = settings.count(environ, "EDGE_RETRY_AFTER_SECONDS")
    if not retry_after_s:
        return None
    from chatgrid_authorizer.edge import ClosedPlan  # noqa: PLC0415 - where it is asked for

    return ClosedPlan(
        retry_after_s=retry_after_s, guarded_key=settings.text(environ, "USAGE_KEY_STANDARD")
    )


def _windows(table: str, dynamodb: DynamoDB, classes: tuple[int, ...]) -> CountedWindows:
    from chatgrid_auth.adapters.rate_limits_table.counted_windows import (  # noqa: PLC0415 - seldom
        CountedWindows,
    )

    return CountedWindows(
        dynamodb,
        table=table,
        now_ms=dynamodb.clock.now_ms,
        clock=dynamodb.clock,
        classes=classes,
    )


class _Users:
    """The windows of JWT users, loaded for the first of them."""

    def __init__(self, dynamodb: DynamoDB, *, table: str, classes: tuple[int, ...]) -> None:
        self._classes = classes
        self._dynamodb = dynamodb
        self._table = table
        self._windows: UserWindows | None = None

    def admit(self, user_id: str, *, cost: int) -> tuple[bool, WindowState]:
        """Count one request of this user, as ``UserWindows`` does."""
        if self._windows is None:
            from chatgrid_auth.adapters.rate_limits_table.user_windows import (  # noqa: PLC0415 - JWTs only
                UserWindows,
            )

            clock = self._dynamodb.clock
            self._windows = UserWindows(
                self._dynamodb,
                table=self._table,
                limit=JWT_RATE_LIMIT,
                now_ms=clock.now_ms,
                clock=clock,
                classes=self._classes,
            )
        return self._windows.admit(user_id, cost=cost)


def _tokens(jwt: JwtSettings, credentials: CredentialSource) -> Callable[[], Tokens]:
    return lambda: _load_verifier()(jwt, credentials=credentials)


def _load_verifier() -> Callable[..., Tokens]:
    # A process that meets no JWT does without; what checks signatures is loaded later still.
    from chatgrid_auth.adapters.jwt.loading import CollectorOff  # noqa: PLC0415 - see above

    with CollectorOff():
        from chatgrid_auth.adapters.jwt.verifier import build_verifier  # noqa: PLC0415 - see above
    return build_verifier


def _derived(
    arn: str, endpoint: str | None, credentials: CredentialSource
) -> Callable[[], Derived]:
    def make() -> Derived:
        # Read for the first token, as is the secret.
        from chatgrid_auth.adapters.token_secret.held import TokenSecret  # noqa: PLC0415
        from chatgrid_auth.services.gate.derived_tokens import DerivedTokens  # noqa: PLC0415

        return DerivedTokens(TokenSecret(arn, credentials=credentials, endpoint=endpoint))

    return make


def _print_line(text: str) -> None:
    # Lambda's log is standard output, unbuffered: `print` would write twice, text and line end.
    sys.stdout.write(text + "\n")
