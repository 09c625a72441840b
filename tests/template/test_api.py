"""The API that clients meet: its routes, and that each of them is behind the gate."""

from __future__ import annotations

import re

import pytest

from tests.support.stack.templates import deployed

AUTHORIZER = "CredentialAuthorizer"
ROUTES = {
    "/me": ("ManagementFunction", {"GET"}),
    "/me/api-keys": ("ManagementFunction", {"GET", "POST"}),
    "/me/api-keys/{id}": ("ManagementFunction", {"GET", "PATCH", "DELETE"}),
    "/me/api-keys/{id}/rotate": ("ManagementFunction", {"POST"}),
    "/me/api-keys/{id}/previous-secret": ("ManagementFunction", {"DELETE"}),
    "/me/api-key": ("ManagementFunction", {"GET", "DELETE"}),
    "/me/api-key/rotate": ("ManagementFunction", {"POST"}),
    "/keys/verify": ("AuthorizerFunction", {"POST"}),
    "/me/tokens": ("ManagementFunction", {"POST"}),
    "/me/audit-log": ("ManagementFunction", {"GET"}),
    "/me/audit-log/verify": ("ManagementFunction", {"GET"}),
    "/me/usage": ("ManagementFunction", {"GET"}),
    "/me/api-keys/{id}/usage": ("ManagementFunction", {"GET"}),
    "/boards": ("BoardsFunction", {"GET", "POST"}),
    "/boards/{id}": ("BoardsFunction", {"GET", "PATCH", "DELETE"}),
    "/leaks": ("LeaksFunction", {"POST"}),
    "/leaks/github": ("LeaksFunction", {"POST"}),
    "/dashboard": ("PagesFunction", {"GET"}),
    "/dashboard/{asset}": ("PagesFunction", {"GET"}),
    "/reference": ("PagesFunction", {"GET"}),
}
# Files of the dashboard: nothing of anybody's, and needed before anybody can sign in. And reports
# of leaked keys: whoever finds one may say so, GitHub signs what it sends, and nobody is told.
PUBLIC = {"/dashboard", "/dashboard/{asset}", "/reference", "/leaks", "/leaks/github"}
METHODS = [(path, name) for path, name, _ in deployed().methods()]
PREFLIGHT = "method.response.header.Access-Control-Allow-"


def method_of(path: str, name: str) -> dict[str, object]:
    (found,) = (m for p, n, m in deployed().methods() if (p, n) == (path, name))
    return found


def test_the_routes_are_those_of_the_contract_with_any_and_options_besides() -> None:
    found: dict[str, set[str]] = {}
    for path, name in METHODS:
        found.setdefault(path, set()).add(name)
    assert found == {path: {*names, "ANY", "OPTIONS"} for path, (_, names) in ROUTES.items()}


@pytest.mark.parametrize(("path", "name"), [m for m in METHODS if m[1] != "OPTIONS"])
def test_every_method_needs_the_authorizer_and_a_key(path: str, name: str) -> None:
    """A usage plan's key, that is; those of public files and of reports alone need neither."""
    needs = method_of(path, name)["security"]
    assert needs == ([] if path in PUBLIC else [{AUTHORIZER: []}, {"api_key": []}])


@pytest.mark.parametrize("path", ROUTES)
def test_a_preflight_needs_neither_authorizer_nor_key_and_reaches_no_function(path: str) -> None:
    preflight = method_of(path, "OPTIONS")
    assert "security" not in preflight
    assert deployed().definition.get("security") is None
    assert preflight["x-amazon-apigateway-integration"]["type"] == "mock"  # type: ignore[index]


@pytest.mark.parametrize(("path", "name"), [m for m in METHODS if m[1] != "OPTIONS"])
def test_every_method_of_a_route_reaches_the_routes_one_function(path: str, name: str) -> None:
    integration = method_of(path, name)["x-amazon-apigateway-integration"]
    function = ROUTES[path][0]
    assert integration == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": (
            "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/"
            f"arn:aws:lambda:eu-central-1:123456789012:function:gate-{function}:live/invocations"
        ),
    }


def test_no_route_is_greedy_since_routes_tell_the_needed_scope() -> None:
    assert not [path for path, _ in METHODS if "+}" in path or "proxy" in path]


