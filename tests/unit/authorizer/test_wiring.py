"""The composition root: a missing setting is named at init, and no value is ever shown."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType

import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.settings import SettingError
from chatgrid_authorizer import wiring
from tests.support.stack.authorizer_settings import SETTINGS

REQUIRED = [
    "AWS_REGION",
    "KEYS_TABLE",
    "RATE_LIMITS_TABLE",
    "USAGE_KEY_STANDARD",
    "USAGE_KEY_WEB",
    "USAGE_KEY_LIMITED",
    "METRICS_NAMESPACE",
    "TOKEN_SECRET_ARN",
]


def test_a_complete_environment_makes_a_gate() -> None:
    gate = wiring.build(SETTINGS)
    assert gate.cold
    assert gate.metrics.namespace == "ChatGrid/test"


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_setting_is_named(name: str, value: str | None) -> None:
    environ = {n: v for n, v in SETTINGS.items() if n != name}
    if value is not None:
        environ[name] = value
    with pytest.raises(SettingError, match=name):
        wiring.build(environ)


def test_a_wrong_jwt_setting_is_named_at_init_without_its_value() -> None:
    with pytest.raises(SettingError, match="SUPABASE_URL") as error:
        wiring.build({**SETTINGS, "SUPABASE_URL": "http://example.org"})
    assert "example.org" not in str(error.value)


def test_other_systems_keys_reach_the_store_only_when_so_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = list[str]()

    def unknown(_: DynamoDB, operation: str, body: bytes) -> None:
        asked.append(operation)
        raise ConditionFailed(None)

    monkeypatch.setattr(DynamoDB, "call_encoded", unknown)
    for setting, requests in (("false", 0), ("true", 1)):
        gate = wiring.build({**SETTINGS, "ALLOW_IMPORTED_KEYS": setting}).authenticator
        gate.decide("Bearer of-another-system-0001", request=Request("read"), now_ms=1)
        assert len(asked) == requests
    with pytest.raises(SettingError, match="ALLOW_IMPORTED_KEYS"):
        wiring.build({**SETTINGS, "ALLOW_IMPORTED_KEYS": "yes"})


def test_a_look_knows_the_limits_that_a_request_knows() -> None:
    given = {**SETTINGS, "OWNER_RATE_LIMIT": "500", "ROUTE_COSTS": '{"POST /a": 10}'}
    for environ, kind in ((SETTINGS, Authenticator), (given, MeteredGate)):
        gate = wiring.build(environ)
        assert gate.glances is not None
        assert [type(gate.authenticator), type(gate.glances())] == [kind, kind]
    assert gate.dearest == 10


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store's client is told, in place of doing it."""
    told = list[str]()
    for step in ("warm", "reset"):
        monkeypatch.setattr(DynamoDB, step, lambda _, step=step: told.append(step))
    return told


def test_a_starting_container_connects_ahead_of_its_first_request(steps: list[str]) -> None:
    assert wiring.start(SETTINGS).cold
    assert steps == ["warm"]


def test_a_restored_snapshot_never_uses_the_connection_it_was_taken_with(
    steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = list[Callable[[], None]]()
    lambdas_own = ModuleType("snapshot_restore_py")
    vars(lambdas_own)["register_after_restore"] = hooks.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", lambdas_own)
    wiring.start({**SETTINGS, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
    steps.clear()
    (renew,) = hooks
    renew()
    assert steps == ["reset", "warm"]


def test_only_a_function_with_snapshots_asks_for_their_hooks(steps: list[str]) -> None:
    # Outside Lambda there is no such module to import.
    wiring.start({**SETTINGS, "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"})
    assert steps == ["warm"]
