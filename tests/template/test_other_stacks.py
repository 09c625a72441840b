"""What other stacks may use of this one, and examples that cannot drift from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_auth.guard import EXPOSED_HEADERS
from chatgrid_devkit.stack.system import TEMPLATE
from chatgrid_devkit.template.expansion import expand, load
from tests.support.stack.templates import deployed

EXAMPLES = TEMPLATE.parent / "examples"
LAYER = "arn:aws:lambda:eu-central-1:123456789012:layer:auth:7"
BOTH = pytest.mark.parametrize("example", ["other-stack", "http-api"])
ROLE = "AuthorizerInvokeRole"


def expanded(example: str) -> dict[str, Any]:
    template = EXAMPLES / example / "template.yaml"
    return expand(template, parameters={"AuthLayerArn": LAYER}, region="eu-central-1")


def of_type(example: str, kind: str) -> list[dict[str, Any]]:
    found = expanded(example)["Resources"].values()
    return [resource["Properties"] for resource in found if resource["Type"] == kind]


def imports_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        if "Fn::ImportValue" in value:
            return {value["Fn::ImportValue"]["Fn::Sub"].rsplit("-", 1)[-1]}
        return set().union(*(imports_in(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(imports_in(part) for part in value))
    return set()


def test_what_is_exported_is_the_same_after_every_release() -> None:
    """An export cannot change while somebody imports it: a layer's ARN would hold up releases."""
    outputs = deployed().raw["Outputs"]
    exported = {name for name, output in outputs.items() if "Export" in output}
    assert exported == {
        "AuthorizerArn",
        "AuthorizerInvokeRoleArn",
        "StandardTierKeyId",
        "WebTierKeyId",
        "LimitedTierKeyId",
    }
    for name in exported:
        assert outputs[name]["Export"]["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}
    assert "AuthLayerArn" in outputs


def test_what_is_called_for_other_stacks_is_the_authorizers_alias() -> None:
    outputs = deployed().outputs
    assert outputs["AuthorizerArn"].endswith(":function:gate-AuthorizerFunction:live")


def test_api_gateway_takes_the_role_to_call_the_authorizer_and_nothing_else() -> None:
    role = deployed().resources[ROLE]
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "apigateway.amazonaws.com"}
    (policy,) = role["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "lambda:InvokeFunction"
    assert statement["Resource"] == deployed().outputs["AuthorizerArn"]


@pytest.mark.parametrize(
    ("parameters", "accounts"),
    [
        ({}, {"123456789012"}),
        ({"OtherAccount": "111111111111"}, {"123456789012", "111111111111"}),
        ({"SecondOtherAccount": "222222222222"}, {"123456789012", "222222222222"}),
    ],
)
def test_only_authorizers_of_named_accounts_call_it(
    parameters: dict[str, str], accounts: set[str]
) -> None:
    permissions = deployed(**parameters).of("AWS::Lambda::Permission").values()
    sources = {str(permission.get("SourceArn")) for permission in permissions}
    others = {source for source in sources if source.endswith(":*/authorizers/*")}
    assert others == {
        f"arn:aws:execute-api:eu-central-1:{account}:*/authorizers/*" for account in accounts
    }


@BOTH
def test_an_example_imports_only_what_is_exported(example: str) -> None:
    outputs = deployed().raw["Outputs"]
    imported = imports_in(expanded(example)["Resources"])
    assert {"AuthorizerArn", "AuthorizerInvokeRoleArn"} <= imported
    assert imported <= {name for name, output in outputs.items() if "Export" in output}


def test_the_rest_example_responds_as_the_gate_does() -> None:
    """Its gateway responses, key source, preflight and authorizer are the main template's."""
    own = load(EXAMPLES / "other-stack" / "template.yaml")["Resources"]["Api"]["Properties"]
    gate = load(TEMPLATE)["Resources"]["Api"]["Properties"]
    throttled = gate["GatewayResponses"]["THROTTLED"]["ResponseParameters"]["Headers"]
    # The example's limited plan is open, as the gate's is unless it is asked to refuse at the edge.
    throttled["Retry-After"] = throttled["Retry-After"]["Fn::If"][2]
    same = ("GatewayResponses", "ApiKeySourceType", "StageName", "OpenApiVersion", "AlwaysDeploy")
    for name in same:
        assert own[name] == gate[name], name
    for name, value in gate["Auth"].items():
        if name not in {"DefaultAuthorizer", "Authorizers"}:
            assert own["Auth"][name] == value, name
    (mine,) = own["Auth"]["Authorizers"].values()
    (theirs,) = gate["Auth"]["Authorizers"].values()
    assert mine["FunctionPayloadType"] == theirs["FunctionPayloadType"] == "REQUEST"
    assert mine["Identity"] == theirs["Identity"]


def test_every_method_of_the_rest_example_asks_the_authorizer() -> None:
    (api,) = of_type("other-stack", "AWS::ApiGateway::RestApi")
    methods = {
        (path, name): operation
        for path, item in api["Body"]["paths"].items()
        for name, operation in item.items()
        if name not in {"options", "parameters"}
    }
    assert len(methods) == 5
    for operation in methods.values():
        assert operation["security"] == [{"ChatGrid": []}, {"api_key": []}] or operation[
            "security"
        ] == [{"ChatGrid": [], "api_key": []}]


def test_each_tiers_gateway_key_has_a_plan_of_the_example() -> None:
    members = of_type("other-stack", "AWS::ApiGateway::UsagePlanKey")
    keys = {
        member["UsagePlanId"]["Ref"].removesuffix("UsagePlan"): imports_in(member["KeyId"])
        for member in members
    }
    assert keys == {tier: {f"{tier}TierKeyId"} for tier in ("Standard", "Web", "Limited")}
    for plan in of_type("other-stack", "AWS::ApiGateway::UsagePlan"):
        assert json.dumps(plan["ApiStages"]).count('"Ref": "Api"') == 1


def test_every_route_of_the_http_example_asks_the_authorizer() -> None:
    (api,) = of_type("http-api", "AWS::ApiGatewayV2::Api")
    (scheme,) = api["Body"]["components"]["securitySchemes"].values()
    setting = scheme["x-amazon-apigateway-authorizer"]
    assert setting["authorizerPayloadFormatVersion"] == "2.0"
    assert setting["enableSimpleResponses"] is True
    assert setting["authorizerResultTtlInSeconds"] == 0
    assert not setting.get("identitySource"), "a request without one needs the contract's 401"
    for item in api["Body"]["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"ChatGrid": []}]


def test_a_page_may_read_of_the_http_example_what_the_guard_tells() -> None:
    """An HTTP API's own CORS setting takes the place of what the guard sends."""
    (api,) = of_type("http-api", "AWS::ApiGatewayV2::Api")
    shown = set(api["Body"]["x-amazon-apigateway-cors"]["exposeHeaders"])
    assert shown == set(EXPOSED_HEADERS.split(", ")) - {"Idempotency-Replayed"}


def test_the_http_example_says_that_each_of_its_functions_has_a_guard() -> None:
    (stage,) = of_type("http-api", "AWS::ApiGatewayV2::Stage")
    assert stage["StageVariables"] == {"chatgrid": "guarded"}
    folder = EXAMPLES / "http-api"
    for code in (folder / "python" / "invoices.py", folder / "node" / "orders.mjs"):
        assert "guarded(" in code.read_text()
    assert len(of_type("http-api", "AWS::Lambda::Function")) == 2


def test_both_examples_run_the_same_functions() -> None:
    for name in ("python/invoices.py", "node/orders.mjs", "node/package.json"):
        ours, others = (EXAMPLES / example / name for example in ("other-stack", "http-api"))
        assert ours.read_text() == others.read_text()