def test_every_request_with_an_authorization_header_asks_the_authorizer_uncached() -> None:
    (scheme,) = (
        scheme
        for scheme in deployed().definition["components"]["securitySchemes"].values()
        if "x-amazon-apigateway-authorizer" in scheme
    )
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert authorizer["authorizerResultTtlInSeconds"] == 0
    assert authorizer["identitySource"] == "method.request.header.Authorization"
    assert authorizer["type"] == "request"
    assert "function:gate-AuthorizerFunction:live/" in authorizer["authorizerUri"]


def test_usage_plan_keys_are_named_by_the_authorizer_never_by_the_client() -> None:
    assert deployed().one("AWS::ApiGateway::RestApi")["ApiKeySourceType"] == "AUTHORIZER"


def test_api_gateway_may_call_each_function_for_this_api_only() -> None:
    stack = deployed()
    sources: dict[str, set[str]] = {}
    for permission in stack.of("AWS::Lambda::Permission").values():
        assert permission["Action"] == "lambda:InvokeFunction"
        if permission["Principal"] == "apigateway.amazonaws.com":
            name = permission["FunctionName"].split(":", 6)[-1]
            sources.setdefault(name, set()).add(permission["SourceArn"])
    assert set(sources) == {
        "gate-AuthorizerFunction:live",
        "gate-ManagementFunction:live",
        "gate-BoardsFunction:live",
        "gate-PagesFunction:live",
        "gate-LeaksFunction:live",
    }
    others = "arn:aws:execute-api:eu-central-1:123456789012:*/authorizers/*"
    sources["gate-AuthorizerFunction:live"].remove(others)  # tests/template/test_other_stacks.py
    for arn in set().union(*sources.values()):
        assert re.match(r"arn:aws:execute-api:eu-central-1:123456789012:gate-Api/", arn), arn


def test_the_only_stage_is_v1_and_throttles_every_method() -> None:
    given = {"StageRateLimit": "50", "StageBurstLimit": "70", "Tracing": "active"}
    stage = deployed(**given).one("AWS::ApiGateway::Stage")
    assert stage["StageName"] == "v1"
    assert stage["TracingEnabled"] is True
    assert deployed().one("AWS::ApiGateway::Stage")["TracingEnabled"] is False
    setting = stage["MethodSettings"][0]
    assert (setting["ResourcePath"], setting["HttpMethod"]) == ("/*", "*")
    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == ("50", "70")


def test_reports_that_anybody_may_send_have_a_throttle_of_their_own() -> None:
    settings = deployed().one("AWS::ApiGateway::Stage")["MethodSettings"][1:]
    assert [(s["ResourcePath"], s["HttpMethod"]) for s in settings] == [
        ("/~1leaks", "POST"),
        ("/~1leaks~1github", "POST"),
    ]
    assert all(s["ThrottlingRateLimit"] <= 20 >= s["ThrottlingBurstLimit"] / 2 for s in settings)


def test_execution_logs_which_quote_credentials_stay_off() -> None:
    for setting in deployed().one("AWS::ApiGateway::Stage")["MethodSettings"]:
        assert setting["LoggingLevel"] == "OFF"
        assert setting["DataTraceEnabled"] is False


@pytest.mark.parametrize("origin", ["*", "https://app.example.com"])
@pytest.mark.parametrize("path", ROUTES)
def test_a_preflight_lets_the_allowed_origin_send_credentials_and_json(
    path: str, origin: str
) -> None:
    item = deployed(AllowedOrigin=origin).definition["paths"][path]
    answer = item["options"]["x-amazon-apigateway-integration"]["responses"]["default"]
    headers = answer["responseParameters"]
    assert headers[PREFLIGHT + "Origin"] == f"'{origin}'"
    assert headers[PREFLIGHT + "Headers"] == "'Authorization,Content-Type,Idempotency-Key'"
    allowed = set(headers[PREFLIGHT + "Methods"].strip("'").split(","))
    assert allowed >= ROUTES[path][1] | {"HEAD", "OPTIONS"}
    assert set(item["options"]["responses"]["200"]["headers"]) == {
        name.removeprefix("method.response.header.") for name in headers
    }


def test_answers_worth_it_are_compressed() -> None:
    assert 0 < deployed().one("AWS::ApiGateway::RestApi")["MinimumCompressionSize"] <= 4096


def test_each_deployment_reaches_the_stage_although_parameters_stand_in_the_definition() -> None:
    api = deployed().raw["Resources"]["Api"]["Properties"]
    assert api["AlwaysDeploy"] is True
