"""What `sam build` made, and an embedded AWS to deploy it into; without a build, a loud skip."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatgrid_devkit.stack.ministack import Ministack

ROOT = Path(__file__).parents[2]
FOR_LAMBDA = ROOT / ".aws-sam" / "build"
FOR_HERE = ROOT / ".aws-sam" / "local"
#: Everything that the template asks CloudFormation for, and what `sam deploy` itself uses.
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
    "secretsmanager",
    "ssm",
    "sts",
)


def skip_unless_built() -> None:
    """Skip a module of tests, loudly, unless its own target calls it."""
    if "LAMBDA_PYTHON" not in os.environ:
        reason = "THE BUILD WAS NOT TESTED: `make deploy-local` does, after building"
        pytest.skip(reason, allow_module_level=True)


def _built(folder: Path) -> Path:
    assert shutil.which("sam"), "`make deploy-local` puts the SAM CLI on PATH"
    assert (folder / "template.yaml").exists(), f"`make deploy-local` builds {folder} first"
    return folder


@pytest.fixture(scope="session")
def for_lambda() -> Path:
    """What is deployed to AWS."""
    return _built(FOR_LAMBDA)


@pytest.fixture(scope="session")
def for_here() -> Path:
    """The same for this machine's processor."""
    return _built(FOR_HERE)


@pytest.fixture(scope="session")
def cloud(for_here: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ministack]:
    """An embedded AWS whose functions run on a bare interpreter: they have their layers only."""
    state = tmp_path_factory.mktemp("cloud")
    python = os.environ["LAMBDA_PYTHON"]
    with Ministack(state, services=SERVICES, lambda_python=python) as running:
        yield running
