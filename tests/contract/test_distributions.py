"""The two packages that are installed elsewhere: wheels that work where nothing else of ours is."""

from __future__ import annotations

import json
import math
import os
import subprocess
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from chatgrid_devkit.stack import provision
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.stack.system import TEMPLATE
from tests.support.installed import AUTH, CLI, ROOT, Environment, build_wheel
from tests.support.stack_file import write_stack_file

LOCK = ROOT / "cli/requirements.txt"
#: What each is held against: Python alone, and for one that asks AWS the client that others load.
BARE = {
    "--help": "pass",
    "keys list": "import boto3, rich.table, typer; boto3.client('dynamodb', 'eu-central-1')",
}
#: Processor time over that of its bare start, in the same environment.
AT_MOST = {"--help": 16.0, "keys list": 1.3}
#: The least of so many starts counts: what else the machine does only ever adds.
TRIES = 25

GUARD_ALONE = """
import importlib.metadata, json, sys
from chatgrid_auth.guard import GuardMiddleware, guarded

@guarded()
def handler(event, context, caller):
    return {"statusCode": 200, "body": caller.user_id}

print(json.dumps({
    "refused": handler({"httpMethod": "GET", "resource": "/me"}, None)["statusCode"],
    "installed": [found.name for found in importlib.metadata.distributions()],
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
}))
"""
LOADED_BY_HELP = """
import sys
from chatgrid_cli.main import app
try:
    app(["--help"])
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution, by its folder."""
    scratch = tmp_path_factory.mktemp("wheels")
    return {folder: build_wheel(folder, scratch) for folder in (AUTH, CLI)}


@pytest.fixture(scope="module")
def operators(
    wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Environment, list[str]]:
    """An operator's environment: the two wheels and what the lock names, by names."""
    environment = Environment(tmp_path_factory.mktemp("operators"))
    locked = environment.install_locked(LOCK)
    environment.install(*wheels.values())
    return environment, locked


def run(environment: Environment, *command: str | Path) -> subprocess.CompletedProcess[str]:
    result = subprocess.run(
        list(map(str, command)),
        cwd=environment.bin,
        env=environment.variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result


@pytest.mark.parametrize(
    ("folder", "package"), [(AUTH, "chatgrid_auth"), (CLI, "chatgrid_cli")], ids=["auth", "cli"]
)
def test_a_wheel_holds_every_file_of_its_package_and_no_other(
    wheels: dict[str, Path], folder: str, package: str
) -> None:
    with zipfile.ZipFile(wheels[folder]) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = ROOT / folder
    files = [path for path in (source / package).rglob("*") if path.is_file()]
    assert packed == {
        path.relative_to(source).as_posix() for path in files if path.suffix != ".pyc"
    }


def test_a_customers_function_needs_the_one_wheel_to_be_guarded(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "customer")
    environment.install(wheels[AUTH])
    told = json.loads(run(environment, environment.python, "-c", GUARD_ALONE).stdout)
    assert told["refused"] == 403
    assert told["installed"] == ["chatgrid-auth"]
    assert not {"chatgrid_cli", "chatgrid_devkit", "boto3", "jwt"} & set(told["loaded"])


def test_the_command_runs_with_its_wheels_and_its_lock_alone(
    operators: tuple[Environment, list[str]],
) -> None:
    environment, locked = operators
    chatgrid = environment.bin / "chatgrid"
    assert "Exit codes" in run(environment, chatgrid, "--help").stdout
    for command in ("keys", "users", "bootstrap", "import", "export", "verify", "doctor"):
        assert "Options:" in run(environment, chatgrid, command, "--help").stdout
    assert run(environment, chatgrid, "--version").stdout == "chatgrid 0.1.0\n"
    assert "_CHATGRID_COMPLETE" in run(environment, chatgrid, "--show-completion", "bash").stdout
    assert not {"fastapi", "pytest", "moto"} & set(locked)


def test_the_help_loads_neither_a_web_framework_nor_boto3(
    operators: tuple[Environment, list[str]],
) -> None:
    environment, _ = operators
    loaded = set(run(environment, environment.python, "-c", LOADED_BY_HELP).stderr.split())
    assert "typer" in loaded
    unwanted = {"fastapi", "starlette", "mangum", "pydantic", "boto3", "botocore", "jwt", "rich"}
    assert not unwanted & loaded


def test_the_command_starts_within_its_share_of_bare_starts(
    operators: tuple[Environment, list[str]], tmp_path: Path, ministack: Ministack
) -> None:
    environment, _ = operators
    (tmp_path / ".devkit").mkdir()
    write_stack_file(tmp_path / ".devkit", ministack.access)
    provision.make_tables(ministack.client("dynamodb"), read_deployment(TEMPLATE).tables)
    chatgrid = str(environment.bin / "chatgrid")
    commands = {"--help": [chatgrid, "--help"], "keys list": [chatgrid, "--local", "keys", "list"]}
    least_bare, least = (dict.fromkeys(commands, math.inf) for _ in range(2))
    ratios = dict(least)
    for _ in range(TRIES):
        for name, command in commands.items():
            bare = [str(environment.python), "-c", BARE[name]]
            least_bare[name] = min(
                least_bare[name], _processor_seconds(environment, bare, at=tmp_path)
            )
            least[name] = min(least[name], _processor_seconds(environment, command, at=tmp_path))
            ratios[name] = round(least[name] / least_bare[name], 2)
        if all(ratios[name] <= AT_MOST[name] for name in commands):
            break
    print(f"\n{ratios} bare starts")  # noqa: T201  # shown with `pytest -s`
    assert {name for name in commands if ratios[name] > AT_MOST[name]} == set(), ratios


def _processor_seconds(environment: Environment, command: Sequence[str], *, at: Path) -> float:
    process = subprocess.Popen(
        command,
        cwd=at,
        env=environment.variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return used.ru_utime + used.ru_stime
