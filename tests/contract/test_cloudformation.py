"""The stack goes up, changes and comes down through CloudFormation, and leaves nothing but data.

The embedded AWS plays CloudFormation. Third-party layers go up empty: what is in them is no
business of CloudFormation's.
"""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import boto3
import pytest

from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.template.expansion import load
from tests.support.aws import ACCESS_KEY, VARIABLES

ROOT = Path(__file__).parents[2]
STACK = "gate"
BUCKET = "code"
SERVICES = (
    "apigateway",
    "cloudformation",
    "dynamodb",
    "events",
    "iam",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "sts",
)
CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
PATIENCE_SECONDS = 90.0
THIRD_PARTY = {"HttpLayer", "JwtLayer"}

Client = Any


class Cloud:
    """An embedded AWS with the template's code in a bucket."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.formation = self.client("cloudformation")

    def client(self, service: str) -> Client:
        # boto3's own types are known for two services only.
        make = cast("Any", boto3.client)
        return make(
            service,
            endpoint_url=self.endpoint,
            region_name="us-east-1",
            aws_access_key_id=VARIABLES["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        )

    def state(self) -> str:
        """The stack's status; ``GONE`` when there is none."""
        try:
            (stack,) = self.formation.describe_stacks(StackName=STACK)["Stacks"]
        except self.formation.exceptions.ClientError:
            return "GONE"
        return str(stack["StackStatus"])

    def wait(self, *, until: str) -> None:
        """Wait until the stack is in this state; any other that lasts is a failure."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self.state()) != until:
            assert state.endswith(("_IN_PROGRESS", "_CLEANUP")), self.reasons()
            assert time.monotonic() < deadline, f"still {state}"
            time.sleep(0.2)

    def reasons(self) -> list[str]:
        events = self.formation.describe_stack_events(StackName=STACK)["StackEvents"]
        return [
            f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason')}"
            for e in events
            if e["ResourceStatus"].endswith("FAILED")
        ]

    def outputs(self) -> dict[str, str]:
        (stack,) = self.formation.describe_stacks(StackName=STACK)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def left(self) -> dict[str, int]:
        """How many resources of each kind there are."""
        kinds = {
            "functions": ("lambda", "list_functions", "Functions"),
            "layers": ("lambda", "list_layers", "Layers"),
            "apis": ("apigateway", "get_rest_apis", "items"),
            "gateway keys": ("apigateway", "get_api_keys", "items"),
            "usage plans": ("apigateway", "get_usage_plans", "items"),
            "tables": ("dynamodb", "list_tables", "TableNames"),
            "log groups": ("logs", "describe_log_groups", "logGroups"),
            "roles": ("iam", "list_roles", "Roles"),
            "rules": ("events", "list_rules", "Rules"),
        }
        return {
            kind: len(getattr(self.client(service), operation)()[key])
            for kind, (service, operation, key) in kinds.items()
        }


def packed(logical_id: str, folder: str, scratch: Path) -> bytes:
    """What `sam build` makes of a folder, zipped; nothing for third-party layers."""
    artifacts = scratch / logical_id
    artifacts.mkdir()
    (artifacts / "README").write_text("", encoding="utf-8")  # no zip is empty
    if logical_id not in THIRD_PARTY:
        source = scratch / f"{logical_id}-source"
        shutil.copytree(ROOT / folder, source)
        subprocess.run(
            [
                "make",
                f"build-{logical_id}",
                f"ARTIFACTS_DIR={artifacts}",
                f"LAMBDA_PYTHON={sys.executable}",
            ],
            cwd=source,
            check=True,
            capture_output=True,
            timeout=60,
        )
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(artifacts.rglob("*")):
            archive.write(path, path.relative_to(artifacts))
    return target.getvalue()


def uploaded(cloud: Cloud, scratch: Path) -> str:
    """The address of the template, its code and itself uploaded."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    template = load(ROOT / "template.yaml")
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & set(properties):
            body = packed(logical_id, properties[name], scratch)
            s3.put_object(Bucket=BUCKET, Key=logical_id, Body=body)
            properties[name] = f"s3://{BUCKET}/{logical_id}"
    s3.put_object(Bucket=BUCKET, Key="template.json", Body=json.dumps(template).encode())
    return f"{cloud.endpoint}/{BUCKET}/template.json"


def parameters(**values: str) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Ministack(
        tmp_path_factory.mktemp("cloud"), services=SERVICES, access_key=ACCESS_KEY
    ) as running:
        yield Cloud(running.endpoint)


