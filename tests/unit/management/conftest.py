"""The management function over a store in memory."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_management.wiring import Settings, compose
from tests.support.http_api import Api, key_caller, lazily
from tests.support.memory.audit_log import MemoryAuditLog
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.memory.usage import MemoryUsage
from tests.support.tokens import Secrets


@pytest.fixture
def store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def log(store: MemoryKeyStore) -> MemoryAuditLog:
    return MemoryAuditLog(store)


@pytest.fixture
def usage() -> MemoryUsage:
    return MemoryUsage()


@pytest.fixture
def token_secret() -> Secrets:
    return Secrets()


@pytest.fixture
def api(
    store: MemoryKeyStore, log: MemoryAuditLog, usage: MemoryUsage, token_secret: Secrets
) -> Api:
    """The function, called by the holder of an admin key of a user of its own."""
    settings = Settings(
        keys_table="keys",
        audit_table="audit",
        usage_table="usage",
        rate_limit_default=120,
        rate_limit_ceiling=5_000,
        keys_per_user=1_000,
        own_gateway_keys=True,
        key_creations_per_hour=0,
        revoked_retention_days=400,
        allowed_origin="*",
        # A name of its own: a logger holds on to the standard output that it met first.
        telemetry=Telemetry(service=f"management-{uuid4()}", namespace="Test", level="INFO"),
    )
    return Api(
        lazily(
            lambda: compose(
                settings,
                store=store,
                audit_log=lambda: log,
                usage=lambda: usage,
                token_secret=token_secret,
            )
        ),
        key_caller(),
    )
