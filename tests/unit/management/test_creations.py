"""A user who makes too many keys in an hour is told how long to wait."""

from __future__ import annotations

from uuid import uuid4

from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_management.wiring import Settings, compose
from tests.support.http_api import Api, jwt_caller, lazily
from tests.support.memory.audit_log import MemoryAuditLog
from tests.support.memory.key_store import MemoryKeyStore
from tests.support.memory.usage import MemoryUsage
from tests.support.tokens import Secrets

KEYS = "/me/api-keys"


def test_a_key_over_the_hourly_brake_is_429_with_a_wait() -> None:
    settings = Settings(
        keys_table="keys",
        audit_table="audit",
        usage_table="usage",
        rate_limit_default=120,
        rate_limit_ceiling=1_000,
        keys_per_user=100,
        own_gateway_keys=True,
        key_creations_per_hour=2,
        revoked_retention_days=400,
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
    api = Api(handler, jwt_caller())
    for _ in range(2):
        made = api("POST", KEYS, json_body={"name": "CI"}).data["id"]
        assert api("DELETE", "/me/api-keys/{id}", id=made).status == 200
    reply = api("POST", KEYS, json_body={"name": "CI"})
    assert reply.problem() == (429, "rate_limit_exceeded", "Rate limit exceeded")
    (detail,) = reply.json["details"]
    assert (detail["code"], detail["path"]) == ("limit_exceeded", "creations")
    assert 3_590 <= int(reply.headers["retry-after"]) <= 3_600
    other = api("POST", KEYS, json_body={"name": "CI"}, caller=jwt_caller())
    assert other.status == 201
