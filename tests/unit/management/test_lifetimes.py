"""How long a key lives: as its maker says, within what the deployment lets."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_auth.services.key_rules import Lifetimes
from chatgrid_management.wiring import Settings, compose
from tests.support.http_api import Api, jwt_caller, lazily
from tests.support.memory.audit_log import MemoryAuditLog
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.memory.usage import MemoryUsage
from tests.support.tokens import Secrets

KEYS = "/me/api-keys"
YEAR = 365 * 86_400


@pytest.fixture
def capped() -> Api:
    """A deployment whose keys live for an hour by default, and for a year at most."""
    settings = Settings(
        keys_table="keys",
        audit_table="audit",
        usage_table="usage",
        rate_limit_default=120,
        rate_limit_ceiling=1_000,
        keys_per_user=100,
        own_gateway_keys=True,
        key_creations_per_hour=0,
        revoked_retention_days=400,
        lifetimes=Lifetimes(default_seconds=3_600, ceiling_seconds=YEAR),
        allowed_origin="*",
        telemetry=Telemetry(service=f"management-{uuid4()}", namespace="Test", level="INFO"),
    )
    store = MemoryKeyStore()
    handler = lazily(
        lambda: compose(
            settings,
            store=store,
            audit_log=lambda: MemoryAuditLog(store),
            usage=MemoryUsage,
            token_secret=Secrets(),
        )
    )
    return Api(handler, jwt_caller())


def lived(key: dict[str, Any]) -> float:
    """Seconds from a key's making to its end."""
    if key["expires_at"] is None:
        return math.inf
    ends, made = (datetime.fromisoformat(key[name]) for name in ("expires_at", "created_at"))
    return (ends - made).total_seconds()


def test_seconds_to_live_count_from_the_creation_on(api: Api) -> None:
    made = api("POST", KEYS, json_body={"name": "CI", "expires_in_seconds": 90})
    assert (made.status, lived(made.data)) == (201, 90)


def test_silence_takes_the_deployments_default_lifetime(api: Api, capped: Api) -> None:
    assert lived(capped("POST", KEYS, json_body={"name": "CI"}).data) == 3_600
    assert lived(api("POST", KEYS, json_body={"name": "CI"}).data) == math.inf


@pytest.mark.parametrize(
    ("said", "path", "code"),
    [
        ({"expires_at": None}, "expires_at", "too_big"),
        ({"expires_in_seconds": None}, "expires_in_seconds", "too_big"),
        ({"expires_in_seconds": YEAR + 1}, "expires_in_seconds", "too_big"),
        ({"expires_at": "2099-01-01T00:00:00Z"}, "expires_at", "too_big"),
        ({"expires_in_seconds": 10**30}, "expires_in_seconds", "too_big"),
        ({"expires_in_seconds": 0}, "expires_in_seconds", "too_small"),
        ({"expires_in_seconds": 1.5}, "expires_in_seconds", "invalid_type"),
        ({"expires_in_seconds": "60"}, "expires_in_seconds", "invalid_type"),
        ({"expires_in_seconds": True}, "expires_in_seconds", "invalid_type"),
        (
            {"expires_in_seconds": 60, "expires_at": "2027-01-01T00:00:00Z"},
            "expires_in_seconds",
            "invalid_value",
        ),
        ({"expires_in_seconds": 60, "expires_at": None}, "expires_in_seconds", "invalid_value"),
    ],
)
def test_no_form_of_an_expiry_passes_the_deployments_ceiling(
    capped: Api, said: dict[str, Any], path: str, code: str
) -> None:
    reply = capped("POST", KEYS, json_body={"name": "CI", **said})
    assert reply.problem() == (400, "validation_error", "Invalid request body")
    assert [(one["path"], one["code"]) for one in reply.json["details"]] == [(path, code)]


def test_never_is_a_choice_where_no_ceiling_is(api: Api) -> None:
    made = api("POST", KEYS, json_body={"name": "CI", "expires_at": None})
    assert (made.status, made.data["expires_at"]) == (201, None)
