"""The stack as CloudFormation knows it, and the settings of its functions."""

from __future__ import annotations

from collections.abc import Iterator

from chatgrid_auth.services.key_rules import Lifetimes
from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack

_NEEDED = (
    *("ApiId", "ApiUrl", "KeysTableName", "RateLimitsTableName", "BoardsTableName"),
    *("AuditTableName", "UsageTableName"),
    *("AuthorizerFunctionName", "ManagementFunctionName", "ReconcilerFunctionName"),
    *("StandardUsagePlanId", "WebUsagePlanId"),
)
_REDEPLOY = "deploy this template again: sam build && sam deploy"


def look_at_stack(stack: Stack) -> Iterator[Finding]:
    """Its state and its outputs."""
    if stack.local:
        yield skipped("stack", "a local stack has no CloudFormation; its template is tested")
        return
    status = stack.status
    if status.endswith("_IN_PROGRESS"):
        yield warn("stack", f"it is {status}", "look again when CloudFormation is done")
    elif "ROLLBACK" in status or status.endswith("_FAILED"):
        yield fail("stack", f"it is {status}", "its last change failed: see the stack's events")
    else:
        yield ok("stack", f"it is {status}")
    missing = [name for name in _NEEDED if name not in stack.outputs]
    if missing:
        yield fail("outputs", f"it has no {', '.join(missing)}", _REDEPLOY)
    else:
        yield ok("outputs", "all there")


def look_at_settings(stack: Stack) -> Iterator[Finding]:
    """What the functions were told."""
    authorizer = stack.environment("AuthorizerFunction")
    management = stack.environment("ManagementFunction")
    tables = {
        "the authorizer's keys table": (authorizer.get("KEYS_TABLE"), "KeysTableName"),
        "the authorizer's window table": (
            authorizer.get("RATE_LIMITS_TABLE"),
            "RateLimitsTableName",
        ),
        "the management's keys table": (management.get("KEYS_TABLE"), "KeysTableName"),
    }
    wrong = [name for name, (table, output) in tables.items() if table != stack.outputs.get(output)]
    if wrong:
        yield fail("settings", f"{' and '.join(wrong)} is not the stack's", _REDEPLOY)
    else:
        yield ok("settings", "the functions work on the stack's tables")
    default, ceiling = management.get("RATE_LIMIT_DEFAULT"), management.get("RATE_LIMIT_CEILING")
    if not (_number(default) and _number(ceiling)):
        yield fail("rate limits", "default or ceiling is not a number", _REDEPLOY)
    elif int(default or 0) > int(ceiling or 0):
        yield fail(
            "rate limits",
            f"the default, {default}, is above the ceiling, {ceiling}",
            "set RateLimitDefault to at most RateLimitCeiling",
        )
    else:
        yield ok("rate limits", f"{default} by default, at most {ceiling} in any 60 seconds")
    yield _lifetimes(
        management.get("KEY_LIFETIME_DEFAULT_SECONDS", "0"),
        management.get("KEY_LIFETIME_CEILING_SECONDS", "0"),
    )
    yield _leaks(stack)
    yield _jwt(authorizer.get("SUPABASE_URL", ""))
    if authorizer.get("ALLOW_IMPORTED_KEYS") == "true":
        yield warn(
            "imported keys",
            "keys without our checksum are looked up, so each wrong one costs a store request",
            "set AllowImportedKeys to false when no such key is in use any more",
        )


def _lifetimes(default: str, ceiling: str) -> Finding:
    """How long keys live of which nobody says it, and at most."""
    if not (_number(default) and _number(ceiling)):
        return fail("lifetimes", "default or ceiling is not a number", _REDEPLOY)
    lifetimes = Lifetimes(default_seconds=int(default), ceiling_seconds=int(ceiling))
    unsaid = lifetimes.unsaid_seconds
    told = "for ever" if unsaid is None else f"{unsaid} s"
    most = f"{ceiling} s at most" if lifetimes.ceiling_seconds else "as long as asked for"
    text = f"keys live {told} by default, and {most}"
    if unsaid is not None and unsaid < lifetimes.default_seconds:
        advice = "set KeyLifetimeDefaultSeconds to at most KeyLifetimeCeilingSeconds"
        return warn("lifetimes", f"{text}: the ceiling holds, the default is above it", advice)
    return ok("lifetimes", text)


def _leaks(stack: Stack) -> Finding:
    """What becomes of keys that leaked, and of those that nobody uses."""
    response = stack.parameters.get("LeakResponse", "disable")
    after = stack.parameters.get("DormantAfterDays", "0")
    unused = f"disabled after {after} days" if after != "0" else "left as they are"
    text = f"reported keys: {response}; keys that nobody uses: {unused}"
    if response == "report":
        advice = "set LeakResponse to disable, unless something else acts on api_key.exposed"
        return warn("leaks", f"{text}: a leaked key goes on working", advice)
    return ok("leaks", text)


def _jwt(supabase_url: str) -> Finding:
    if supabase_url:
        return ok("JWTs", f"accepted from {supabase_url}")
    return warn("JWTs", "off: API keys only", "set SupabaseUrl if your users sign in with Supabase")


def look_at_functions(stack: Stack) -> Iterator[Finding]:
    """Whether they are ready, and whether the reconciler works or only reports."""
    if stack.local:
        yield skipped("functions", "run by `make dev`, which ends when one cannot start")
        return
    client = stack.client("lambda")
    for name in functions_of(stack):
        found = client.get_function_configuration(FunctionName=name)
        state, update = found.get("State", "Active"), found.get("LastUpdateStatus", "Successful")
        if state in {"Active", "Inactive"} and update == "Successful":
            yield ok("functions", f"{name} is ready")
        else:
            yield fail("functions", f"{name} is {state}, its update {update}", _REDEPLOY)
    if stack.environment("ReconcilerFunction").get("DRY_RUN") == "true":
        yield warn(
            "reconciler",
            "only reports what it would repair",
            "set ReconcilerDryRun to false to let it work",
        )


def functions_of(stack: Stack) -> list[str]:
    """The names of all functions that CloudFormation made for a stack."""
    pages = stack.client("cloudformation").get_paginator("list_stack_resources")
    return [
        resource["PhysicalResourceId"]
        for page in pages.paginate(StackName=stack.name)
        for resource in page["StackResourceSummaries"]
        if resource["ResourceType"] == "AWS::Lambda::Function"
    ]


def _number(text: str | None) -> bool:
    return text is not None and text.isascii() and text.isdecimal()
