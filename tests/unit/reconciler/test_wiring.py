"""The reconciler's settings and handler: what is missing is named, and what is done is reported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.services.usage_plans.ports import RunSummary
from chatgrid_auth.services.usage_plans.reconciler import Reconciler
from chatgrid_auth.settings import SettingError
from chatgrid_reconciler.report import METRICS
from chatgrid_reconciler.wiring import Settings, compose, from_environment
from tests.support.plan_world import World

if TYPE_CHECKING:
    from chatgrid_reconciler.wiring import Handler

ENVIRONMENT = {
    "KEYS_TABLE": "keys",
    "AUDIT_TABLE": "audit",
    "USAGE_PLAN_STANDARD": "standard",
    "USAGE_KEY_NAME_PREFIX": "chatgrid",
    "DRY_RUN": "false",
    "CONTROL_PLANE_CALLS_PER_SECOND": "4",
    "GATEWAY_KEY_CEILING": "8000",
    "OWN_GATEWAY_KEYS": "true",
    "POWERTOOLS_SERVICE_NAME": "reconciler",
    "POWERTOOLS_METRICS_NAMESPACE": "ChatGrid/test",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


@dataclass
class Context:
    """What Lambda gives a handler, as far as it is used."""

    left_ms: int = 50_000
    function_name: str = "reconciler"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:111122223333:function:reconciler"
    aws_request_id: str = "c0ffee"

    def get_remaining_time_in_millis(self) -> int:
        return self.left_ms


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_a_missing_variable_is_named(name: str) -> None:
    with pytest.raises(SettingError, match=name):
        Settings.read({**ENVIRONMENT, name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DRY_RUN", "yes-please"),
        ("CONTROL_PLANE_CALLS_PER_SECOND", "0"),
        ("CONTROL_PLANE_CALLS_PER_SECOND", "5.5"),
        ("CONTROL_PLANE_CALLS_PER_SECOND", "nan"),
        ("CONTROL_PLANE_CALLS_PER_SECOND", "quick-as-you-can"),
        ("GATEWAY_KEY_CEILING", "0"),
        ("OWN_GATEWAY_KEYS", "perhaps"),
    ],
)
def test_an_unusable_value_is_refused_and_not_shown(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=name) as refused:
        Settings.read({**ENVIRONMENT, name: value})

    assert value == "0" or value not in str(refused.value)


def test_settings_are_read_as_they_are_set() -> None:
    read = Settings.read(
        {**ENVIRONMENT, "DRY_RUN": "true", "CONTROL_PLANE_CALLS_PER_SECOND": "2.5"}
    )

    assert read.dry_run is True
    assert read.calls_per_second == 2.5
    assert (read.usage_plan, read.stack) == ("standard", "chatgrid")
    assert (read.most_keys, read.own_keys) == (8_000, True)


def handler_of(reconciler: Reconciler) -> Handler:
    # A logger of one name keeps the stream of its first use, which is an earlier test's.
    return compose(
        Settings.read({**ENVIRONMENT, "POWERTOOLS_SERVICE_NAME": f"reconciler-{uuid4()}"}),
        reconciler,
    )


def test_a_run_answers_what_it_did_and_counts_it(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    world.issue()
    handle = handler_of(world.reconciler())

    answer = handle({}, Context())  # type: ignore[arg-type]

    assert (answer["created"], answer["queue_depth"], answer["dry_run"]) == (1, 1, False)
    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    counted = next(line for line in emitted if "UsageKeysCreated" in line)
    assert counted["UsageKeysCreated"] == [1.0]
    assert all(name in counted for name in METRICS.values())
    said = next(line for line in emitted if line.get("message") == "reconciled")
    assert said["run"]["created"] == 1


def test_nothing_that_opens_anything_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    world = World()
    key = world.issue()
    handle = handler_of(world.reconciler())

    answer = handle({"sweep": True}, Context())  # type: ignore[arg-type]

    said = capsys.readouterr().out + json.dumps(answer)
    assert key.key_hash not in said
    assert world.gateway_key(key).value not in said


@pytest.mark.parametrize(
    ("event", "sweeps"), [({"sweep": True}, 1), ({"sweep": "yes"}, 0), ({}, 0), (None, 0)]
)
def test_a_sweep_is_begun_when_the_event_asks_for_it(event: Any, sweeps: int) -> None:
    handle = handler_of(World().reconciler())

    assert handle(event, Context())["sweeps"] == sweeps  # type: ignore[arg-type]


def test_a_run_stops_before_lambda_would_stop_it() -> None:
    world = World()
    world.issue()
    handle = handler_of(world.reconciler())

    answer = handle({}, Context(left_ms=8_000))  # type: ignore[arg-type]

    assert answer["created"] == 0
    assert not world.plane.calls


def test_trouble_is_a_warning_with_its_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    summary = RunSummary(faults=["CreateApiKey: BadRequestException"] * 30, failed=30)
    handle = handler_of(SimpleNamespace(run=lambda **_: summary))  # type: ignore[arg-type]

    handle({}, Context())  # type: ignore[arg-type]

    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    said = next(line for line in emitted if line.get("message") == "reconciled")
    assert said["level"] == "WARNING"
    assert said["run"]["faults"] == ["CreateApiKey: BadRequestException"]


def test_the_deployed_handler_is_built_from_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    aws = {
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }
    for name, value in {**ENVIRONMENT, **aws}.items():
        monkeypatch.setenv(name, value)

    assert callable(from_environment())
