"""The operator's command on a stack that CloudFormation made, in the embedded AWS.

Code goes up empty: what the functions do is other tests' business.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from typer.testing import CliRunner, Result

from chatgrid_auth.domain.keys import is_well_formed
from chatgrid_cli.main import app
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.template.expansion import load
from tests.support.aws import ACCESS_KEY, VARIABLES

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
STACK, BUCKET = "operated", "code"
SERVICES = (
    *("apigateway", "cloudformation", "dynamodb", "events", "iam", "lambda", "logs"),
    *("monitoring", "s3", "sts"),
)
PATIENCE_SECONDS = 90.0


def client(endpoint: str, service: str) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id=VARIABLES["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
    )


def deploy(endpoint: str) -> None:
    s3 = client(endpoint, "s3")
    s3.create_bucket(Bucket=BUCKET)
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("README", "")
    s3.put_object(Bucket=BUCKET, Key="empty", Body=target.getvalue())
    template = load(TEMPLATE)
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & set(properties):
            properties[name] = f"s3://{BUCKET}/empty"
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    formation = client(endpoint, "cloudformation")
    formation.create_stack(
        StackName=STACK,
        TemplateURL=f"{endpoint}/{BUCKET}/template.json",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        (stack,) = formation.describe_stacks(StackName=STACK)["Stacks"]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            return
        assert stack["StackStatus"] == "CREATE_IN_PROGRESS", stack
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with Ministack(
        tmp_path_factory.mktemp("operated"), services=SERVICES, access_key=ACCESS_KEY
    ) as running:
        deploy(running.endpoint)
        yield running.endpoint


@pytest.fixture
def chatgrid(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command as on AWS: by credentials, Region and the stack's name alone."""
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("CHATGRID_STACK_NAME", STACK)
    return lambda *arguments, **more: CliRunner().invoke(app, arguments, **more)


def findings(chatgrid: Callable[..., Result], *, exit_code: int = 0) -> dict[str, list[str]]:
    """The statuses that each of the doctor's checks gave."""
    result = chatgrid("doctor", "--json")
    assert result.exit_code == exit_code, result.output
    found: dict[str, list[str]] = {}
    for finding in json.loads(result.stdout)["data"]["findings"]:
        assert (finding["advice"] is None) == (finding["status"] in {"ok", "skipped"}), finding
        found.setdefault(finding["check"], []).append(finding["status"])
    return found


def test_a_fresh_deployment_is_in_order(
    chatgrid: Callable[..., Result],
) -> None:
    """What cannot be seen here is said."""
    found = findings(chatgrid)
    # The embedded AWS drops these on the way from the template.
    unseen = [
        *("point-in-time recovery", "time to live", "key source", "gateway responses"),
        *("access log", "routes"),
    ]
    assert {check for check in unseen if set(found.pop(check)) == {"skipped"}} == set(unseen)
    assert found == {
        "stack": ["ok"],
        "outputs": ["ok"],
        "settings": ["ok"],
        "rate limits": ["ok"],
        "lifetimes": ["ok"],
        "leaks": ["ok"],
        "JWTs": ["warn"],
        "functions": ["ok"] * 8,
        "tables": ["ok"] * 5,
        "deletion protection": ["ok"] * 2,
        "reconciler queue": ["ok"],
        "rules of keys": ["ok"],
        "authorizer cache": ["ok"],
        "methods": ["ok"],
        "authorizer alias": ["ok"],
        "versions": ["ok"],
        "compression": ["ok"],
        "usage plans": ["ok"] * 3,
        "tier keys": ["ok"] * 3,
        "alarms": ["warn"],
        "from outside": ["skipped"],
    }


def test_what_somebody_changed_by_hand_is_found(
    endpoint: str, chatgrid: Callable[..., Result]
) -> None:
    gateway, lambdas = client(endpoint, "apigateway"), client(endpoint, "lambda")
    (stack,) = client(endpoint, "cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    outputs = {entry["OutputKey"]: entry["OutputValue"] for entry in stack["Outputs"]}
    api = outputs["ApiId"]
    (authorizer,) = gateway.get_authorizers(restApiId=api)["items"]

    def remember(seconds: int) -> None:
        gateway.update_authorizer(
            restApiId=api,
            authorizerId=authorizer["id"],
            patchOperations=[
                {"op": "replace", "path": "/authorizerResultTtlInSeconds", "value": str(seconds)}
            ],
        )

    (tier_key,) = gateway.get_usage_plan_keys(usagePlanId=outputs["WebUsagePlanId"])["items"]

    def enable(value: str) -> None:
        gateway.update_api_key(
            apiKey=tier_key["id"],
            patchOperations=[{"op": "replace", "path": "/enabled", "value": value}],
        )

    name = outputs["AuthorizerFunctionName"]
    variables = lambdas.get_function_configuration(FunctionName=name)["Environment"]["Variables"]

    def tell(**changed: str) -> None:
        lambdas.update_function_configuration(
            FunctionName=name, Environment={"Variables": {**variables, **changed}}
        )

    try:
        remember(300)
        enable("false")
        tell(KEYS_TABLE="another", ALLOW_IMPORTED_KEYS="true")
        found = findings(chatgrid, exit_code=1)
    finally:
        remember(0)
        enable("true")
        tell()
    assert found["authorizer cache"] == ["fail"]
    assert found["tier keys"] == ["ok", "fail", "ok"]
    assert found["settings"] == ["fail"]
    assert found["imported keys"] == ["warn"]
    assert found["methods"] == ["ok"]


def test_a_fresh_stack_gets_its_first_admin_key_once(
    chatgrid: Callable[..., Result], tmp_path: Path
) -> None:
    assert chatgrid("keys", "list").stderr.startswith("No keys yet: `chatgrid bootstrap`")
    made = chatgrid("bootstrap")
    assert made.exit_code == 0, made.output
    raw_key = made.stdout.strip()
    assert is_well_formed(raw_key)
    assert raw_key not in made.stderr
    verdict = chatgrid("verify", "--scope", "admin", "--json", input=raw_key + "\n")
    assert json.loads(verdict.stdout)["data"]["outcome"] == "allowed"
    again = chatgrid("bootstrap", "--out", str(tmp_path / "key"))
    assert (again.exit_code, again.stdout) == (1, "")
    assert "has keys already" in again.stderr
    assert not (tmp_path / "key").exists()


def test_a_stack_that_is_not_there_is_said_to_be_absent(chatgrid: Callable[..., Result]) -> None:
    result = chatgrid("keys", "list", "--stack-name", "nowhere", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["code"] == "no_stack"
