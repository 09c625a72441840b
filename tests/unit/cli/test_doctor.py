"""`chatgrid doctor`: what is not as it should be gets a line, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chatgrid_cli.checks import probe
from chatgrid_cli.checks.gateway import TYPES
from chatgrid_cli.checks.tables import PROMISED, Promised
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.system import TEMPLATE
from chatgrid_devkit.template.expansion import load
from tests.support.cli import Operator
from tests.support.cli_aws import API, FUNCTIONS
from tests.support.cli_patient import REFUSAL, Patient

ROOT = Path(__file__).parents[3]


@pytest.fixture
def patient(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> Patient:
    monkeypatch.setattr(probe, "_ask", lambda _: REFUSAL)
    return Patient(operator)


def test_a_stack_in_good_order_has_nothing_to_warn_of(patient: Patient) -> None:
    answer = patient.operator.answer("doctor")["data"]
    assert [f for f in answer["findings"] if f["status"] != "ok"] == []
    assert (answer["warn"], answer["fail"], answer["skipped"]) == (0, 0, 0)
    shown = patient.operator.run("doctor")
    assert shown.stdout.splitlines()[-1] == f"{answer['ok']} ok, 0 warn, 0 fail, 0 skipped"


def test_the_doctor_looks_for_every_gateway_response_of_the_template() -> None:
    named = set(read_deployment(TEMPLATE).api.responses)
    # Those that no route of this API can cause, or that go by their default.
    assert set(TYPES) <= named
    assert named - set(TYPES) <= {
        *("INVALID_SIGNATURE", "EXPIRED_TOKEN", "BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS"),
        "API_CONFIGURATION_ERROR",
    }


def test_a_cached_authorizer_is_found(patient: Patient) -> None:
    patient.gateway.authorizers[0]["authorizerResultTtlInSeconds"] = 300
    assert patient.seen("authorizer cache", exit_code=1)[0] == {"fail"}
    del patient.gateway.authorizers[0]["authorizerResultTtlInSeconds"]  # AWS's default is 300
    assert patient.seen("authorizer cache", exit_code=1)[0] == {"fail"}
    patient.gateway.authorizers.clear()
    assert patient.seen("authorizer", exit_code=1)[0] == {"fail"}


def test_a_key_source_that_clients_choose_is_found(patient: Patient) -> None:
    patient.gateway.key_source = "HEADER"
    assert patient.seen("key source", exit_code=1)[0] == {"fail"}


def test_an_open_method_is_found_and_named(patient: Patient) -> None:
    patient.gateway.resources["/me"]["GET"]["authorizationType"] = "NONE"
    statuses, message = patient.seen("methods", exit_code=1)
    assert statuses == {"fail"}
    assert "GET /me" in message
    assert "OPTIONS" not in message


def test_a_method_without_key_requirement_is_found_and_named(patient: Patient) -> None:
    patient.gateway.resources["/boards/{id}"]["ANY"]["apiKeyRequired"] = False
    statuses, message = patient.seen("methods", exit_code=1)
    assert statuses == {"fail"}
    assert "ANY /boards/{id}" in message


@pytest.mark.parametrize("text", [None, "", "{", '{"message":"Forbidden"}', "[]"])
def test_a_gateway_response_that_is_not_the_envelope_is_found_and_named(
    patient: Patient, text: str | None
) -> None:
    if text is None:
        del patient.gateway.responses["THROTTLED"]
    else:
        patient.gateway.responses["THROTTLED"] = text
    statuses, message = patient.seen("gateway responses", exit_code=1)
    assert (statuses, message) == ({"fail"}, "not in the envelope: THROTTLED")


def test_a_plan_that_is_not_attached_is_found(patient: Patient) -> None:
    patient.gateway.plans["web"]["apiStages"] = [{"apiId": "another", "stage": "v1"}]
    assert patient.seen("usage plans", exit_code=1)[0] == {"ok", "fail"}
    patient.gateway.plans["web"]["apiStages"] = [{"apiId": API, "stage": "v1"}]
    del patient.gateway.plans["web"]["throttle"]
    assert patient.seen("usage plans", exit_code=0)[0] == {"ok", "warn"}


@pytest.mark.parametrize("changed", [{"enabled": False}, {"value": "other"}, {"name": "other"}])
def test_a_tier_without_its_key_is_found(patient: Patient, changed: dict[str, Any]) -> None:
    patient.gateway.keys["standard"] |= changed
    assert patient.seen("tier keys", exit_code=1)[0] == {"ok", "fail"}


def test_alarms_that_ring_or_that_nobody_hears_are_found(patient: Patient) -> None:
    patient.alarms.alarms[0]["AlarmActions"] = []
    assert patient.seen("alarm actions", exit_code=0)[0] == {"warn"}
    patient.alarms.alarms[1]["StateValue"] = "ALARM"
    statuses, message = patient.seen("alarms", exit_code=1)
    assert (statuses, message) == ({"fail"}, "ringing: gate.refused-share")


def test_a_stack_without_alarms_is_told_the_command_that_brings_them(patient: Patient) -> None:
    patient.alarms.alarms.clear()
    findings = patient.operator.answer("doctor")["data"]["findings"]
    (found,) = [finding for finding in findings if finding["check"] == "alarms"]
    assert found["status"] == "warn"
    assert (
        "sam deploy --template-file monitoring.yaml --stack-name gate-monitoring"
        in (found["advice"])
    )
    assert found["advice"] in (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8").replace(
        "chatgrid-auth", "gate"
    ).replace(" \\\n  ", " ")


def test_alarms_of_a_stack_with_a_longer_name_are_not_this_stacks(patient: Patient) -> None:
    assert patient.alarms.stranger["AlarmName"].startswith("gate")
    assert patient.seen("alarms", exit_code=0) == ({"ok"}, "all 2 are quiet")


def test_alarms_on_a_table_or_function_that_was_replaced_are_found(patient: Patient) -> None:
    (_, errors) = patient.alarms.alarms[0]["Metrics"]
    errors["MetricStat"]["Metric"]["Dimensions"][0]["Value"] = "authorizer-of-before"
    statuses, message = patient.seen("alarms", exit_code=1)
    assert statuses == {"ok", "fail"}
    assert "not the stack's: authorizer-of-before" in message


def test_the_doctor_judges_every_table_by_what_the_template_promises() -> None:
    template = load(TEMPLATE)["Resources"]
    made = {
        name: resource.get("Properties", {})
        for name, resource in template.items()
        if resource["Type"] == "AWS::DynamoDB::Table"
    }
    recovery = "PointInTimeRecoverySpecification"
    assert {
        name: Promised(
            keys=[part["AttributeName"] for part in table["KeySchema"]],
            protected=table.get("DeletionProtectionEnabled", False),
            recovers=table.get(recovery, {}).get("PointInTimeRecoveryEnabled", False),
            expires=table.get("TimeToLiveSpecification", {}).get("Enabled", False),
        )
        for name, table in made.items()
    } == PROMISED


@pytest.mark.parametrize("table", ["KeysTableName", "AuditTableName"])
def test_a_table_that_one_call_deletes_is_found(patient: Patient, table: str) -> None:
    name = patient.operator.outputs[table]
    patient.operator.dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
    statuses, message = patient.seen("deletion protection", exit_code=1)
    assert (statuses, f"off for {name}" in message) == ({"ok", "fail"}, True)


@pytest.mark.parametrize("table", ["KeysTableName", "AuditTableName", "UsageTableName"])
def test_a_table_that_cannot_be_brought_back_is_found(patient: Patient, table: str) -> None:
    patient.recover(table, on=False)
    statuses, message = patient.seen("point-in-time recovery", exit_code=1)
    name = patient.operator.outputs[table]
    assert (statuses, f"off for {name}" in message) == ({"ok", "fail"}, True)


@pytest.mark.parametrize("table", ["RateLimitsTableName", "KeysTableName", "UsageTableName"])
def test_a_table_that_only_grows_is_found(patient: Patient, table: str) -> None:
    name = patient.operator.outputs[table]
    patient.operator.dynamodb.update_time_to_live(
        TableName=name,
        TimeToLiveSpecification={"Enabled": False, "AttributeName": "expires_on"},
    )
    statuses, message = patient.seen("time to live", exit_code=0)
    assert statuses == {"ok", "warn"}
    assert f"off for {name}" in message


@pytest.mark.parametrize("table", ["BoardsTableName", "AuditTableName", "UsageTableName"])
def test_a_table_of_another_kind_is_found(patient: Patient, table: str) -> None:
    patient.operator.outputs[table] = patient.operator.outputs["RateLimitsTableName"]
    assert patient.seen("tables", exit_code=1)[0] == {"ok", "fail"}


def test_a_stack_without_the_example_lacks_no_table(patient: Patient) -> None:
    patient.operator.outputs["BoardsTableName"] = "none"
    assert patient.seen("tables", exit_code=0)[0] == {"ok"}
    assert patient.seen("point-in-time recovery", exit_code=0)[0] == {"ok"}


def test_a_quota_is_pointed_out_since_refused_requests_spend_it(patient: Patient) -> None:
    patient.gateway.plans["web"]["quota"] = {"limit": 1000, "period": "MONTH"}
    statuses, message = patient.seen("quotas", exit_code=0)
    assert statuses == {"warn"}
    assert "the web plan has a quota of 1000 a month" in message


def test_a_stack_without_own_gateway_keys_has_nothing_to_wait_for(patient: Patient) -> None:
    patient.operator.management["OWN_GATEWAY_KEYS"] = "false"
    assert patient.seen("reconciler queue", exit_code=0)[0] == {"skipped"}


def test_work_that_piles_up_is_found(patient: Patient) -> None:
    for number in range(101):
        patient.operator.dynamodb.put_item(
            TableName=patient.operator.table,
            Item={"pk": {"S": "PLANS"}, "sk": {"S": str(number)}},
        )
    assert patient.seen("reconciler queue", exit_code=0)[0] == {"warn"}


def test_new_gateway_keys_that_rest_five_minutes_are_no_backlog(patient: Patient) -> None:
    for number in range(101):
        patient.operator.dynamodb.put_item(
            TableName=patient.operator.table,
            Item={"pk": {"S": "PLANS"}, "sk": {"S": str(number)}, "ready_at": {"N": "1"}},
        )
    patient.operator.dynamodb.put_item(
        TableName=patient.operator.table, Item={"pk": {"S": "PLANS"}, "sk": {"S": "run"}}
    )
    statuses, message = patient.seen("reconciler queue", exit_code=0)
    assert statuses == {"ok"}
    assert "0 gateway keys wait to be made or retired; 101 are made" in message
    assert "five minutes" in message


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("CREATE_COMPLETE", "ok"),
        ("UPDATE_IN_PROGRESS", "warn"),
        ("UPDATE_ROLLBACK_COMPLETE", "fail"),
        ("DELETE_FAILED", "fail"),
    ],
)
def test_the_state_of_the_stack_is_told(patient: Patient, status: str, expected: str) -> None:
    patient.operator.status = status
    assert patient.seen("stack", exit_code=int(expected == "fail"))[0] == {expected}


def test_settings_that_do_not_hold_together_are_found(patient: Patient) -> None:
    patient.operator.management["RATE_LIMIT_DEFAULT"] = "2000"
    assert patient.seen("rate limits", exit_code=1)[0] == {"fail"}
    patient.operator.management["RATE_LIMIT_DEFAULT"] = "many"
    assert patient.seen("rate limits", exit_code=1)[0] == {"fail"}
    patient.operator.management["RATE_LIMIT_DEFAULT"] = "120"
    patient.operator.authorizer["KEYS_TABLE"] = "another"
    assert patient.seen("settings", exit_code=1)[0] == {"fail"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_not_ready_is_found(patient: Patient, name: str) -> None:
    patient.functions.states[name] = "Failed"
    statuses, message = patient.seen("functions", exit_code=1)
    assert (statuses, f"{name} is Failed" in message) == ({"ok", "fail"}, True)


@pytest.mark.parametrize("answer", [(200, {}, None), (403, {"message": "Forbidden"}, None)])
def test_an_api_that_lets_strangers_in_or_answers_otherwise_is_found(
    patient: Patient, monkeypatch: pytest.MonkeyPatch, answer: tuple[int, dict[str, str], None]
) -> None:
    monkeypatch.setattr(probe, "_ask", lambda _: answer)
    assert patient.seen("from outside", exit_code=1)[0] == {"fail"}


def test_what_cannot_be_looked_at_is_said_and_hides_nothing_else(
    patient: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    del patient.operator.outputs["WebUsagePlanId"]
    assert patient.seen("outputs", exit_code=1)[0] == {"fail"}
    assert "skipped" in patient.seen("usage plans", exit_code=1)[0]
    assert patient.seen("alarms", exit_code=1)[0] == {"ok"}

    def unreachable(_: str) -> None:
        raise OSError

    monkeypatch.setattr(probe, "_ask", unreachable)
    assert patient.seen("from outside", exit_code=1)[0] == {"skipped"}


def test_a_local_stack_is_looked_at_as_far_as_it_goes(patient: Patient) -> None:
    patient.operator.local = True
    for check in ("stack", "functions", "protection", "authorizer", "methods", "alarms"):
        assert patient.seen(check, exit_code=0)[0] == {"skipped"}
    assert patient.seen("tables", exit_code=0)[0] == {"ok"}


def test_what_becomes_of_leaked_and_unused_keys_is_told(patient: Patient) -> None:
    told = patient.operator.parameters
    told.update(LeakResponse="disable", DormantAfterDays="90")
    assert patient.seen("leaks", exit_code=0) == (
        {"ok"},
        "reported keys: disable; keys that nobody uses: disabled after 90 days",
    )
    told.update(LeakResponse="report", DormantAfterDays="0")
    states, text = patient.seen("leaks", exit_code=0)
    assert states == {"warn"}
    assert text.startswith("reported keys: report; keys that nobody uses: left as they are")


def test_lifetimes_are_told_and_a_default_beyond_the_ceiling_warned_of(patient: Patient) -> None:
    told = patient.operator.management
    told.update(KEY_LIFETIME_DEFAULT_SECONDS="0", KEY_LIFETIME_CEILING_SECONDS="0")
    assert patient.seen("lifetimes", exit_code=0) == (
        {"ok"},
        "keys live for ever by default, and as long as asked for",
    )
    told["KEY_LIFETIME_CEILING_SECONDS"] = "3600"
    assert patient.seen("lifetimes", exit_code=0) == (
        {"ok"},
        "keys live 3600 s by default, and 3600 s at most",
    )
    told["KEY_LIFETIME_DEFAULT_SECONDS"] = "7200"
    assert patient.seen("lifetimes", exit_code=0)[0] == {"warn"}
    told["KEY_LIFETIME_DEFAULT_SECONDS"] = "soon"
    assert patient.seen("lifetimes", exit_code=1)[0] == {"fail"}
