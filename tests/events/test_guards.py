"""No function behind the API runs for a request that the authorizer did not let through.

The functions are those of the template as SAM expands it: a new one is here by itself, and one
whose guard was forgotten fails.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pytest

from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.system import TEMPLATE
from chatgrid_devkit.template.description import Api, Deployment, Function, Route
from tests.support.aws import VARIABLES
from tests.support.guarding import protected_routes, unguarded

ROOT = TEMPLATE.parent
DOCUMENTS = ("README.md", "docs/protect-your-backend.md")


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return read_deployment(TEMPLATE)


def test_every_function_behind_the_api_refuses_what_the_authorizer_did_not_allow(
    deployment: Deployment,
) -> None:
    names = {route.function for route in protected_routes(deployment.api)}
    assert len(names) >= 2
    behind = [function for function in deployment.functions.values() if function.name in names]
    assert len(behind) == len(names)
    assert asyncio.run(unguarded(deployment.api, behind)) == []


def test_only_the_dashboards_files_and_reports_of_leaks_are_public(deployment: Deployment) -> None:
    """Whoever finds a key need not have one."""
    public = {r.resource for r in deployment.api.routes if r.function and not r.authorizer}
    assert public == {"/dashboard", "/dashboard/{asset}", "/reference", "/leaks", "/leaks/github"}


def example(deployment: Deployment, folder: Path, code: str) -> tuple[Api, Function]:
    """A function of somebody's own in the place that the documents give it."""
    (folder / "invoices.py").write_text(code)
    function = Function(
        name="local-Invoices",
        logical_id="InvoicesFunction",
        arn="arn:aws:lambda:us-east-1:000000000000:function:local-Invoices",
        handler="invoices.handler",
        code=folder,
        layers=(ROOT / "layers" / "auth",),
        timeout_seconds=10,
        memory_mb=128,
        environment={
            **VARIABLES,
            "AWS_REGION": "us-east-1",
            "ALLOWED_ORIGIN": "*",
            "RATE_LIMITS_TABLE": "limits",
        },
    )
    (authorizer,) = deployment.api.authorizers
    route = Route(
        method="ANY",
        resource="/invoices",
        authorizer=authorizer,
        key_required=True,
        function=function.name,
    )
    api: Mapping[str, object] = {
        name: getattr(deployment.api, name) for name in Api.__dataclass_fields__
    }
    return Api(**{**api, "routes": [route]}), function  # type: ignore[arg-type]


_BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def examples() -> list[str]:
    """The documents' handlers: each block of Python that stands by itself."""
    return [
        textwrap.dedent(block)
        for document in DOCUMENTS
        for block in _BLOCK.findall((ROOT / document).read_text("utf-8"))
        if "import" in block and "handler" in block and "..." not in block
    ]


@pytest.mark.parametrize("number", range(len(examples())))
def test_the_documents_own_examples_are_guarded(
    deployment: Deployment, tmp_path: Path, number: int
) -> None:
    api, function = example(deployment, tmp_path, examples()[number])
    assert asyncio.run(unguarded(api, [function])) == []


def test_the_documents_own_examples_pass_lint_and_types_as_they_are(tmp_path: Path) -> None:
    """Whoever pastes one into functions/ goes on with `make lint` and `make types` green."""
    found = []
    for number, code in enumerate(examples()):
        file = tmp_path / f"example_{number}.py"
        file.write_text(code)
        found.append(file)
        as_one_of_ours = ["--stdin-filename", "functions/invoices/invoices.py", "-"]
        for command in (["check", "--output-format", "concise"], ["format", "--diff"]):
            assert said("ruff", *command, *as_one_of_ours, given=code) == ""
    settings = ["--config-file", "pyproject.toml", "--no-error-summary"]
    assert said("mypy", *settings, *map(str, found)) == ""


def said(tool: str, *arguments: str, given: str = "") -> str:
    """What a checker complains of."""
    ran = subprocess.run(
        [sys.executable, "-m", tool, *arguments],
        input=given,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if ran.returncode == 0 else ran.stdout + ran.stderr


def test_the_documents_have_examples() -> None:
    assert len(examples()) >= 3


FORGOTTEN = """
def handler(event, context):
    return {"statusCode": 200, "body": "{}"}
"""
WRONG = """
from chatgrid_auth.guard import guarded

@guarded(allow_origin="*", required_scope=lambda method, resource: "read")
def inner(event, context, caller):
    return {"statusCode": 200, "body": "{}"}

def handler(event, context):
    if event["httpMethod"] == "DELETE":
        return {"statusCode": 403, "body": "{}"}
    return inner(event, context)
"""


@pytest.mark.parametrize("code", [FORGOTTEN, WRONG], ids=["forgotten", "passed by"])
def test_a_guard_that_was_forgotten_or_passed_by_is_noticed(
    deployment: Deployment, tmp_path: Path, code: str
) -> None:
    api, function = example(deployment, tmp_path, code)
    assert asyncio.run(unguarded(api, [function]))
