"""How functions run: where, with what, how long, and what they write down."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.jwt.jwks_cache import WAIT_SECONDS
from tests.support.stack.templates import FUNCTIONS, ROOT, deployed

LAYERS = {
    "AuthorizerFunction": ["AuthLayer", "JwtLayer"],
    "ManagementFunction": ["AuthLayer", "HttpLayer"],
    "BoardsFunction": ["AuthLayer", "HttpLayer"],
    "ReconcilerFunction": ["AuthLayer", "HttpLayer"],
    "EventsFunction": ["AuthLayer"],
    "LeaksFunction": ["AuthLayer", "HttpLayer", "JwtLayer"],
    "UsageFunction": ["AuthLayer"],
    "PagesFunction": ["AuthLayer"],
}
GATEWAY_LIMIT_SECONDS = 29


def function_of(name: str, **parameters: str) -> dict[str, Any]:
    return deployed(**parameters).resources[name]


def test_the_functions_are_those_of_the_design() -> None:
    assert set(deployed().of("AWS::Lambda::Function")) == set(FUNCTIONS)


@pytest.mark.parametrize(("name", "folder"), FUNCTIONS.items())
def test_a_function_runs_its_handler_on_python_3_13_and_arm64(name: str, folder: str) -> None:
    function = function_of(name)
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["Code"]["S3Key"] == f"functions/{folder}"
    assert function["Handler"] == f"chatgrid_{folder}.handler.handler"
    assert (ROOT / "functions" / folder / f"chatgrid_{folder}" / "handler.py").is_file()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_layers_that_it_imports_from_and_no_more(name: str) -> None:
    written = deployed().raw["Resources"][name]["Properties"]["Layers"]
    assert [layer["Ref"] for layer in written] == LAYERS[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_traced_on_request_only(name: str) -> None:
    assert function_of(name)["TracingConfig"] == {"Mode": "PassThrough"}
    assert function_of(name, Tracing="active")["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize(("name", "folder"), FUNCTIONS.items())
def test_a_function_logs_json_into_the_group_that_it_may_write_to(name: str, folder: str) -> None:
    logging = function_of(name)["LoggingConfig"]
    assert logging["LogFormat"] == "JSON"
    assert logging["LogGroup"] == f"/aws/lambda/gate-{folder}"


def test_decision_lines_and_metrics_which_lambda_takes_for_info_are_never_filtered() -> None:
    assert deployed().raw["Parameters"]["LogLevel"]["AllowedValues"] == ["DEBUG", "INFO"]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_level_is_lambdas_own_which_goes_before_that_of_the_functions(
    name: str, level: str
) -> None:
    logging = function_of(name, LogLevel=level)["LoggingConfig"]
    assert logging["ApplicationLogLevel"] == level
    assert deployed(LogLevel=level).environment(name).get("POWERTOOLS_LOG_LEVEL", level) == level


@pytest.mark.parametrize("name", FUNCTIONS)
def test_lambda_logs_nothing_of_its_own_for_a_good_call(name: str) -> None:
    assert function_of(name)["LoggingConfig"]["SystemLogLevel"] == "WARN"


@pytest.mark.parametrize("name", ["ManagementFunction", "BoardsFunction"])
def test_a_backend_gives_up_before_api_gateway_does(name: str) -> None:
    assert function_of(name)["Timeout"] < GATEWAY_LIMIT_SECONDS


def test_the_authorizer_gives_up_early_and_leaves_the_backend_its_time() -> None:
    assert function_of("AuthorizerFunction")["Timeout"] <= 5


def test_the_authorizer_outlasts_all_that_one_decision_may_wait_for() -> None:
    # Otherwise Lambda ends the container: no answer, and the last good keys are gone.
    waits = WAIT_SECONDS + RetryPolicy().budget
    assert waits < function_of("AuthorizerFunction")["Timeout"]


@pytest.mark.parametrize("name", ["AuthLayer", "HttpLayer", "JwtLayer"])
def test_a_layer_is_built_for_the_functions_runtime_and_machine(name: str) -> None:
    layer = deployed().raw["Resources"][name]
    assert layer["Metadata"] == {"BuildMethod": "makefile", "BuildArchitecture": "arm64"}
    assert layer["Properties"]["CompatibleRuntimes"] == ["python3.13"]
    assert layer["Properties"]["CompatibleArchitectures"] == ["arm64"]


def test_nothing_that_is_deployed_comes_from_the_devkit_or_the_tests() -> None:
    written = json.dumps(deployed().expanded)
    assert "devkit" not in written
    keys = re.findall(r'"S3Key": "([^"]+)"', written)
    assert set(keys) == {f"functions/{folder}" for folder in FUNCTIONS.values()} | {
        "layers/auth",
        "layers/http",
        "layers/jwt",
    }


def test_no_name_of_a_function_can_collide_with_another_stacks() -> None:
    assert not [n for n, f in deployed().of("AWS::Lambda::Function").items() if "FunctionName" in f]


def test_web_functions_begin_from_snapshots_where_asked_and_no_other_does() -> None:
    web = {"ManagementFunction", "BoardsFunction", "LeaksFunction"}
    for name in FUNCTIONS:
        assert "SnapStart" not in function_of(name)
        snapshots = function_of(name, WebSnapStart="enabled").get("SnapStart")
        assert snapshots == ({"ApplyOn": "PublishedVersions"} if name in web else None)
