"""`chatgrid doctor` names the keys that a rule tightened since would not let through today."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_cli.checks import key_rules, probe
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator
from tests.support.cli_patient import REFUSAL, Patient

RULES = "rules of keys"


@pytest.fixture
def patient(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr(probe, "_ask", lambda _: REFUSAL)
    return Patient(operator)


def told(patient: Patient) -> list[str]:
    """What the doctor warns of about keys."""
    findings = patient.operator.answer("doctor")["data"]["findings"]
    return [f["message"] for f in findings if f["check"] == RULES and f["status"] == "warn"]


@pytest.mark.parametrize(
    ("facts", "tightened", "rule"),
    [
        ({"rate_limit": 501}, {"RATE_LIMIT_CEILING": "500"}, "RateLimitCeiling"),
        ({}, {"KEY_LIFETIME_CEILING_SECONDS": "3600"}, "KeyLifetimeCeilingSeconds"),
        (
            {"expires_at_ms": now_ms() + 7_200_000},
            {"KEY_LIFETIME_CEILING_SECONDS": "3600"},
            "KeyLifetimeCeilingSeconds",
        ),
        ({"rate_limit": 9}, {"ROUTE_COSTS": '{"POST /exports": 10}'}, "RouteCosts"),
        (
            {"scopes": ["write"], "permissions": ["exports:write"]},
            {"ROUTE_PERMISSIONS": '{"POST /exports": "exports:make"}'},
            "RoutePermissions",
        ),
    ],
)
def test_a_key_that_a_tightened_rule_would_not_let_through_is_named(
    patient: Patient, facts: dict[str, Any], tightened: dict[str, str], rule: str
) -> None:
    key = patient.operator.issue(**facts).key
    assert told(patient) == []
    patient.operator.management |= tightened
    (message,) = told(patient)
    assert message.startswith(key.id)
    assert rule in message


def test_keys_within_the_tightened_rules_are_not_named(patient: Patient) -> None:
    patient.operator.issue(
        scopes=["write"],
        rate_limit=500,
        expires_at_ms=now_ms() + 3_000_000,
        permissions=["exports:make", "exports:write"],
    )
    reads: dict[str, Any] = {"scopes": ["read"], "permissions": ["exports:write"]}
    patient.operator.issue(expires_at_ms=now_ms() + 3_000_000, **reads)
    patient.operator.management |= {
        "RATE_LIMIT_CEILING": "500",
        "KEY_LIFETIME_CEILING_SECONDS": "3600",
        "ROUTE_COSTS": '{"POST /exports": 100}',
        "ROUTE_PERMISSIONS": '{"POST /exports": "exports:make"}',
    }
    assert told(patient) == []


def test_imported_keys_are_named_where_they_are_refused(patient: Patient) -> None:
    fields = {"hash": hashlib.sha256(b"x").hexdigest(), "owner": str(uuid4()), "scopes": ["read"]}
    patient.operator.authorizer["ALLOW_IMPORTED_KEYS"] = "true"
    patient.operator.answer("import", "-", input=json.dumps(fields))
    assert told(patient) == []
    patient.operator.authorizer["ALLOW_IMPORTED_KEYS"] = "false"
    assert "AllowImportedKeys" in told(patient)[0]


def test_users_with_more_keys_than_they_may_have_are_named(patient: Patient) -> None:
    owner = str(uuid4())
    for _ in range(2):
        patient.operator.issue(owner)
    patient.operator.management["KEYS_PER_USER"] = "1"
    assert told(patient) == [f"users with more than the 1 keys of KeysPerUser: {owner}"]


def test_it_tells_how_many_keys_it_looked_at_and_names_a_few(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        patient.operator.issue()
    patient.operator.management["KEY_LIFETIME_CEILING_SECONDS"] = "60"
    assert patient.seen(RULES, exit_code=0)[1].startswith("8 keys looked at")
    monkeypatch.setattr(key_rules, "MOST_KEYS", 7)
    _, text = patient.seen(RULES, exit_code=0)
    assert text.startswith("the first 7 keys (there are more) looked at")
    assert text.count("-") == 5 * 4
    assert "and 2 more live longer" in text
