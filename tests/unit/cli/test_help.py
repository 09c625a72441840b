"""What the command says of itself, and of wrong usage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chatgrid_cli import main
from chatgrid_cli.main import app
from tests.support.cli import Operator

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"

COMMANDS = [
    *([], ["keys"], ["users"], ["users", "keys"], ["restore"], ["restore", "replay"]),
    *(["keys", each] for each in ("create", "list", "show", "set-limit", "revoke")),
    *([each] for each in ("bootstrap", "import", "export", "verify", "doctor")),
]
#: What every command has, told once.
EVERYWHERE = {"--json", "--stack-name", "--region", "--profile", "--local", "--state", "--help"}


def options(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Each option of a command and of those under it, with the command's whole name."""
    for below, one in getattr(command, "commands", {}).items():
        yield from options(one, f"{name} {below}")
    named = [part.opts[0] for part in command.params if part.param_type_name == "option"]
    yield from ((name, option) for option in named if option not in EVERYWHERE)


@pytest.mark.parametrize("top", main.COMMANDS)
def test_every_option_stands_beside_its_command_in_the_document(top: str) -> None:
    document = Path(__file__).parents[3] / "docs" / "cli.md"
    lines = document.read_text("utf-8").replace("--[no-]", "--").splitlines()
    for name, option in options(main._loaded(top), top):
        told = [line for line in lines if line.startswith("|") and f"`chatgrid {name} " in line]
        assert any(option in line for line in told), f"{name} {option}"


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_help_shows_nothing_of_how_the_command_is_made(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, [*command, "--help"]).stdout
    assert "<bool>" not in shown
    assert "misplaced" not in shown


def test_a_paragraph_of_the_help_is_as_wide_as_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def shown_by(*arguments: str) -> str:  # Typer's runner makes every terminal 80 columns wide
        with pytest.raises(SystemExit):
            app([*arguments, "--help"])
        return capsys.readouterr().out

    monkeypatch.setenv("COLUMNS", "200")
    shown = shown_by()
    assert "with your AWS credentials and Region, or with --local on the one that `make" in shown
    shown = shown_by("import")
    assert "environment, rate_limit, created_at, expires_at, id, enabled, disabled_reason" in shown


def test_the_help_says_when_a_key_ends_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    assert (
        "by default as the stack says"
        in CliRunner().invoke(app, ["keys", "create", "--help"]).stdout
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "create", "--user", USER, "--name", "x", "--scope", "root"],
        ["verify", "--scope", "root"],
        ["export", "--format", "xml"],
        ["keys", "list", "--limit", "99999999999999999999"],
        ["keys", "list", "--limit", "0"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_told_in_plain_words(operator: Operator, arguments: list[str]) -> None:
    result = operator.run(*arguments)
    assert result.exit_code == 2
    assert "Value error" not in result.stderr
    assert arguments[-2] in result.stderr


def test_a_standard_input_that_is_closed_is_told(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key_id = operator.issue().key.id
    for arguments, told in (
        (["verify"], "standard input holds no credential"),
        (["import", "-"], "standard input is closed"),
        (["keys", "revoke", key_id], "say --yes where nobody can be asked"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", None)
            with pytest.raises(SystemExit):
                app(arguments)
        assert told in capsys.readouterr().err
