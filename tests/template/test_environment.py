"""Each function gets the variables that it reads, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chatgrid_auth.adapters.awslite.fetch import TIMEOUT_SECONDS
from tests.support.stack.templates import FUNCTIONS, ROOT, deployed

VARIABLE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
# Lambda sets these itself, and the local run for an emulator; a template must not.
LAMBDAS_OWN = re.compile(r"AWS_|_X_AMZN_|LAMBDA_")
# AWS's own tools read these; the lean client has to be told, boto3 of FIPS only.
LEAN_ENDPOINTS = {
    "AWS_ENDPOINT_URL_DYNAMODB": "dynamodb",
    "AWS_ENDPOINT_URL_SECRETS_MANAGER": "secretsmanager",
    "AWS_ENDPOINT_URL_SSM": "ssm",
}
#: Those that call AWS by the lean client.
LEAN = {
    "AuthorizerFunction",
    "BoardsFunction",
    "EventsFunction",
    "ManagementFunction",
    "PagesFunction",
    "UsageFunction",
}
EVENTS_ENDPOINT = {"AWS_ENDPOINT_URL_EVENTBRIDGE"}
DYNAMODB = "AWS_ENDPOINT_URL_DYNAMODB"
AWS_OWN = {function: {"AWS_USE_FIPS_ENDPOINT", DYNAMODB} for function in FUNCTIONS} | {
    "AuthorizerFunction": set(LEAN_ENDPOINTS),
    "EventsFunction": EVENTS_ENDPOINT,
    "UsageFunction": {DYNAMODB},
    "BoardsFunction": {DYNAMODB},
    "ManagementFunction": {DYNAMODB, "AWS_ENDPOINT_URL_SECRETS_MANAGER"},
    "PagesFunction": set(),
}
# Read by the platform's resolver, which looks names up for the function, and by Pydantic.
LIBRARIES_OWN = {"AuthorizerFunction": {"RES_OPTIONS"}} | {
    f"{function}Function": {"PYDANTIC_DISABLE_PLUGINS"}
    for function in ("Boards", "Leaks", "Management")
}
LAYER = ROOT / "layers" / "auth"


def read_by(folder: str) -> set[str]:
    """The variables that a wiring names, and those of the modules that it hands its environ to."""
    wiring = ROOT / "functions" / folder / f"chatgrid_{folder}" / "wiring.py"
    found = names_in(wiring)
    for module in handed_the_environment(wiring):
        found |= names_in(module)
    return {name for name in found if not LAMBDAS_OWN.match(name)}


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = {str(n.value) for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return {text for text in texts if VARIABLE.fullmatch(text)}


def handed_the_environment(wiring: Path) -> set[Path]:
    tree = ast.parse(wiring.read_text(encoding="utf-8"))
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        for argument in node.args
        if isinstance(argument, ast.Name) and argument.id == "environ"
    }
    return {
        LAYER / f"{(node.module or '').replace('.', '/')}.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and (node.module or "").startswith("chatgrid_auth.")
        and called & {name.asname or name.name for name in node.names}
    }


@pytest.mark.parametrize(("function", "folder"), FUNCTIONS.items())
def test_the_template_sets_exactly_the_variables_that_the_wiring_reads(
    function: str, folder: str
) -> None:
    assert set(deployed().environment(function)) - AWS_OWN[function] == (
        read_by(folder) | LIBRARIES_OWN.get(function, set())
    )


def test_a_silent_name_server_takes_no_longer_than_a_fetch() -> None:
    """A decision waits for it no longer than for a fetch."""
    options = dict(
        option.split(":")
        for option in deployed().environment("AuthorizerFunction")["RES_OPTIONS"].split()
    )
    assert set(options) == {"timeout", "attempts"}
    assert int(options["timeout"]) * int(options["attempts"]) <= TIMEOUT_SECONDS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_variable_is_lambdas_own_or_points_at_an_emulator(function: str) -> None:
    found = {name for name in deployed().environment(function) if LAMBDAS_OWN.match(name)}
    assert found == AWS_OWN[function]


@pytest.mark.parametrize(("variable", "service"), LEAN_ENDPOINTS.items())
def test_the_lean_client_is_told_the_partitions_own_endpoint(variable: str, service: str) -> None:
    named = deployed().environment("AuthorizerFunction")[variable]
    assert named == f"https://{service}.eu-central-1.amazonaws.com"
    variables = deployed().raw["Resources"]["AuthorizerFunction"]["Properties"]["Environment"]
    assert ".${AWS::URLSuffix}" in variables["Variables"][variable]["Fn::Sub"][0]
    fips = deployed(FipsEndpoints="true").environment("AuthorizerFunction")[variable]
    assert fips == f"https://{service}-fips.eu-central-1.amazonaws.com"


def test_fips_endpoints_are_asked_for_by_every_function_or_none() -> None:
    for given in ("true", "false"):
        for function in set(FUNCTIONS) - LEAN:
            variables = deployed(FipsEndpoints=given).environment(function)
            assert variables["AWS_USE_FIPS_ENDPOINT"] == given


#: Parameter, a value that neither its default nor another parameter has, function, variable.
REACHES = [
    ("AllowedOrigin", "https://app.example.com", "ManagementFunction", "ALLOWED_ORIGIN"),
    ("AllowedOrigin", "https://app.example.com", "BoardsFunction", "ALLOWED_ORIGIN"),
    ("SupabaseUrl", "https://p.supabase.co", "AuthorizerFunction", "SUPABASE_URL"),
    ("SupabaseUrl", "https://p.supabase.co", "PagesFunction", "SUPABASE_URL"),
    ("SupabasePublishableKey", "sb_pub", "PagesFunction", "SUPABASE_PUBLISHABLE_KEY"),
    ("DashboardName", "Acme", "PagesFunction", "DASHBOARD_NAME"),
    ("DashboardLogoUrl", "https://a.b/c.svg", "PagesFunction", "DASHBOARD_LOGO_URL"),
    (
        "DashboardDocumentationUrl",
        "https://a.b",
        "PagesFunction",
        "DASHBOARD_DOCUMENTATION_URL",
    ),
    ("JwtAudience", "web", "AuthorizerFunction", "JWT_AUDIENCE"),
    ("JwtAlgorithms", "ES256", "AuthorizerFunction", "JWT_ALGORITHMS"),
    ("JwtSecretArn", "arn:of:it", "AuthorizerFunction", "JWT_SECRET_ARN"),
    ("JwtAcceptAnonymous", "true", "AuthorizerFunction", "JWT_ACCEPT_ANONYMOUS"),
    ("JwtLeewaySeconds", "2", "AuthorizerFunction", "JWT_LEEWAY_SECONDS"),
    ("JwksMaxAgeSeconds", "700", "AuthorizerFunction", "JWKS_MAX_AGE_SECONDS"),
    ("LoadJwtAtStart", "true", "AuthorizerFunction", "LOAD_JWT_AT_START"),
    ("RateLimitDefault", "60", "ManagementFunction", "RATE_LIMIT_DEFAULT"),
    ("RateLimitCeiling", "90", "ManagementFunction", "RATE_LIMIT_CEILING"),
    ("KeysPerUser", "3", "ManagementFunction", "KEYS_PER_USER"),
    ("KeyCreationsPerHour", "7", "ManagementFunction", "KEY_CREATIONS_PER_HOUR"),
    ("KeyLifetimeDefaultSeconds", "8", "ManagementFunction", "KEY_LIFETIME_DEFAULT_SECONDS"),
    ("KeyLifetimeCeilingSeconds", "9", "ManagementFunction", "KEY_LIFETIME_CEILING_SECONDS"),
    ("KeyLifetimeDefaultSeconds", "8", "PagesFunction", "KEY_LIFETIME_DEFAULT_SECONDS"),
    ("KeyLifetimeCeilingSeconds", "9", "PagesFunction", "KEY_LIFETIME_CEILING_SECONDS"),
    ("RevokedRetentionDays", "31", "ManagementFunction", "REVOKED_RETENTION_DAYS"),
    ("AllowImportedKeys", "true", "AuthorizerFunction", "ALLOW_IMPORTED_KEYS"),
    ("FailedAttemptsPerMinute", "11", "AuthorizerFunction", "FAILED_ATTEMPTS_PER_MINUTE"),
    ("OwnGatewayKeys", "false", "ManagementFunction", "OWN_GATEWAY_KEYS"),
    ("OwnGatewayKeys", "false", "ReconcilerFunction", "OWN_GATEWAY_KEYS"),
    ("ReconcilerDryRun", "true", "ReconcilerFunction", "DRY_RUN"),
    ("GatewayKeyCeiling", "70", "ReconcilerFunction", "GATEWAY_KEY_CEILING"),
    (
        "ControlPlaneCallsPerSecond",
        "2",
        "ReconcilerFunction",
        "CONTROL_PLANE_CALLS_PER_SECOND",
    ),
    ("LogLevel", "DEBUG", "ManagementFunction", "POWERTOOLS_LOG_LEVEL"),
]


@pytest.mark.parametrize(("parameter", "value", "function", "variable"), REACHES)
def test_a_parameter_reaches_the_function_that_it_is_for(
    parameter: str, value: str, function: str, variable: str
) -> None:
    assert deployed().raw["Parameters"][parameter]["Default"] != value
    stack = deployed(**{parameter: value for parameter, value, *_ in REACHES})
    assert stack.environment(function)[variable] == value


def test_the_defaults_are_those_of_the_contract() -> None:
    management = deployed().environment("ManagementFunction")
    assert management["RATE_LIMIT_DEFAULT"] == "120"
    authorizer = deployed().environment("AuthorizerFunction")
    assert authorizer["JWT_ACCEPT_ANONYMOUS"] == "false"
    assert authorizer["ALLOW_IMPORTED_KEYS"] == "false"
    assert authorizer["JWT_SECRET_ARN"] == ""
    assert int(authorizer["JWT_LEEWAY_SECONDS"]) <= 5


@pytest.mark.parametrize("function", FUNCTIONS)
def test_metrics_of_every_function_lie_in_the_stacks_one_namespace(function: str) -> None:
    environment = deployed().environment(function)
    names = {"METRICS_NAMESPACE", "POWERTOOLS_METRICS_NAMESPACE"} & set(environment)
    counts_nothing = function in {"EventsFunction", "UsageFunction", "PagesFunction"}
    assert {environment[name] for name in names} == (set() if counts_nothing else {"ChatGrid/gate"})


@pytest.mark.parametrize(("fips", "host"), [("false", "events"), ("true", "events-fips")])
def test_the_events_function_is_told_of_eventbridges_endpoint(fips: str, host: str) -> None:
    told = deployed(FipsEndpoints=fips).environment("EventsFunction")
    assert told["AWS_ENDPOINT_URL_EVENTBRIDGE"] == f"https://{host}.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(("fips", "host"), [("false", "dynamodb"), ("true", "dynamodb-fips")])
def test_the_usage_function_is_told_of_dynamodbs_endpoint(fips: str, host: str) -> None:
    told = deployed(FipsEndpoints=fips).environment("UsageFunction")
    assert told["AWS_ENDPOINT_URL_DYNAMODB"] == f"https://{host}.eu-central-1.amazonaws.com"
