"""Nothing secret stands in the template, in an environment, or in an access log."""

from __future__ import annotations

import json
import re

import pytest

from tests.support.stack.templates import FUNCTIONS, TEMPLATE, deployed

ACCESS_LOG_FIELDS = {
    "$context.requestId",
    "$context.requestTimeEpoch",
    "$context.identity.sourceIp",
    "$context.httpMethod",
    "$context.resourcePath",
    "$context.protocol",
    "$context.status",
    "$context.responseLatency",
    "$context.integration.status",
    "$context.integrationLatency",
    "$context.authorizer.status",
    "$context.authorizer.latency",
    "$context.authorizer.principalId",
    "$context.authorizer.verdict",
    "$context.authorizer.reason",
    "$context.authorizer.key_id",
    "$context.error.responseType",
    "$context.xrayTraceId",
}


def test_the_template_holds_no_key_no_token_and_no_account() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert not re.search(r"cgk_(live|test)_", text)
    assert not re.search(r"\beyJ[A-Za-z0-9_-]{10,}", text)
    assert not re.search(r"\bAKIA[A-Z0-9]{16}\b", text)
    assert not re.search(r"\b[0-9]{12}\b", text)


def test_no_parameter_takes_a_secret_itself() -> None:
    for name, parameter in deployed().raw["Parameters"].items():
        assert "NoEcho" not in parameter, f"{name}: a secret belongs behind an ARN"
    assert deployed().raw["Parameters"]["JwtSecretArn"]["Default"] == ""


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_environment_names_secrets_by_their_arn_alone(function: str) -> None:
    variables = deployed().environment(function)
    # USAGE_KEY_*: values of the tiers' gateway keys, which open nothing, since the API takes its
    # key from the authorizer and never from a client.
    secretive = {n for n in variables if re.search(r"SECRET|TOKEN|PASSWORD|PRIVATE|CREDENTIAL", n)}
    assert secretive <= {
        "JWT_SECRET_ARN",
        "TOKEN_SECRET_ARN",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
    }


def test_the_access_log_is_one_json_line_of_known_fields_without_credentials() -> None:
    stage = deployed(AccessLog="existing-role").one("AWS::ApiGateway::Stage")
    log = stage["AccessLogSetting"]["Format"]
    assert "\n" not in log
    assert set(re.findall(r"\$context\.[A-Za-z_.]+", log)) == ACCESS_LOG_FIELDS
    assert set(json.loads(log).values()) == ACCESS_LOG_FIELDS


def test_a_first_deployment_has_no_access_log() -> None:
    """The account may have no role for it."""
    stack = deployed()
    assert "AccessLogSetting" not in stack.one("AWS::ApiGateway::Stage")
    assert "AccessLogs" not in stack.resources


def test_the_accounts_log_role_changes_on_request_and_outlives_the_stack() -> None:
    assert not deployed().of("AWS::ApiGateway::Account")
    asked = deployed(AccessLog="create-role")
    assert asked.of("AWS::ApiGateway::Account")
    for name in ("ApiGatewayAccount", "ApiGatewayLogRole"):
        assert asked.expanded["Resources"][name]["DeletionPolicy"] == "Retain"


def test_the_api_waits_for_the_accounts_log_role_where_it_is_made() -> None:
    """By a reference: what DependsOn names has to be there under every condition."""
    api = deployed().expanded["Resources"]["Api"]
    assert api["Metadata"]["LogRole"]["Fn::If"][:2] == [
        "MakesLogRole",
        {"Ref": "ApiGatewayAccount"},
    ]
    resources = deployed().expanded["Resources"]
    named = {name for r in resources.values() for name in as_list(r.get("DependsOn", []))}
    assert named
    assert not [name for name in named if "Condition" in resources[name]]


def as_list(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
