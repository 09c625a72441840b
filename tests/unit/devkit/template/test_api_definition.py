"""The API is read from its definition as SAM writes it; what cannot run locally is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from chatgrid_devkit.template.api_definition import read_api
from chatgrid_devkit.template.description import Api, Throttle
from chatgrid_devkit.template.expansion import TemplateInvalid

ARN = "arn:aws:lambda:us-east-1:000000000000:function:gate"
FUNCTIONS = {ARN: "gate", ARN.replace("gate", "boards"): "boards"}
ANY = "x-amazon-apigateway-any-method"


def uri(name: str) -> str:
    arn = ARN.replace("gate", name)
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def proxy(**changes: Any) -> dict[str, Any]:
    integration = {"type": "aws_proxy", "uri": uri("boards"), **changes}
    return {
        "x-amazon-apigateway-integration": integration,
        "security": [{"Gate": []}, {"api_key": []}],
    }


BODY: dict[str, Any] = {
    "paths": {"/boards": {"get": proxy(), ANY: proxy(), "parameters": []}},
    "components": {
        "securitySchemes": {
            "Gate": {
                "name": "Authorization",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": uri("gate"),
                    "authorizerResultTtlInSeconds": 0,
                    "identityValidationExpression": "^Bearer .+$",
                },
            },
            "api_key": {"name": "x-api-key"},
        }
    },
}
STAGE = ("AWS::ApiGateway::Stage", {"StageName": "v1"})


def read(body: Any = BODY, *, stage: Any = None, **more: Any) -> Api:
    resources = {
        "Api": ("AWS::ApiGateway::RestApi", {"Body": body, "ApiKeySourceType": "AUTHORIZER"}),
        "Stage": (STAGE[0], {**STAGE[1], **(stage or {})}),
        **more,
    }
    return read_api(resources, functions=FUNCTIONS)


def test_methods_are_read_and_other_parts_of_a_path_are_not() -> None:
    assert [(route.method, route.function) for route in read().routes] == [
        ("GET", "boards"),
        ("ANY", "boards"),
    ]


def test_a_token_authorizer_is_read_with_its_header_and_expression() -> None:
    (gate,) = read().authorizers.values()
    assert (gate.kind, gate.identity_headers) == ("TOKEN", ("Authorization",))
    assert gate.validation == "^Bearer .+$"
    assert gate.function == "gate"


def test_an_alias_of_a_function_is_the_function() -> None:
    body = copy.deepcopy(BODY)
    integration = body["paths"]["/boards"]["get"]["x-amazon-apigateway-integration"]
    integration["uri"] = integration["uri"].replace("boards/", "boards:live/")
    assert read(body).routes[0].function == "boards"


def test_the_api_s_own_security_serves_methods_without_any() -> None:
    body = copy.deepcopy(BODY)
    del body["paths"]["/boards"]["get"]["security"]
    route = read({**body, "security": [{"Gate": []}]}).routes[0]
    assert (route.authorizer, route.key_required) == ("Gate", False)
    assert read(body).routes[0].authorizer is None


def test_only_a_throttle_of_the_whole_stage_counts() -> None:
    everything = {
        "ResourcePath": "/*",
        "HttpMethod": "*",
        "ThrottlingRateLimit": "5",
        "ThrottlingBurstLimit": 7,
    }
    expected = Throttle(rate_per_second=5.0, burst=7)
    assert read(stage={"MethodSettings": [everything]}).throttle == expected
    for other in ({**everything, "ResourcePath": "/~1boards"}, {**everything, "HttpMethod": "GET"}):
        assert read(stage={"MethodSettings": [other]}).throttle is None
    assert read().throttle is None


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ({"paths": {"/boards": {"get": proxy(type="http")}}}, "only Lambda proxy"),
        ({"paths": {"/boards": {"get": proxy(uri=uri("other"))}}}, "names no function"),
        ({"paths": {"/boards": {"get": proxy(uri="arn:aws:sqs")}}}, "names no function"),
        (None, "not part of the template"),
    ],
)
def test_an_integration_that_cannot_run_is_refused(broken: Any, reason: str) -> None:
    with pytest.raises(TemplateInvalid, match=reason):
        read(broken and {**BODY, **broken})


def test_one_api_with_one_stage_is_what_runs() -> None:
    with pytest.raises(TemplateInvalid, match="one REST API"):
        read(Second=("AWS::ApiGateway::RestApi", {"Body": BODY}))
    with pytest.raises(TemplateInvalid, match="one stage"):
        read(Second=STAGE)
