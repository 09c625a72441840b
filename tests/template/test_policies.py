"""What each function may do: written out, no more than it needs, and nothing else runs as it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.stack.templates import FUNCTIONS, TEMPLATE, deployed

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:jwt-AbCdEf"
TABLES = "arn:aws:dynamodb:eu-central-1:123456789012:table/gate-"
GATEWAY = "arn:aws:apigateway:eu-central-1::"
ROLES = {function: function.replace("Function", "Role") for function in FUNCTIONS}


def statements(role: str, **parameters: str) -> dict[str, dict[str, Any]]:
    policies = deployed(**parameters).resources[role]["Policies"]
    found = [s for policy in policies for s in policy["PolicyDocument"]["Statement"]]
    return {statement["Sid"]: statement for statement in found}


def granted(role: str) -> set[str]:
    """The statements of a role with everything on that a parameter switches on."""
    return set(statements(role, Tracing="active"))


def allowed(role: str, sid: str, **parameters: str) -> tuple[set[str], set[str]]:
    statement = statements(role, **parameters)[sid]
    assert statement["Effect"] == "Allow"
    return as_set(statement["Action"]), as_set(statement["Resource"])


def as_set(value: str | list[str]) -> set[str]:
    return {value} if isinstance(value, str) else set(value)


def test_every_function_has_a_role_of_its_own() -> None:
    """Lambda alone may take it."""
    stack = deployed(AccessLog="disabled")
    others = {"AuthorizerInvokeRole"}  # no function's: tests/template/test_other_stacks.py
    assert set(stack.of("AWS::IAM::Role")) == set(ROLES.values()) | others
    for function, role in ROLES.items():
        assert stack.resources[function]["Role"].endswith(f":role/gate-{role}")
        assert stack.resources[role]["AssumeRolePolicyDocument"]["Statement"] == [
            {
                "Effect": "Allow",
                "Principal": {"Service": "lambda.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ]


@pytest.mark.parametrize("role", ROLES.values())
def test_no_role_takes_a_policy_that_somebody_else_writes(role: str) -> None:
    assert set(deployed().resources[role]) == {"AssumeRolePolicyDocument", "Policies"}


@pytest.mark.parametrize("role", ROLES.values())
def test_actions_are_named_one_by_one(role: str) -> None:
    for statement in statements(role, JwtSecretArn=SECRET).values():
        assert not [action for action in as_set(statement["Action"]) if "*" in action]
        assert "NotAction" not in statement
        assert "NotResource" not in statement


def test_a_resource_of_everything_has_its_reason_written_above_it() -> None:
    lines = TEMPLATE.read_text(encoding="utf-8").splitlines()
    everything = [at for at, line in enumerate(lines) if line.strip() == 'Resource: "*"']
    assert len(everything) == len(FUNCTIONS)
    for at in everything:
        while not lines[at].lstrip().startswith("- Sid:"):
            at -= 1  # noqa: PLW2901 - walks up to the head of the statement
        while lines[at].strip() != "- !If":
            at -= 1  # noqa: PLW2901 - on to the condition that it stands under
        assert lines[at - 1].lstrip().startswith("#"), f"line {at + 1}"


@pytest.mark.parametrize("role", ROLES.values())
def test_everything_is_reachable_for_tracing_alone(role: str) -> None:
    for sid, statement in statements(role, JwtSecretArn=SECRET, Tracing="active").items():
        if "*" in as_set(statement["Resource"]):
            assert sid == "Trace"
    actions, _ = allowed(role, "Trace", Tracing="active")
    assert actions == {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}


@pytest.mark.parametrize("role", ROLES.values())
def test_nothing_may_be_traced_where_tracing_is_off(role: str) -> None:
    assert "xray:" not in json.dumps(statements(role))


@pytest.mark.parametrize("role", ROLES.values())
def test_a_function_writes_to_its_own_log_and_makes_none(role: str) -> None:
    name = role.removesuffix("Role").lower()
    group = f"arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/gate-{name}:*"
    assert allowed(role, "Log") == ({"logs:CreateLogStream", "logs:PutLogEvents"}, {group})


def test_the_authorizer_may_update_credentials_one_by_one_and_ask_for_none() -> None:
    """An update gives the item back, so it may read what it names by hash; it lists nothing."""
    sids = {"DecideOnKeys", "ReadPolicies", "ReadTokenSecret", "CountUsers", "Log", "Trace"}
    assert granted("AuthorizerRole") == sids
    assert allowed("AuthorizerRole", "DecideOnKeys") == (
        {"dynamodb:UpdateItem"},
        {TABLES + "KeysTable"},
    )
    condition = statements("AuthorizerRole")["DecideOnKeys"]["Condition"]
    # No condition on `dynamodb:ReturnValues`: it lives on what comes back.
    assert set(condition) == {"ForAllValues:StringLike"}
    assert condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"] == ["KEY#*"]


def test_the_authorizer_may_name_of_what_it_reads_the_attributes_of_policies() -> None:
    """And read a credential whole, of which each update gives all back anyway."""
    assert allowed("AuthorizerRole", "ReadPolicies") == (
        {"dynamodb:GetItem"},
        {TABLES + "KeysTable"},
    )
    condition = statements("AuthorizerRole")["ReadPolicies"]["Condition"]
    assert condition == {
        "ForAllValues:StringLike": {
            "dynamodb:LeadingKeys": ["KEY#*"],
            "dynamodb:Attributes": [
                *(
                    "pk",
                    "sk",
                    "metadata",
                    "credits",
                    "allowed_ips",
                    "allowed_origins",
                    "permissions",
                ),
            ],
        }
    }


def test_the_authorizer_may_count_users_in_the_rate_limits_table() -> None:
    assert allowed("AuthorizerRole", "CountUsers") == (
        # It reads where a verdict is asked for that counts nothing.
        {"dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"},
        {TABLES + "RateLimitsTable"},
    )
    condition = statements("AuthorizerRole")["CountUsers"]["Condition"]
    own = ["USER#*", "OWNER#*", "ROUTE#*"]
    assert condition == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": own}}


def test_the_authorizer_may_read_the_jwt_secret_and_no_other() -> None:
    assert allowed("AuthorizerRole", "ReadJwtSecret", JwtSecretArn=SECRET) == (
        {"secretsmanager:GetSecretValue", "ssm:GetParameter"},
        {SECRET},
    )


@pytest.mark.parametrize("role", ["AuthorizerRole", "ManagementRole"])
def test_who_makes_or_checks_tokens_may_read_their_secret_and_change_none(role: str) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:gate-TokenSecret"
    assert allowed(role, "ReadTokenSecret") == ({"secretsmanager:GetSecretValue"}, {arn})


def test_management_may_work_on_the_keys_table_but_never_scan_it() -> None:
    assert granted("ManagementRole") == {
        "ManageKeys",
        "ReadAuditLog",
        "AddToAuditLog",
        "ReadUsage",
        "ReadTokenSecret",
        "Log",
        "Trace",
    }
    actions, resources = allowed("ManagementRole", "ManageKeys")
    assert resources == {TABLES + "KeysTable"}
    assert "dynamodb:Scan" not in actions


@pytest.mark.parametrize("role", ["ManagementRole", "ReconcilerRole", "LeaksRole"])
def test_the_audit_log_is_added_to_in_transactions_and_nothing_deleted(
    role: str,
) -> None:
    """A condition on the write itself IAM cannot ask for: docs/security.md says so."""
    table = {TABLES + "AuditTable"}
    assert allowed(role, "AddToAuditLog") == ({"dynamodb:PutItem"}, table)
    actions, resources = allowed(role, "ReadAuditLog")
    assert (actions <= {"dynamodb:GetItem", "dynamodb:Query"}, resources) == (True, table)
    assert statements(role)["AddToAuditLog"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*"]},
        "ForAnyValue:StringEquals": {"dynamodb:EnclosingOperation": ["TransactWriteItems"]},
    }
    # Notices lie in partitions of their own, where no entry is.
    told = {"AddToAuditLog", "ReadAuditLog", "GiveNotices"}
    others = {s for s in statements(role) if s not in told}
    assert not [s for s in others if allowed(role, s)[1] & table]


def test_the_events_function_reads_the_stream_and_writes_one_bus() -> None:
    assert granted("EventsRole") == {"ReadStream", "TellEvents", "KeepDeadLetters", "Log", "Trace"}
    assert allowed("EventsRole", "TellEvents", EventBusName="security") == (
        {"events:PutEvents"},
        {"arn:aws:events:eu-central-1:123456789012:event-bus/security"},
    )
    assert allowed("EventsRole", "ReadStream")[1] == {"gate-AuditTable.StreamArn"}


def test_the_leaks_function_finds_keys_by_hash_and_lists_none() -> None:
    assert granted("LeaksRole") == {
        "FindKeys",
        "EndKeys",
        "ReadAuditLog",
        "AddToAuditLog",
        "PassReports",
        "Log",
        "Trace",
    }
    assert allowed("LeaksRole", "FindKeys") == (
        {"dynamodb:GetItem", "dynamodb:BatchGetItem"},
        {TABLES + "KeysTable"},
    )
    for sid, more in (("FindKeys", []), ("EndKeys", ["PLANS", "GRACES"])):
        condition = statements("LeaksRole")[sid]["Condition"]["ForAllValues:StringLike"]
        assert condition == {"dynamodb:LeadingKeys": ["KEY#*", "USER#*", *more]}
    queue = "arn:aws:sqs:eu-central-1:123456789012:gate-LeaksQueue"
    assert allowed("LeaksRole", "PassReports")[1] == {queue}


def test_usage_is_summed_by_one_function_and_read_by_another() -> None:
    assert granted("UsageRole") == {"CountUsage", "TellOfCanaries", "Log", "Trace"}
    assert allowed("UsageRole", "CountUsage") == (
        {f"dynamodb:{action}" for action in ("GetItem", "Query", "PutItem", "UpdateItem")},
        {TABLES + "UsageTable"},
    )
    assert allowed("ManagementRole", "ReadUsage") == ({"dynamodb:Query"}, {TABLES + "UsageTable"})


def test_notices_are_given_beside_the_chains_and_never_in_one() -> None:
    assert allowed("ReconcilerRole", "GiveNotices") == (
        {"dynamodb:BatchGetItem", "dynamodb:PutItem"},
        {TABLES + "AuditTable"},
    )
    assert statements("ReconcilerRole")["GiveNotices"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["NOTICE#*"]}
    }
    of_canaries = {"dynamodb:PutItem"}, {TABLES + "AuditTable"}
    assert allowed("UsageRole", "TellOfCanaries") == of_canaries
    conditions = [
        statements("UsageRole")["TellOfCanaries"]["Condition"],
        statements("ReconcilerRole")["GiveNotices"]["Condition"],
    ]
    assert conditions[0] == conditions[1]


def test_boards_may_work_on_its_own_table_alone() -> None:
    assert granted("BoardsRole") == {"KeepBoards", "Log", "Trace"}
    assert allowed("BoardsRole", "KeepBoards")[1] == {TABLES + "BoardsTable"}


def test_the_reconciler_writes_only_its_work_names_and_cut_off_revocations() -> None:
    found = statements("ReconcilerRole")
    assert granted("ReconcilerRole") == {
        "ReadKeys",
        "KeepQueue",
        "FinishRevocations",
        "ReadAuditLog",
        "AddToAuditLog",
        "GiveNotices",
        "NameGatewayKeys",
        "ListGatewayKeys",
        "MakeGatewayKeys",
        "ChangeGatewayKeys",
        "KeepPlanMembers",
        "ListPlans",
        "Log",
        "Trace",
    }
    assert found["KeepQueue"]["Condition"] == {
        "ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["PLANS"]}
    }
    assert found["NameGatewayKeys"]["Condition"] == {
        "ForAllValues:StringLike": {
            "dynamodb:LeadingKeys": ["KEY#*"],
            "dynamodb:Attributes": [
                "pk",
                "sk",
                "off",
                "lvl",
                "cur",
                "s??",
                "gw",
                "m",
                "expires_on",
            ],
        }
    }
    assert found["FinishRevocations"]["Condition"] == {
        "ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["USER#*", "GRACES"]}
    }


def test_the_reconcilers_rights_over_gateway_keys_hang_on_the_stacks_tag() -> None:
    found = statements("ReconcilerRole")
    changing = [
        sid
        for sid, statement in found.items()
        if "/apikeys" in str(statement["Resource"]) and statement["Action"] != "apigateway:GET"
    ]
    assert sorted(changing) == ["ChangeGatewayKeys", "MakeGatewayKeys"]
    assert allowed("ReconcilerRole", "MakeGatewayKeys") == (
        {"apigateway:POST", "apigateway:PUT"},
        {GATEWAY + "/apikeys", GATEWAY + "/tags/arn*apikeys*"},
    )
    assert found["MakeGatewayKeys"]["Condition"] == {
        "StringEquals": {"aws:RequestTag/chatgrid:stack": "gate"},
        "ForAllValues:StringEquals": {"aws:TagKeys": ["chatgrid:stack"]},
    }
    assert allowed("ReconcilerRole", "ChangeGatewayKeys") == (
        {"apigateway:PATCH", "apigateway:DELETE"},
        {GATEWAY + "/apikeys/*"},
    )
    assert found["ChangeGatewayKeys"]["Condition"] == {
        "StringEquals": {"aws:ResourceTag/chatgrid:stack": "gate"}
    }


def test_the_reconciler_reads_all_plans_and_changes_one_plans_members() -> None:
    assert allowed("ReconcilerRole", "ListGatewayKeys")[1] == {GATEWAY + "/apikeys"}
    assert allowed("ReconcilerRole", "ListPlans") == ({"apigateway:GET"}, {GATEWAY + "/usageplans"})
    actions, resources = allowed("ReconcilerRole", "KeepPlanMembers")
    assert actions == {f"apigateway:{verb}" for verb in ("GET", "POST")}
    plan = GATEWAY + "/usageplans/gate-StandardUsagePlan/keys"
    assert resources == {plan, plan + "/*"}


def test_nobody_may_pass_a_role_or_change_a_policy() -> None:
    for role in ROLES.values():
        assert "iam:" not in json.dumps(statements(role))
