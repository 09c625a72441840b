"""A stack that the real SAM CLI deploys into the embedded AWS, changes and deletes."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from chatgrid_devkit.stack.aws_access import REGION, credentials
from chatgrid_devkit.stack.local_build import ENDPOINT_PARAMETER
from chatgrid_devkit.stack.ministack import Ministack

_COMMAND_SECONDS = 180
#: What a stack makes, and how each kind is listed.
_KINDS = {
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


class SamStack:
    """One stack of the build, by name."""

    def __init__(self, cloud: Ministack, build: Path, name: str) -> None:
        self._cloud = cloud
        self._build = build
        self.name = name
        self._deleting_ms = math.inf

    def client(self, service: str) -> Any:
        return self._cloud.client(service)

    def deploy(self, **parameters: str) -> None:
        """Create the stack, or change it to these parameters; the doctor has the last word.

        What an embedded AWS does not keep, the doctor leaves out of its judgement.
        """
        given = {ENDPOINT_PARAMETER: self._cloud.endpoint, **parameters}
        self._sam(
            *("deploy", "--template-file", str(self._build / "template.yaml"), "--resolve-s3"),
            *("--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar"),
            *("--parameter-overrides", *(f"{name}={value}" for name, value in given.items())),
        )
        self.operate("doctor")  # which ends with an error when one of its checks fails

    def delete(self) -> None:
        """Delete the stack and what was uploaded for it."""
        self._deleting_ms = time.time() * 1000
        self._sam("delete", "--no-prompts", "--region", REGION)

    def outputs(self) -> dict[str, str]:
        (stack,) = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def functions(self) -> list[str]:
        """The names of its functions."""
        answer = self.client("cloudformation").describe_stack_resources(StackName=self.name)
        return [
            resource["PhysicalResourceId"]
            for resource in answer["StackResources"]
            if resource["ResourceType"] == "AWS::Lambda::Function"
        ]

    def left(self) -> dict[str, int]:
        """How many resources of each kind there are, whosever they are.

        Without log groups that were made after the stack's deletion began. The embedded AWS makes
        one for what a function still at work has logged, and asks no role. On AWS none may
        (tests/template/test_policies.py).
        """
        found = {
            kind: getattr(self.client(service), operation)()[key]
            for kind, (service, operation, key) in _KINDS.items()
        }
        found["log groups"] = [
            group for group in found["log groups"] if group["creationTime"] < self._deleting_ms
        ]
        return {kind: len(listed) for kind, listed in found.items()}

    def forget_gateway_keys(self) -> None:
        """Delete what the reconciler made for customers' keys: it is not the stack's."""
        gateway = self.client("apigateway")
        for key in gateway.get_api_keys(nameQuery=f"{self.name}-")["items"]:
            gateway.delete_api_key(apiKey=key["id"])

    def tier_key(self) -> str:
        """The standard tier's gateway key: on AWS the authorizer names it, here the client."""
        answer = self.client("apigateway").get_api_keys(includeValues=True)
        name = f"tier-standard-{self.name}"
        value: str = next(key["value"] for key in answer["items"] if key["name"] == name)
        return value

    def described(self) -> dict[str, Any]:
        """The stack as the end-to-end suite is told of one."""
        api = self.outputs()["ApiId"]
        return {
            "url": f"{self._cloud.endpoint}/restapis/{api}/v1/_user_request_",
            "headers": {"x-api-key": self.tier_key()},
        }

    def operate(self, *command: str) -> dict[str, Any]:
        """Run the operator's command on this stack; its data."""
        chatgrid = str(Path(sys.executable).with_name("chatgrid"))
        printed = self._run(chatgrid, "--stack-name", self.name, *command, "--json")
        data: dict[str, Any] = json.loads(printed)["data"]
        return data

    def _sam(self, command: str, *arguments: str) -> None:
        self._run("sam", command, "--stack-name", self.name, "--config-env", "none", *arguments)

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [program, *arguments],
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                **credentials(self._cloud.access.access_key),
                "AWS_ENDPOINT_URL": self._cloud.endpoint,
                "SAM_CLI_TELEMETRY": "0",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_COMMAND_SECONDS,
        )
        # SAM and the doctor print their reasons; another command may have printed a key.
        tells = program == "sam" or "doctor" in arguments
        said = done.stdout + done.stderr if tells else done.stderr
        assert done.returncode == 0, f"{program} {' '.join(arguments)}: {said[-4000:]}"
        return done.stdout
