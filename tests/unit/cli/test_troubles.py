"""Whatever fails, an operator gets one line with what to do, and a program a stable word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
)
from typer.testing import CliRunner

from chatgrid_auth.domain.errors import StoreThrottled, StoreUnavailable
from chatgrid_auth.domain.key_errors import KeyLimitReached, NotFound
from chatgrid_cli import commands
from chatgrid_cli.errors import error_of
from chatgrid_cli.keys import verify
from chatgrid_cli.main import app
from tests.support.cli import Operator

SECRET = "a-value-that-nobody-may-see"


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": SECRET}}, "DescribeStacks")


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (NotFound(), "not_found", 1),
        (KeyLimitReached(5), "conflict", 1),
        (StoreUnavailable("GetItem", "InternalServerError"), "aws_error", 3),
        (StoreThrottled("GetItem", "ThrottlingException"), "aws_error", 3),
        (StoreUnavailable("GetItem", "EndpointConnectionError"), "unreachable", 3),
        (StoreUnavailable("GetItem", "AccessDeniedException"), "access_denied", 3),
        (NoCredentialsError(), "no_credentials", 3),
        (NoRegionError(), "no_region", 3),
        (ProfileNotFound(profile=SECRET), "no_profile", 3),
        (EndpointConnectionError(endpoint_url=SECRET), "unreachable", 3),
        (refused("AccessDenied"), "access_denied", 3),
        (refused("ExpiredTokenException"), "credentials_refused", 3),
        (refused("Whatever"), "aws_error", 3),
    ],
)
def test_an_expected_error_has_a_word_and_an_exit_code(
    error: Exception, code: str, exit_code: int
) -> None:
    """And no text of somebody else's."""
    trouble = error_of(error)
    assert trouble is not None
    assert (trouble.code, trouble.exit_code) == (code, exit_code)
    assert SECRET not in trouble.text
    assert "\n" not in trouble.text


def test_a_fault_of_our_own_is_no_stack_trace_and_quotes_nothing(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(commands, "find", broken)
    monkeypatch.delenv("CHATGRID_DEBUG", raising=False)
    error = operator.answer("keys", "list", exit_code=3)
    assert error["code"] == "internal_error"
    assert SECRET not in json.dumps(error)
    monkeypatch.setenv("CHATGRID_DEBUG", "1")
    assert isinstance(CliRunner().invoke(app, ["keys", "list"]).exception, RuntimeError)


def test_ctrl_c_ends_a_command_without_a_word(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "find", interrupted)
    assert operator.run("keys", "list").exit_code == 130


@pytest.mark.parametrize("content", [None, "", "{", "[]", "{}"])
def test_a_missing_local_stack_is_reported_with_its_remedy(
    tmp_path: Path, content: str | None
) -> None:
    if content is not None:
        (tmp_path / "stack.json").write_text(content)
    result = CliRunner().invoke(app, ["keys", "list", "--local", "--state", str(tmp_path)])
    assert result.exit_code == 3
    assert "`make dev`" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        *(["keys", each] for each in ("create", "list", "show", "revoke")),
        *([each] for each in ("bootstrap", "import", "export", "verify", "doctor")),
        ["users", "keys"],
    ],
    ids=" ".join,
)
def test_every_command_has_help_and_can_answer_in_json(command: list[str]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    for option in ("--json", "--stack-name", "--region", "--profile", "--local", "--state"):
        assert option in result.stdout


def test_the_help_lists_the_commands_and_the_exit_codes() -> None:
    shown = CliRunner().invoke(app, ["--help"]).stdout
    for word in ("bootstrap", "doctor", "export", "import", "keys", "users", "verify"):
        assert word in shown
    assert "Exit codes" in shown


@pytest.mark.parametrize("stop", [KeyboardInterrupt, EOFError])
def test_ctrl_c_at_the_prompt_for_a_credential_is_130(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, stop: type[BaseException]
) -> None:
    """The end of input is no credential, and no fault of the command."""

    def asked(*_: object, **__: object) -> str:
        raise stop

    monkeypatch.setattr(verify, "is_terminal", lambda _: True)
    monkeypatch.setattr("getpass.getpass", asked)
    assert operator.run("verify").exit_code == (130 if stop is KeyboardInterrupt else 2)
