"""Usage plans: every tier attached to the stage, each with the key that the authorizer names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack

_TIERS = {
    tier: (f"{tier.title()}UsagePlanId", f"USAGE_KEY_{tier.upper()}")
    for tier in ("standard", "web", "limited")
}
_REDEPLOY = "deploy this template again: sam deploy"


def look_at_plans(stack: Stack) -> Iterator[Finding]:
    """Each tier's plan, its throttle, its stage, and its shared key."""
    if stack.local:
        yield skipped("usage plans", "the local gateway keeps them from template.yaml")
        return
    client = stack.client("apigateway")
    authorizer = stack.environment("AuthorizerFunction")
    for tier, (output, variable) in _TIERS.items():
        plan = client.get_usage_plan(usagePlanId=stack.output(output))
        yield _plan(stack, tier, plan)
        yield from _quota(tier, plan)
        yield _tier_key(client, tier, plan["id"], authorizer.get(variable, ""))


def _plan(stack: Stack, tier: str, plan: dict[str, Any]) -> Finding:
    stages = {(entry.get("apiId"), entry.get("stage")) for entry in plan.get("apiStages", [])}
    if (stack.output("ApiId"), "v1") not in stages:
        return fail(
            "usage plans",
            f"the {tier} plan is not attached to the stage: its callers get 403",
            _REDEPLOY,
        )
    throttle = plan.get("throttle")
    if not throttle:
        return warn(
            "usage plans", f"the {tier} plan has no throttle", "it shields nothing at the edge"
        )
    if tier == "limited" and not throttle["rateLimit"]:
        return ok("usage plans", "the limited plan is closed: 429 is given at the edge")
    return ok(
        "usage plans",
        f"the {tier} plan admits {throttle['rateLimit']:g} a second, {throttle['burstLimit']} at"
        " once",
    )


def _quota(tier: str, plan: dict[str, Any]) -> Iterator[Finding]:
    quota = plan.get("quota")
    if quota:
        yield warn(
            "quotas",
            f"the {tier} plan has a quota of {quota['limit']} a {quota['period'].lower()}, which"
            " requests that a backend refuses spend too",
            "set it well above what callers may use; see docs/usage-plans.md on quotas",
        )


def _tier_key(client: Any, tier: str, plan_id: str, value: str) -> Finding:
    pages = client.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan_id)
    for key in (key for page in pages for key in page["items"]):
        if not key.get("name", "").startswith("tier-"):
            continue
        found = client.get_api_key(apiKey=key["id"], includeValue=True)
        if found.get("value") != value:
            continue
        if found.get("enabled"):
            return ok("tier keys", f"the {tier} plan has the key that the authorizer names")
        return fail(
            "tier keys",
            f"the {tier} plan's key is disabled: its callers get 403",
            f"aws apigateway update-api-key --api-key {key['id']}"
            " --patch-operations op=replace,path=/enabled,value=true",
        )
    return fail(
        "tier keys",
        f"the {tier} plan does not hold the key that the authorizer names: its callers get 403",
        _REDEPLOY,
    )
