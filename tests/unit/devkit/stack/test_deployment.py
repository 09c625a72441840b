"""The local deployment is the template's own, with nothing left to resolve and nothing invented."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.template.description import Quota, Schedule, Throttle
from chatgrid_devkit.template.expansion import TemplateInvalid
from tests.support.gateway_world import (
    AUTHORIZER,
    BOARDS,
    FOLDER,
    TEMPLATE,
    TIER_KEY,
    fixture_deployment,
)


def test_routes_are_read_with_their_protection() -> None:
    routes = {
        (route.method, route.resource): (route.authorizer, route.key_required, route.function)
        for route in fixture_deployment().api.routes
        if route.mock is None
    }
    guarded = ("Gate", True, BOARDS)
    assert routes == {
        ("GET", "/boards"): guarded,
        ("ANY", "/boards"): guarded,
        ("GET", "/boards/{id}"): guarded,
        ("GET", "/boards/special"): guarded,
        ("GET", "/open"): (None, False, BOARDS),
    }


def test_preflight_is_a_fixed_answer_on_every_resource() -> None:
    mocks = [route for route in fixture_deployment().api.routes if route.mock]
    assert {route.resource for route in mocks} == {
        "/boards",
        "/boards/{id}",
        "/boards/special",
        "/open",
    }
    for route in mocks:
        assert (route.method, route.authorizer, route.key_required) == ("OPTIONS", None, False)
        assert route.mock is not None
        assert ("Access-Control-Allow-Origin", "*") in route.mock.headers


def test_the_authorizer_is_read() -> None:
    (authorizer,) = fixture_deployment().api.authorizers.values()
    assert authorizer.function == AUTHORIZER
    assert authorizer.kind == "REQUEST"
    assert authorizer.identity_headers == ("Authorization",)
    assert fixture_deployment().api.key_source == "AUTHORIZER"
    assert fixture_deployment().api.binary_media_types == ("image/png",)


def test_gateway_responses_are_read() -> None:
    response = fixture_deployment().api.responses["UNAUTHORIZED"]
    assert response.status == 401
    assert response.headers == {
        "WWW-Authenticate": "'Bearer'",
        "Access-Control-Allow-Origin": "'*'",
    }
    assert fixture_deployment().api.responses["DEFAULT_5XX"].status is None


def test_functions_have_their_folders_limits_and_variables() -> None:
    function = fixture_deployment().functions[AUTHORIZER]
    assert function.logical_id == "AuthorizerFunction"
    assert function.code == FOLDER / "functions" / "authorizer"
    assert function.layers == (FOLDER / "layers" / "auth",)
    assert (function.timeout_seconds, function.memory_mb) == (3.0, 256)
    assert function.environment == {
        "ORIGIN": "*",
        "TABLE": "chatgrid-local-KeysTable",
        "USAGE_KEY": TIER_KEY,
    }
    boards = fixture_deployment().functions[BOARDS]
    assert (boards.layers, boards.timeout_seconds) == ((), 5.0)


def test_plans_and_keys_belong_together() -> None:
    plan = fixture_deployment().plans["StandardPlan"]
    assert plan.id == "chatgrid-local-StandardPlan"
    assert plan.throttle == Throttle(rate_per_second=1.0, burst=2)
    assert plan.quota == Quota(limit=5, period="DAY")
    (key,) = fixture_deployment().keys
    assert (key.value, key.plan) == (TIER_KEY, plan)
    assert TIER_KEY not in repr(key)


def test_a_plan_of_another_stage_opens_nothing_here(tmp_path: Path) -> None:
    path = changed(tmp_path, "Stage: !Ref Api.Stage}", "Stage: other}")
    deployment = read_deployment(path)
    assert deployment.plans == {}
    assert [key.plan for key in deployment.keys] == [None]


def test_tables_have_what_creating_them_takes() -> None:
    (table,) = fixture_deployment().tables
    assert table.name == "chatgrid-local-KeysTable"
    assert table.properties["TimeToLiveSpecification"]["AttributeName"] == "expires_on"
    assert set(table.properties) >= {"KeySchema", "AttributeDefinitions", "BillingMode"}


def test_parameters_and_physical_ids_go_through_everything() -> None:
    deployment = read_deployment(
        TEMPLATE,
        parameters={"AllowedOrigin": "https://app.example.com", "BurstLimit": "9"},
        physical_ids={"StandardPlan": "plan-id", "KeysTable": "real-table"},
    )
    boards = deployment.functions[BOARDS]
    assert boards.environment["ORIGIN"] == "https://app.example.com"
    assert boards.environment["PLAN"] == "plan-id"
    assert boards.environment["TABLE_ARN"].endswith(":table/real-table")
    plan = deployment.plans["StandardPlan"]
    assert plan.id == "plan-id"
    assert plan.name == "closed"
    assert plan.throttle is not None
    assert plan.throttle.burst == 9
    headers = deployment.api.responses["UNAUTHORIZED"].headers
    assert headers["Access-Control-Allow-Origin"] == "'https://app.example.com'"


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(TemplateInvalid, match="no parameter Typo"):
        read_deployment(TEMPLATE, parameters={"Typo": "x"})


def changed(tmp_path: Path, old: str, new: str) -> Path:
    text = TEMPLATE.read_text()
    assert old in text
    path = tmp_path / "template.yaml"
    path.write_text(text.replace(old, new))
    return path


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("ReauthorizeEvery: 0", "ReauthorizeEvery: 300", "TTL must be 0"),
        ("Path: /open", "Path: '/open/{proxy+}'", "greedy"),
        ("CodeUri: functions/boards", "CodeUri: s3://bucket/key", "no folder"),
        ("Headers: [Authorization]", "QueryStrings: [token]", "identity sources"),
        ("StageName: v1", "Nothing: v1", "SAM refuses"),
    ],
)
def test_what_cannot_run_locally_is_said_at_once(
    tmp_path: Path, old: str, new: str, reason: str
) -> None:
    with pytest.raises(TemplateInvalid, match=reason):
        read_deployment(changed(tmp_path, old, new))


def test_a_rate_becomes_a_schedule(tmp_path: Path) -> None:
    event = (
        "Often: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}\n"
        "        Sweep:\n          Type: Schedule\n"
        "          Properties: {Schedule: rate(1 hour), Input: '{\"sweep\": true}'}\n"
        "        Cron: {Type: Schedule, Properties: {Schedule: 'cron(0 12 * * ? *)'}}\n"
        "        List: {"
    )
    deployment = read_deployment(changed(tmp_path, "List: {", event))
    assert list(deployment.schedules) == [
        Schedule(function=BOARDS, every_seconds=300),
        Schedule(function=BOARDS, every_seconds=3600, input={"sweep": True}),
    ]


def test_a_schedule_that_is_switched_off_is_none(tmp_path: Path) -> None:
    event = (
        "Often:\n          Type: Schedule\n"
        "          Properties: {Schedule: rate(5 minutes), State: DISABLED}\n"
        "        List: {"
    )
    assert not read_deployment(changed(tmp_path, "List: {", event)).schedules


def test_the_project_s_own_template_runs_locally() -> None:
    root = Path(__file__).parents[4]
    deployment = read_deployment(root / "template.yaml")
    assert {f.logical_id for f in deployment.functions.values()} >= {
        "AuthorizerFunction",
        "ManagementFunction",
        "BoardsFunction",
    }
    for function in deployment.functions.values():
        assert function.code.is_dir()
        assert all(layer.is_dir() for layer in function.layers)
