"""The authorizer's start is the product: in a fresh interpreter, it loads this and no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.authorizer.environment import SETTINGS

ROOT = Path(__file__).parents[2]
#: Each costs more than it gives before every request of a customer's API.
FORBIDDEN = {
    "aws_lambda_powertools",
    "boto3",
    "botocore",
    "cryptography",
    "dataclasses",
    "datetime",
    "email",
    "inspect",
    "fastapi",
    "http.client",
    "jwt",
    "logging",
    "mangum",
    "pydantic",
    "starlette",
    "typing",
    "urllib.request",
    "uuid",
}

LIST_LOADED = """
import sys
before = set(sys.modules)
import chatgrid_authorizer.handler
import json
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that importing the handler loads into a bare interpreter."""
    path = os.pathsep.join(map(str, (ROOT / "functions/authorizer", ROOT / "layers/auth")))
    result = subprocess.run(
        [sys.executable, "-S", "-c", LIST_LOADED],
        env={**SETTINGS, "PYTHONPATH": path, "AWS_ENDPOINT_URL_DYNAMODB": "https://127.0.0.1"},
        check=True,
        capture_output=True,
        text=True,
    )
    return set(json.loads(result.stdout))


def test_nothing_is_loaded_that_a_key_decision_does_not_need(loaded: set[str]) -> None:
    assert not FORBIDDEN & loaded


def test_everything_loaded_is_ours_or_the_standard_librarys(loaded: set[str]) -> None:
    foreign = {
        name
        for name in loaded
        if name.split(".")[0] not in {*sys.stdlib_module_names, "chatgrid_auth"}
        and name.split(".")[0] != "chatgrid_authorizer"
    }
    assert foreign == set()


def test_of_the_layer_only_the_hot_path_is_loaded(loaded: set[str]) -> None:
    ours = {name for name in loaded if name.startswith("chatgrid_auth.")}
    for late in ("jwt_verifier", "jwks", "key_store", "boto3_transport", "window_upkeep"):
        assert not any(name.endswith(late) for name in ours), f"{late} is loaded at init"
    assert not any(".web" in name for name in ours)
