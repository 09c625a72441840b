"""The tiers: their plans, their shared keys, and that the authorizer names exactly those."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.stack.templates import PLACE, Stack, deployed

WITH_QUOTA = [("Standard", "STANDARD"), ("Web", "WEB")]
TIERS = [*WITH_QUOTA, ("Limited", "LIMITED")]


@pytest.mark.parametrize(("tier", "variable"), TIERS)
def test_the_authorizer_names_the_value_of_the_tiers_key(tier: str, variable: str) -> None:
    stack = deployed()
    key = stack.resources[f"{tier}TierKey"]
    assert key["Enabled"] is True
    assert stack.environment("AuthorizerFunction")[f"USAGE_KEY_{variable}"] == key["Value"]


@pytest.mark.parametrize(("tier", "variable"), TIERS)
def test_a_tiers_key_has_a_value_that_api_gateway_documents(tier: str, variable: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9]{30,128}", deployed().resources[f"{tier}TierKey"]["Value"])


def test_the_tiers_keys_differ() -> None:
    resources = deployed().resources
    assert len({resources[f"{tier}TierKey"]["Value"] for tier, _ in TIERS}) == len(TIERS)


@pytest.mark.parametrize(("tier", "variable"), TIERS)
def test_a_tiers_key_is_in_a_plan_covering_the_stage(tier: str, variable: str) -> None:
    stack = deployed()
    member = stack.resources[f"{tier}TierKeyInPlan"]
    assert member == {
        "KeyId": f"gate-{tier}TierKey",
        "KeyType": "API_KEY",
        "UsagePlanId": f"gate-{tier}UsagePlan",
    }
    assert stack.resources[f"{tier}UsagePlan"]["ApiStages"] == [
        {"ApiId": "gate-Api", "Stage": "v1"}
    ]
    assert stack.expanded["Resources"][f"{tier}UsagePlan"]["Properties"]["ApiStages"][0][
        "Stage"
    ] == {"Ref": "Apiv1Stage"}, "a literal stage name would not wait for the stage"


@pytest.mark.parametrize(("tier", "variable"), WITH_QUOTA)
def test_throttle_and_quota_are_the_operators_and_0_means_no_quota(
    tier: str, variable: str
) -> None:
    parameters = {
        f"{tier}RateLimit": "7",
        f"{tier}BurstLimit": "9",
        f"{tier}QuotaLimit": "1000",
        "QuotaPeriod": "DAY",
    }
    plan = deployed(**parameters).resources[f"{tier}UsagePlan"]
    assert plan["Throttle"] == {"RateLimit": "7", "BurstLimit": "9"}
    assert plan["Quota"] == {"Limit": "1000", "Period": "DAY"}
    assert "Quota" not in deployed().resources[f"{tier}UsagePlan"]


def test_requests_over_their_limit_spend_no_quota_and_meet_the_standard_throttle() -> None:
    plan = deployed(StandardQuotaLimit="9", WebQuotaLimit="9", StandardRateLimit="7").resources[
        "LimitedUsagePlan"
    ]
    assert "Quota" not in plan
    assert plan["Throttle"] == {"RateLimit": "7", "BurstLimit": "4000"}


def test_the_limited_plan_is_closed_where_the_edge_is_to_refuse() -> None:
    stack = deployed(EdgeRetryAfterSeconds="63", StandardRateLimit="7")
    assert stack.resources["LimitedUsagePlan"]["Throttle"] == {"RateLimit": 0, "BurstLimit": 0}
    assert stack.resources["StandardUsagePlan"]["Throttle"]["RateLimit"] == "7"
    assert stack.environment("AuthorizerFunction")["EDGE_RETRY_AFTER_SECONDS"] == "63"
    assert deployed().environment("AuthorizerFunction")["EDGE_RETRY_AFTER_SECONDS"] == "0"


def test_plans_change_and_keys_join_them_one_after_the_other() -> None:
    written = deployed().raw["Resources"]
    members = [name for name, r in written.items() if r["Type"] == "AWS::ApiGateway::UsagePlanKey"]
    plans = [name for name, r in written.items() if r["Type"] == "AWS::ApiGateway::UsagePlan"]
    queue = []
    waiting: dict[str | None, str] = {
        written[name].get("DependsOn"): name for name in (*plans, *members)
    }
    last: str | None = None
    while (last := waiting.get(last)) is not None:
        queue.append(last)
    # CloudFormation deletes in the reverse of this order.
    assert queue == [*(f"{t}UsagePlan" for t, _ in TIERS), *(f"{t}TierKeyInPlan" for t, _ in TIERS)]
    assert set(queue) == {*plans, *members}


@pytest.mark.parametrize(("tier", "variable"), TIERS)
def test_the_reconciler_cannot_take_a_tiers_key_for_one_of_its_own(
    tier: str, variable: str
) -> None:
    stack = deployed()
    prefix = stack.environment("ReconcilerFunction")["USAGE_KEY_NAME_PREFIX"]
    assert prefix == PLACE["stack"]
    assert not stack.resources[f"{tier}TierKey"]["Name"].startswith(prefix)


def test_the_reconciler_looks_after_the_plan_of_api_keys() -> None:
    stack = deployed()
    plan = stack.environment("ReconcilerFunction")["USAGE_PLAN_STANDARD"]
    assert plan == "gate-StandardUsagePlan"


def rules_of(stack: Stack) -> list[dict[str, Any]]:
    """The schedules that call the reconciler."""
    rules = stack.of("AWS::Events::Rule").values()
    return [rule for rule in rules if "ReconcilerFunction" in rule["Targets"][0]["Arn"]]


def test_the_reconciler_works_every_minute_and_compares_everything_every_hour() -> None:
    stack = deployed()
    rules = rules_of(stack)
    given = {rule["ScheduleExpression"]: rule["Targets"][0].get("Input") for rule in rules}
    assert set(given) == {"rate(1 minute)", "rate(1 hour)"}
    assert given["rate(1 minute)"] is None
    assert json.loads(given["rate(1 hour)"]) == {"sweep": True}
    for rule in rules:
        (target,) = rule["Targets"]
        assert target["RetryPolicy"]["MaximumRetryAttempts"] == 0


def test_time_goes_on_for_keys_without_gateway_keys_too() -> None:
    for given in ("true", "false"):
        rules = rules_of(deployed(OwnGatewayKeys=given))
        assert len(rules) == 2
        assert not [rule for rule in rules if rule.get("State", "ENABLED") != "ENABLED"]


def test_a_run_ends_before_the_next_begins_and_is_not_tried_again() -> None:
    stack = deployed()
    assert stack.resources["ReconcilerFunction"]["Timeout"] < 60
    (setting,) = (
        setting
        for setting in stack.of("AWS::Lambda::EventInvokeConfig").values()
        if "ReconcilerFunction" in str(setting["FunctionName"])
    )
    assert setting["MaximumRetryAttempts"] == 0
