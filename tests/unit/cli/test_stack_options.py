"""Which stack: said before the command or behind it, and told clearly where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.session import Session
from typer.testing import CliRunner

from chatgrid_cli import commands
from chatgrid_cli.main import app
from chatgrid_cli.stacks import Stack, Where
from chatgrid_devkit.stack.aws_access import AwsAccess
from tests.support.cli import Operator
from tests.support.stack_file import write_stack_file


@pytest.fixture
def asked(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> list[Where]:
    """The places at which commands looked for a stack."""
    places: list[Where] = []

    def find(where: Where) -> Stack:
        places.append(where)
        return operator.stack()

    monkeypatch.setattr(commands, "find", find)
    return places


def test_the_stack_may_be_said_before_the_command(operator: Operator, asked: list[Where]) -> None:
    options = ("--stack-name", "gate", "--region", "eu-west-1", "--profile", "ops")
    places = ("--local", "--state", "there")
    for arguments in (
        (*options, *places, "keys", "list"),
        ("keys", "list", *options, *places),
        (*options, "keys", "list", *places),
    ):
        assert operator.run(*arguments).exit_code == 0
    first, *others = asked
    assert first == Where(
        stack_name="gate", region="eu-west-1", profile="ops", local=True, state=Path("there")
    )
    assert others == [first, first]


def test_what_is_said_behind_the_command_goes_first(operator: Operator, asked: list[Where]) -> None:
    assert operator.run("--region", "a", "keys", "list", "--region", "b").exit_code == 0
    assert operator.run("keys", "list").exit_code == 0
    assert [where.region for where in asked] == ["b", None]


def test_an_answer_in_json_may_be_asked_for_before_the_command(
    operator: Operator, asked: list[Where]
) -> None:
    assert json.loads(operator.run("--json", "keys", "list").stdout)["data"] == []


def test_the_help_says_where_the_stack_is_named() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    for option in ("--json", "--stack-name", "--region", "--profile", "--local", "--state"):
        assert option in shown


def test_a_local_stack_that_does_not_answer_is_told_as_not_running(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Silent:
        def describe_table(self, **_: object) -> object:
            raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    monkeypatch.setattr(Session, "create_client", lambda *_, **__: Silent())
    write_stack_file(tmp_path, AwsAccess("http://127.0.0.1:9", "x"))
    result = CliRunner().invoke(
        app, ["--json", "--local", "--state", str(tmp_path), "keys", "list"]
    )
    error = json.loads(result.stdout)
    assert (result.exit_code, error["code"]) == (3, "unreachable")
    assert error["message"] == f"`make dev` is not running (the local stack of {tmp_path})"


@pytest.mark.parametrize("region", [None, "us east", "-", "eu-west-1.evil.example/"])
def test_a_region_that_is_none_is_told_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, region: str | None
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "none").touch()
    more = () if region is None else ("--region", region)
    result = CliRunner().invoke(app, ["--json", *more, "keys", "list"])
    error = json.loads(result.stdout)
    assert (result.exit_code, error["code"]) == (3, "no_region" if region is None else "bad_region")
    assert "--region" in error["message"]
    assert ("--local" in error["message"]) == (region is None)
