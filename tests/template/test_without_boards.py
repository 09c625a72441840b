"""A stack without the example: the gate and the keys' management, and nothing of boards."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_devkit.dev import greeting
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.system import Stack as Running
from tests.support.stack.templates import TEMPLATE, Stack, deployed, monitored

OFF = {"ExampleBoards": "false"}
#: The functions' settings are one text, in which the boards' table is an empty line.
SETTINGS = "FunctionSettings"


def without_boards(stack: Stack) -> dict[str, Any]:
    """What a stack deploys, the example's own parts and routes taken away.

    And what SAM makes anew with each expansion: the API's deployment, and its number; and what
    the reference is told of the example.
    """
    passed_over = ("Boards", "ApiDeployment", "Apiv1Stage")
    kept = {n: p for n, p in stack.resources.items() if not n.startswith(passed_over)}
    kept["Api"] = json.loads(json.dumps(kept["Api"]))
    paths = kept["Api"]["Body"]["paths"]
    kept["Api"]["Body"]["paths"] = {p: m for p, m in paths.items() if not p.startswith("/boards")}
    kept["PagesFunction"] = json.loads(json.dumps(kept["PagesFunction"]))
    del kept["PagesFunction"]["Environment"]["Variables"]["EXAMPLE_BOARDS"]
    return {name: properties for name, properties in kept.items() if name != SETTINGS}


def test_the_example_is_part_of_a_stack_unless_it_is_left_out() -> None:
    assert "/boards" in deployed().definition["paths"]
    assert deployed().definition == deployed(ExampleBoards="true").definition
    assert {name for name in deployed().resources if name.startswith("Boards")} >= {
        *("BoardsFunction", "BoardsRole", "BoardsLogs", "BoardsTable")
    }


def test_a_stack_without_the_example_is_the_same_in_all_else() -> None:
    assert without_boards(deployed(**OFF)) == without_boards(deployed())


def test_nothing_of_the_example_is_left() -> None:
    """No function, route, role, right to be called, log group or table; the reference is told."""
    stack = deployed(**OFF)
    assert not [name for name in stack.resources if name.startswith("Boards")]
    left = {n for n, p in stack.resources.items() if "boards" in json.dumps(p).lower()}
    assert left == {SETTINGS, "PagesFunction"}
    told = stack.resources["PagesFunction"]["Environment"]["Variables"]
    assert {name: value for name, value in told.items() if "BOARDS" in name} == {
        "EXAMPLE_BOARDS": "false"
    }
    assert "BoardsTable=\n" in stack.resources[SETTINGS]["Content"]


def test_a_table_that_is_given_for_boards_makes_no_difference_without_them() -> None:
    given = deployed(**OFF, ExistingBoardsTable="kept-boards")
    assert without_boards(given) == without_boards(deployed())
    assert given.outputs["BoardsTableName"] == "none"


def test_the_local_gateway_leaves_the_example_out_too() -> None:
    deployment = read_deployment(TEMPLATE, parameters=OFF)
    assert not [route for route in deployment.api.routes if route.resource.startswith("/boards")]
    assert not [name for name in deployment.functions if "Boards" in name]
    assert "BoardsTable" not in {table.logical_id for table in deployment.tables}
    assert {"/me", "/keys/verify"} <= {route.resource for route in deployment.api.routes}


@pytest.mark.parametrize("parameters", [{}, OFF])
def test_the_greeting_names_boards_where_there_are_any(
    parameters: dict[str, str], tmp_path: Any
) -> None:
    running = Running(
        url="http://127.0.0.1:3000/v1",
        admin_key="the-key",
        user_id="somebody",
        dynamodb_endpoint="",
        access_key="",
        supabase={},
        parameters=parameters,
        outputs={},
        environments={},
    )
    text = greeting(running, tmp_path)
    assert ("/v1/boards" in text) == (parameters != OFF)
    assert "/v1/me/api-keys" in text


def test_alarms_and_dashboard_of_such_a_stack_watch_no_boards() -> None:
    assert deployed(**OFF).outputs["BoardsFunctionName"] == "none"
    watched = monitored(deployed(**OFF))
    assert set(watched.resources) == set(monitored().resources)
    text = json.dumps(watched.resources)
    assert "boards" not in text.lower().replace("dashboards", "")
    assert '"none"' not in text
    body = json.loads(watched.one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    assert len(body["widgets"]) > 10


@pytest.mark.parametrize("alarm", ["BackendsThrottledAlarm", "ServerErrorsAlarm"])
def test_an_alarm_computes_with_the_metrics_that_it_has(alarm: str) -> None:
    for gate in (deployed(), deployed(**OFF)):
        parts = monitored(gate).resources[alarm]["Metrics"]
        known = {part["Id"] for part in parts}
        words = " ".join(part.get("Expression", "") for part in parts)
        assert ("boards" in known) == ("boards" in words) == (gate is deployed())
