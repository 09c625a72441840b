from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from fastapi.routing import APIRoute

from chatgrid_auth.domain.audit import REVOKED, Head
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_auth.services.audit.chain import linked
from chatgrid_auth.settings import SettingError
from chatgrid_management import wiring
from chatgrid_management.app import EVERY_PART, PARTS, create_app
from chatgrid_management.wiring import Settings
from tests.support.audit import event
from tests.support.aws import VARIABLES
from tests.support.memory.key_store import MemoryKeyStore

ENVIRONMENT = {
    "KEYS_TABLE": "keys-table",
    "AUDIT_TABLE": "audit-table",
    "USAGE_TABLE": "usage-table",
    "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens",
    "RATE_LIMIT_DEFAULT": "120",
    "RATE_LIMIT_CEILING": "100000",
    "KEYS_PER_USER": "1000",
    "OWN_GATEWAY_KEYS": "true",
    "KEY_CREATIONS_PER_HOUR": "30",
    "KEY_LIFETIME_DEFAULT_SECONDS": "0",
    "KEY_LIFETIME_CEILING_SECONDS": "0",
    "REVOKED_RETENTION_DAYS": "400",
    "ALLOWED_ORIGIN": "https://app.example.com",
    "POWERTOOLS_SERVICE_NAME": "management",
    "POWERTOOLS_METRICS_NAMESPACE": "ChatGrid",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_each_setting_is_needed_and_named_when_it_is_missing(name: str) -> None:
    rest = {other: value for other, value in ENVIRONMENT.items() if other != name}
    with pytest.raises(SettingError, match=f"{name} is not set"):
        Settings.read(rest)


@pytest.mark.parametrize(("value", "own"), [("true", True), ("false", False)])
def test_work_for_gateway_keys_is_left_only_where_the_template_says_so(
    monkeypatch: pytest.MonkeyPatch, value: str, *, own: bool
) -> None:
    told: list[bool] = []

    def store(_: object, *, own_gateway_keys: bool, **__: object) -> MemoryKeyStore:
        told.append(own_gateway_keys)
        return MemoryKeyStore()

    monkeypatch.setattr(wiring, "DynamoKeyStore", store)
    for name, setting in {**ENVIRONMENT, "OWN_GATEWAY_KEYS": value}.items():
        monkeypatch.setenv(name, setting)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")

    wiring.from_environment()

    assert told == [own]


def test_each_entry_is_anchored_in_the_log_with_its_hash(
    capsys: pytest.CaptureFixture[str],
) -> None:
    happened = event(REVOKED, "ada", "key-1", at_ms=1_773_133_200_000)
    entry = linked(happened, head=Head(), entropy=os.urandom)
    wiring._anchor(entry, Telemetry(service="anchors", namespace="Test", level="INFO").logger())
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["owner"], line["seq"]) == (REVOKED, "ada", 1)
    assert line["hash"] == entry.document["hash"]
    assert (line["request_id"], line["at"]) == ("request-1", "2026-03-10T09:00:00.000Z")


def test_the_function_starts_from_its_environment_alone() -> None:
    environment = {**os.environ, **VARIABLES, **ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    script = "from chatgrid_management.handler import handler; print(callable(handler))"
    started = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.stdout, started.stderr) == ("True\n", "")


@pytest.mark.parametrize("part", EVERY_PART)
def test_a_part_is_asked_for_the_routes_that_it_has_alone(part: str) -> None:
    nothing: Any = None
    app = create_app(nothing, log=logging.getLogger(), parts=[part])
    routes = {(m, r.path) for r in app.routes if isinstance(r, APIRoute) for m in r.methods or ()}
    assert routes == {asked for asked, name in PARTS.items() if name == part}


@pytest.mark.parametrize(
    ("begins", "loads"), [("on-demand", 0), ("provisioned-concurrency", len(EVERY_PART))]
)
def test_an_environment_that_nobody_waits_for_loads_every_part(begins: str, loads: int) -> None:
    given = {**VARIABLES, **ENVIRONMENT, "AWS_REGION": "eu-west-1"}
    script = (
        "import sys, chatgrid_management.handler;"
        "parts = [name for name in sys.modules if name.startswith('chatgrid_management.routes.')];"
        "print(len(parts), 'chatgrid_management.changing' in sys.modules)"
    )
    started = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, **given, "AWS_LAMBDA_INITIALIZATION_TYPE": begins},
        capture_output=True,
        text=True,
        check=True,
    )
    assert started.stdout == f"{loads} {loads > 0}\n"


def test_a_default_limit_below_the_dearest_cost_does_not_start() -> None:
    costs = {"ROUTE_COSTS": '{"POST /exports": 121}'}
    with pytest.raises(SettingError, match="RATE_LIMIT_DEFAULT is below the dearest cost"):
        Settings.read(ENVIRONMENT | costs)
    settings = Settings.read(ENVIRONMENT | costs | {"RATE_LIMIT_DEFAULT": "121"})
    assert settings.rate_limit_floor == 121
