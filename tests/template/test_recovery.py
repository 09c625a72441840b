"""Tables that a stack is given: it makes none of its own, and works on those alone."""

from __future__ import annotations

import json

import pytest

from chatgrid_devkit.stack.deployment import read_deployment
from tests.support.stack.templates import FUNCTIONS, TEMPLATE, deployed

TAKEN = {
    "KeysTable": "former-KeysTable-1A2B",
    "AuditTable": "audit-2026",
    "BoardsTable": "boards.restored_2026-03-10",
}
TABLES = pytest.mark.parametrize("table", TAKEN)
ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/"
STREAM_LABEL = "2026-11-28T04:50:00.000"
ROLES = [function.replace("Function", "Role") for function in FUNCTIONS]


def given(table: str) -> dict[str, str]:
    stream = {"ExistingAuditStreamLabel": STREAM_LABEL} if table == "AuditTable" else {}
    return {f"Existing{table}": TAKEN[table], **stream}


@TABLES
def test_a_stack_that_is_given_a_table_makes_none_of_its_own(table: str) -> None:
    stack = deployed(**given(table))
    assert set(deployed().of("AWS::DynamoDB::Table")) - set(stack.of("AWS::DynamoDB::Table")) == {
        table
    }


@TABLES
def test_the_table_that_a_running_stack_lets_go_of_is_not_deleted(table: str) -> None:
    # Taken out of a stack by its condition, a resource goes by its DeletionPolicy.
    written = deployed().raw["Resources"][table]
    assert written["Condition"] == f"Makes{table}"
    assert written["DeletionPolicy"] == "Retain"
    assert written["UpdateReplacePolicy"] == "Retain"


@TABLES
def test_no_function_policy_output_or_setting_names_another_table_than_the_given(
    table: str,
) -> None:
    before, after = deployed(), deployed(**given(table))
    own = f"gate-{table}"
    everywhere = {
        **{function: before.environment(function) for function in FUNCTIONS},
        **{role: before.resources[role] for role in ROLES},
        "outputs": before.outputs,
        "settings": before.resources["FunctionSettings"],
    }
    now = {
        **{function: after.environment(function) for function in FUNCTIONS},
        **{role: after.resources[role] for role in ROLES},
        "outputs": after.outputs,
        "settings": after.resources["FunctionSettings"],
    }
    assert own in json.dumps(everywhere)
    # Nothing differs but the name, so nothing that named the former one was overlooked.
    stream = f"{ARN}{TAKEN[table]}/stream/{STREAM_LABEL}"
    renamed = json.dumps(everywhere).replace(f"{own}.StreamArn", stream)
    assert now == json.loads(renamed.replace(own, TAKEN[table]))
    assert own not in json.dumps(after.resources)


@pytest.mark.parametrize(
    ("role", "sid", "table"),
    [
        ("AuthorizerRole", "DecideOnKeys", "KeysTable"),
        ("ManagementRole", "ManageKeys", "KeysTable"),
        ("ManagementRole", "AddToAuditLog", "AuditTable"),
        ("ReconcilerRole", "AddToAuditLog", "AuditTable"),
        ("ReconcilerRole", "ReadKeys", "KeysTable"),
        ("ReconcilerRole", "KeepQueue", "KeysTable"),
        ("ReconcilerRole", "NameGatewayKeys", "KeysTable"),
        ("BoardsRole", "KeepBoards", "BoardsTable"),
    ],
)
def test_a_given_table_is_the_only_one_that_a_policy_reaches(
    role: str, sid: str, table: str
) -> None:
    (policy,) = deployed(**given(table)).resources[role]["Policies"]
    statements = {s["Sid"]: s for s in policy["PolicyDocument"]["Statement"]}
    assert statements[sid]["Resource"] == ARN + TAKEN[table]


def test_an_audit_table_without_a_stream_tells_nobody_and_fails_nothing() -> None:
    stack = deployed(ExistingAuditTable=TAKEN["AuditTable"])
    assert set(stack.of("AWS::Lambda::EventSourceMapping")) == {"LeaksFromQueue"}
    (policy,) = stack.resources["EventsRole"]["Policies"]
    assert "dynamodb:" not in json.dumps(policy)


@TABLES
def test_the_local_run_reads_a_template_that_is_given_a_table(table: str) -> None:
    deployment = read_deployment(TEMPLATE, parameters=given(table))
    assert table not in {found.logical_id for found in deployment.tables}
    told = [function.environment for function in deployment.functions.values()]
    assert any(TAKEN[table] in environment.values() for environment in told)


def test_counters_and_statistics_are_never_taken_over() -> None:
    all_given = {name: value for table in TAKEN for name, value in given(table).items()}
    assert set(deployed(**all_given).of("AWS::DynamoDB::Table")) == {
        *("RateLimitsTable", "UsageTable")
    }
