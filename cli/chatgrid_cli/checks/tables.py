"""The tables: there, keyed as the code expects, and what is precious protected."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from chatgrid_auth.adapters.keys_table.items import PLANS, s
from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.keys.issuing import own_gateway_keys
from chatgrid_cli.stacks import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """What the template makes of a table.

    Attributes:
        protected: against deletion.
        recovers: whether any second of the last weeks can be brought back.
        expires: whether items go when their time is over.
    """

    keys: list[str]
    protected: bool = False
    recovers: bool = False
    expires: bool = False


_PK_SK = ["pk", "sk"]
#: By logical id. Written down here, since a table of a former stack is no resource of this one.
PROMISED = {
    "KeysTable": Promised(keys=_PK_SK, protected=True, recovers=True, expires=True),
    "AuditTable": Promised(keys=_PK_SK, protected=True, recovers=True),
    "RateLimitsTable": Promised(keys=["pk"], expires=True),
    "UsageTable": Promised(keys=_PK_SK, recovers=True, expires=True),
    "BoardsTable": Promised(keys=_PK_SK, recovers=True),
}
_LONG_QUEUE = 100


def look_at_tables(stack: Stack) -> Iterator[Finding]:
    """Each table's state and keys."""
    client = stack.client("dynamodb")
    for name, promised in _tables(stack):
        table = client.describe_table(TableName=name)["Table"]
        keys = [part["AttributeName"] for part in table["KeySchema"]]
        if keys != promised.keys:
            yield fail("tables", f"{name} has the keys {keys}", "it is no table of this template")
        elif table["TableStatus"] != "ACTIVE":
            yield fail("tables", f"{name} is {table['TableStatus']}", "wait until it is ACTIVE")
        else:
            yield ok("tables", f"{name} is there")


def look_at_protection(stack: Stack) -> Iterator[Finding]:
    """Point-in-time recovery and deletion protection of what is precious."""
    if stack.local:
        yield skipped("protection", "a local stack's tables are files in its folder")
        return
    client = stack.client("dynamodb")
    for name in (name for name, promised in _tables(stack) if promised.protected):
        if client.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
            yield ok("deletion protection", f"on for {name}")
        else:
            yield fail(
                "deletion protection",
                f"off for {name}: one call deletes all that is in it",
                f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled",
            )
    for name in (name for name, promised in _tables(stack) if promised.recovers):
        if _recovers(client, name):
            yield ok("point-in-time recovery", f"on for {name}")
        else:
            yield fail(
                "point-in-time recovery",
                f"off for {name}: what is lost there cannot be brought back",
                f"aws dynamodb update-continuous-backups --table-name {name}"
                " --point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
            )


def _tables(stack: Stack) -> Iterator[tuple[str, Promised]]:
    """Names of the stack's tables, and what is promised of each.

    The example's is left out where the stack was deployed without the example.
    """
    for logical_id, promised in PROMISED.items():
        if logical_id == "BoardsTable" and stack.outputs.get("BoardsTableName", "none") == "none":
            continue
        yield stack.output(f"{logical_id}Name"), promised


def _recovers(client: Any, table: str) -> bool:
    found = client.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    recovery = found.get("PointInTimeRecoveryDescription", {})
    return bool(recovery.get("PointInTimeRecoveryStatus") == "ENABLED")


def check_ttl(stack: Stack) -> Iterator[Finding]:
    """That what has had its time is disposed of: windows, revoked keys, old statistics."""
    for name in (name for name, promised in _tables(stack) if promised.expires):
        yield _ttl_of(stack.client("dynamodb"), name)


def _ttl_of(client: Any, name: str) -> Finding:
    found = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    if found.get("TimeToLiveStatus") in {"ENABLED", "ENABLING"} and (
        found.get("AttributeName") == "expires_on"
    ):
        return ok("time to live", f"on for {name}")
    return warn(
        "time to live",
        f"off for {name}: it only grows",
        f"aws dynamodb update-time-to-live --table-name {name}"
        " --time-to-live-specification Enabled=true,AttributeName=expires_on",
    )


def look_at_queue(stack: Stack) -> Iterator[Finding]:
    """How much work waits for the reconciler, where keys get gateway keys of their own."""
    if not own_gateway_keys(stack):
        yield skipped("reconciler queue", "keys have no gateway keys of their own here")
        return
    pages = stack.client("dynamodb").get_paginator("query")
    # Behind the owners, whose ids are hexadecimal, is what the run notes of itself.
    work = [
        item
        for page in pages.paginate(
            TableName=stack.keys_table,
            KeyConditionExpression="pk = :plans AND sk < :past",
            ExpressionAttributeValues={":plans": s(PLANS), ":past": s("g")},
            ProjectionExpression="ready_at",
        )
        for item in page["Items"]
    ]
    made = sum("ready_at" in item for item in work)
    waiting = len(work) - made
    if waiting > _LONG_QUEUE:
        yield warn(
            "reconciler queue",
            f"{waiting} gateway keys wait to be made or retired",
            "it makes about one a second; if this lasts, see docs/runbook.md on the reconciler",
        )
    else:
        yield ok(
            "reconciler queue",
            f"{waiting} gateway keys wait to be made or retired; {made} are made, and used five"
            " minutes later, when API Gateway surely knows them",
        )
