"""`chatgrid doctor --api ID`: an API of another stack, and each way past its authorizer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.cli import Operator
from tests.support.cli_other_apis import ALIAS, HttpApi, RestApi, uri


def seen(operator: Operator, api: str, *more: str, exit_code: int = 0) -> dict[str, set[str]]:
    """The statuses of each check; what is not ok comes with advice."""
    answer = operator.answer("doctor", "--api", api, *more, exit_code=exit_code)["data"]
    found: dict[str, set[str]] = {}
    for finding in answer["findings"]:
        found.setdefault(finding["check"], set()).add(finding["status"])
        assert (finding["advice"] is None) == (finding["status"] in {"ok", "skipped"})
    return found


def told(operator: Operator, api: str, *more: str) -> str:
    return operator.run("doctor", "--api", api, *more).stdout


def test_a_rest_api_in_good_order_is_ok_in_every_part(operator: Operator) -> None:
    parts = ("key source", "authorizer", "authorizer cache", "methods", "gateway responses")
    found = seen(operator, RestApi(operator).id)
    assert found == {part: {"ok"} for part in (*parts, "usage plans")}


def test_a_key_source_that_clients_choose_is_found(operator: Operator) -> None:
    api = RestApi(operator)
    api.api["apiKeySource"] = "HEADER"
    assert seen(operator, api.id, exit_code=1)["key source"] == {"fail"}
    assert f"--rest-api-id {api.id}" in told(operator, api.id)


@pytest.mark.parametrize("seconds", [300, None])
def test_an_authorizer_that_remembers_is_found(operator: Operator, seconds: int | None) -> None:
    api = RestApi(operator)
    del api.authorizer["authorizerResultTtlInSeconds"]  # AWS's default is 300
    if seconds is not None:
        api.authorizer["authorizerResultTtlInSeconds"] = seconds
    assert seen(operator, api.id, exit_code=1)["authorizer cache"] == {"fail"}


@pytest.mark.parametrize(
    ("function", "told_of"),
    [
        (ALIAS.removesuffix(":live"), "not by its alias"),
        (ALIAS.replace("authorizer", "somebodys"), "no authorizer of it asks"),
        (ALIAS.replace("123456789012", "210987654321"), "no authorizer of it asks"),
    ],
)
def test_an_authorizer_that_is_not_this_stacks_alias_is_found(
    operator: Operator, function: str, told_of: str
) -> None:
    api = RestApi(operator)
    api.authorizer["authorizerUri"] = uri(function)
    found = seen(operator, api.id, exit_code=1)
    assert (found["authorizer"], found["methods"]) == ({"fail"}, {"fail"})
    text = told(operator, api.id)
    assert told_of in text
    assert "ask something else: GET /orders" in text


def test_open_and_keyless_methods_are_named_and_preflights_are_not(operator: Operator) -> None:
    api = RestApi(operator)
    api.resources["/health"] = {"GET": api.open}
    api.resources["/orders"]["POST"] = {**api.guarded, "apiKeyRequired": False}
    api.resources["/orders"]["PUT"] = {"authorizationType": "AWS_IAM", "apiKeyRequired": True}
    assert seen(operator, api.id, exit_code=1)["methods"] == {"fail"}
    text = told(operator, api.id)
    assert "open to everybody: GET /health" in text
    assert "a missing scope gets through: POST /orders" in text
    assert "ask something else: PUT /orders" in text
    assert "OPTIONS" not in text


def test_a_route_that_is_meant_to_be_open_is_passed_over(operator: Operator) -> None:
    api = RestApi(operator)
    api.resources["/health"] = {"GET": api.open}
    assert seen(operator, api.id, "--open", "GET /health")["methods"] == {"ok"}
    found = seen(operator, api.id, "--open", "GET /helth", exit_code=1)
    assert found["methods"] == {"fail", "warn"}
    assert operator.run("doctor", "--open", "GET /health").exit_code == 2


@pytest.mark.parametrize("text", ["", '{"message":"Forbidden"}'])
def test_a_gateway_response_in_other_words_is_found(operator: Operator, text: str) -> None:
    api = RestApi(operator)
    api.responses["ACCESS_DENIED"] = text
    assert seen(operator, api.id, exit_code=1)["gateway responses"] == {"fail"}
    assert "not in the envelope: ACCESS_DENIED" in told(operator, api.id)


def test_a_tier_whose_key_no_plan_of_the_api_has_is_found(operator: Operator) -> None:
    api = RestApi(operator)
    api.tiers.remove("Web")
    assert seen(operator, api.id, exit_code=1)["usage plans"] == {"fail"}
    assert "the web tier's gateway key" in told(operator, api.id)


def test_keys_with_gateway_keys_of_their_own_need_the_stacks_plan(operator: Operator) -> None:
    api = RestApi(operator)
    operator.management["OWN_GATEWAY_KEYS"] = "true"
    assert seen(operator, api.id, exit_code=1)["own gateway keys"] == {"fail"}
    api.stages_of_standard = api.stages
    assert "own gateway keys" not in seen(operator, api.id)


def test_an_http_api_in_good_order_is_ok_in_every_part(operator: Operator) -> None:
    parts = ("authorizer", "payload format", "authorizer cache", "methods", "integrations")
    found = seen(operator, HttpApi(operator).id)
    assert found == {part: {"ok"} for part in (*parts, "guards")}


def test_a_route_of_an_http_api_without_the_authorizer_is_found(operator: Operator) -> None:
    api = HttpApi(operator)
    api.route("POST /orders", "NONE")
    api.route("PUT /orders", "JWT")
    api.route("$default")
    found = seen(operator, api.id, exit_code=1)
    assert (found["methods"], found["default route"]) == ({"fail"}, {"warn"})
    assert "open to everybody: POST /orders" in told(operator, api.id)
    assert "ask something else: PUT /orders" in told(operator, api.id)


@pytest.mark.parametrize(
    ("changed", "check", "status"),
    [
        ({"AuthorizerPayloadFormatVersion": "1.0"}, "payload format", "warn"),
        ({"EnableSimpleResponses": False}, "payload format", "fail"),
        ({"AuthorizerResultTtlInSeconds": 60}, "authorizer cache", "fail"),
        ({"IdentitySource": ["$request.header.Authorization"]}, "authorizer identity", "warn"),
        ({"AuthorizerUri": uri(ALIAS.replace("live", "old"))}, "authorizer", "fail"),
    ],
)
def test_an_http_apis_authorizer_that_is_set_otherwise_is_found(
    operator: Operator, changed: dict[str, Any], check: str, status: str
) -> None:
    api = HttpApi(operator)
    api.authorizer |= changed
    assert seen(operator, api.id, exit_code=int(status == "fail"))[check] == {status}


def test_an_http_api_that_sends_or_says_otherwise_is_found(operator: Operator) -> None:
    api = HttpApi(operator)
    api.integration["PayloadFormatVersion"] = "1.0"
    api.variables["chatgrid"] = "no"
    found = seen(operator, api.id)
    assert (found["integrations"], found["guards"]) == ({"warn"}, {"warn"})


def test_an_api_that_is_not_there_or_of_another_kind_is_told(operator: Operator) -> None:
    socket = HttpApi(operator, protocol="WEBSOCKET")
    assert seen(operator, "nothing123", exit_code=1) == {"API": {"fail"}}
    assert seen(operator, socket.id, exit_code=1) == {"API": {"fail"}}
    operator.local = True
    assert seen(operator, socket.id) == {"API": {"skipped"}}
