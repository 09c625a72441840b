"""Which stack: said before the command or behind it, and told clearly where there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chatgrid_devkit.cli import commands
from chatgrid_devkit.cli.main import app
from chatgrid_devkit.cli.stacks import Stack, Where
from tests.unit.cli.operator import Operator


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