def test_the_stack_goes_up_changes_without_loss_and_leaves_its_data(
    cloud: Cloud, tmp_path: Path
) -> None:
    address = uploaded(cloud, tmp_path)
    before = cloud.left()

    cloud.formation.create_stack(
        StackName=STACK,
        TemplateURL=address,
        Capabilities=CAPABILITIES,
        Parameters=parameters(),
    )
    cloud.wait(until="CREATE_COMPLETE")
    made = cloud.outputs()
    check_what_runs(cloud, made, origin="*")
    keys = cloud.client("apigateway").get_api_keys(includeValues=True)["items"]
    item = {"pk": {"S": "KEY#0"}, "sk": {"S": "#"}}
    dynamodb = cloud.client("dynamodb")
    dynamodb.put_item(TableName=made["KeysTableName"], Item=item)

    cloud.formation.update_stack(
        StackName=STACK,
        TemplateURL=address,
        Capabilities=CAPABILITIES,
        Parameters=parameters(AllowedOrigin="https://app.example.com", StandardQuotaLimit="1000"),
    )
    cloud.wait(until="UPDATE_COMPLETE")
    check_what_runs(cloud, cloud.outputs(), origin="https://app.example.com")
    assert values_of(cloud.client("apigateway").get_api_keys(includeValues=True)) == {
        key["name"]: key["value"] for key in keys
    }
    kept = dynamodb.get_item(TableName=cloud.outputs()["KeysTableName"], Key=item)
    assert kept["Item"] == item

    cloud.formation.delete_stack(StackName=STACK)
    cloud.wait(until="GONE")
    assert dynamodb.get_item(TableName=made["KeysTableName"], Key=item)["Item"] == item
    tables = {made[f"{kind}TableName"] for kind in ("Keys", "Audit", "Boards")}
    assert set(dynamodb.list_tables()["TableNames"]) == tables
    assert cloud.left() == {**before, "tables": before["tables"] + len(tables)}


def values_of(answer: dict[str, Any]) -> dict[str, str]:
    return {key["name"]: key["value"] for key in answer["items"]}


def check_what_runs(cloud: Cloud, outputs: dict[str, str], *, origin: str) -> None:
    """Functions know their tables, plans hold their keys, and every method asks the gate."""
    functions = cloud.client("lambda")

    def environment(output: str) -> dict[str, str]:
        name = outputs[output]
        configuration = functions.get_function_configuration(FunctionName=name)
        variables: dict[str, str] = configuration["Environment"]["Variables"]
        return variables

    assert environment("ManagementFunctionName")["ALLOWED_ORIGIN"] == origin
    assert environment("ManagementFunctionName")["KEYS_TABLE"] == outputs["KeysTableName"]
    assert environment("BoardsFunctionName")["BOARDS_TABLE"] == outputs["BoardsTableName"]
    authorizer = environment("AuthorizerFunctionName")
    assert authorizer["KEYS_TABLE"] == outputs["KeysTableName"]
    assert authorizer["RATE_LIMITS_TABLE"] == outputs["RateLimitsTableName"]

    gateway = cloud.client("apigateway")
    values = values_of(gateway.get_api_keys(includeValues=True))
    for tier in ("standard", "web", "limited"):
        assert authorizer[f"USAGE_KEY_{tier.upper()}"] == values[f"tier-{tier}-{STACK}"]
        plan = outputs[f"{tier.title()}UsagePlanId"]
        members = gateway.get_usage_plan_keys(usagePlanId=plan)["items"]
        assert [member["name"] for member in members] == [f"tier-{tier}-{STACK}"]

    resources = gateway.get_resources(restApiId=outputs["ApiId"], embed=["methods"])["items"]
    asked = {
        (resource["path"], name): (method["authorizationType"], method["apiKeyRequired"])
        for resource in resources
        for name, method in resource.get("resourceMethods", {}).items()
        if not resource["path"].startswith(("/dashboard", "/reference", "/leaks"))
    }
    assert ("/me/api-keys/{id}", "DELETE") in asked
    for (_, name), needs in asked.items():
        assert needs == (("NONE", False) if name == "OPTIONS" else ("CUSTOM", True))

    table = cloud.client("dynamodb").describe_table(TableName=outputs["KeysTableName"])["Table"]
    assert table["DeletionProtectionEnabled"] is True
