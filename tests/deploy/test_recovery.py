"""docs/recovery.md, rehearsed: a restored table, and one that a deleted stack left, taken over.

The embedded AWS restores today's items whatever the time, and enforces no policy: that the roles
reach the table that the stack was given, and no other, is for tests/template.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from chatgrid_devkit.stack.ministack import Ministack
from tests.deploy.conftest import skip_unless_built
from tests.deploy.stacks import SamStack

skip_unless_built()

USER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
RESTORED = "recovered-keys-2026-03-10"


def test_keys_work_on_a_restored_table_and_on_a_new_stack(cloud: Ministack, for_here: Path) -> None:
    stack = SamStack(cloud, for_here, "recovered")
    stack.deploy()
    own = stack.outputs()
    key = new_key(stack)
    assert ask(stack, key, "POST", "/boards", {"name": "Kept"}).status_code == 201

    restore(stack, own["KeysTableName"])
    stack.deploy(ExistingKeysTable=RESTORED)
    check_that_it_works_on(stack, RESTORED, own["BoardsTableName"], key)
    # The stack let go of its own table, which is as it was.
    assert described(stack, own["KeysTableName"])["DeletionProtectionEnabled"] is True

    stack.delete()
    kept = {"ExistingKeysTable": RESTORED, "ExistingBoardsTable": own["BoardsTableName"]}
    stack.deploy(**kept)
    sweep(stack)
    check_that_it_works_on(stack, RESTORED, own["BoardsTableName"], key)

    stack.delete()
    stack.forget_gateway_keys()
    left = stack.client("dynamodb").list_tables()["TableNames"]
    assert {own["KeysTableName"], own["BoardsTableName"], RESTORED} <= set(left)


def new_key(stack: SamStack) -> dict[str, Any]:
    return stack.operate("keys", "create", "--user", USER, "--name", "Before")


def restore(stack: SamStack, table: str) -> None:
    """To a new table, and what a restore leaves behind set again: the page's commands."""
    dynamodb = stack.client("dynamodb")
    dynamodb.restore_table_to_point_in_time(
        SourceTableName=table, TargetTableName=RESTORED, UseLatestRestorableTime=True
    )
    dynamodb.get_waiter("table_exists").wait(TableName=RESTORED)
    dynamodb.update_table(TableName=RESTORED, DeletionProtectionEnabled=True)
    dynamodb.update_continuous_backups(
        TableName=RESTORED, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )


def sweep(stack: SamStack) -> None:
    """Have gateway keys compared with the keys table, as the page says."""
    answer = stack.client("lambda").invoke(
        FunctionName=f"{stack.outputs()['ReconcilerFunctionName']}:live",
        Payload=json.dumps({"sweep": True}),
    )
    said = answer["Payload"].read().decode()
    assert "FunctionError" not in answer, said


def check_that_it_works_on(
    stack: SamStack, keys_table: str, boards_table: str, key: dict[str, Any]
) -> None:
    """A key from before opens its owner's board, and a new one is written to this table."""
    outputs = stack.outputs()
    assert (outputs["KeysTableName"], outputs["BoardsTableName"]) == (keys_table, boards_table)
    boards = ask(stack, key, "GET", "/boards")
    assert boards.status_code == 200, boards.text
    assert [board["name"] for board in boards.json()["data"]] == ["Kept"]
    before = items(stack, keys_table)
    another = new_key(stack)
    assert items(stack, keys_table) > before
    assert ask(stack, another, "GET", "/boards").status_code == 200


def ask(
    stack: SamStack, key: dict[str, Any], method: str, path: str, body: Any = None
) -> httpx.Response:
    reached = stack.described()
    headers = {**reached["headers"], "Authorization": f"Bearer {key['raw_key']}"}
    return httpx.request(method, reached["url"] + path, headers=headers, json=body, timeout=60)


def items(stack: SamStack, table: str) -> int:
    count: int = stack.client("dynamodb").scan(TableName=table, Select="COUNT")["Count"]
    return count


def described(stack: SamStack, table: str) -> dict[str, Any]:
    found: dict[str, Any] = stack.client("dynamodb").describe_table(TableName=table)["Table"]
    return found
