"""Lists of keys that can be read at 80 columns, copied from, and taken apart in a pipe."""

from __future__ import annotations

import io
import re
import sys

import pytest

from chatgrid_cli.main import app
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
LONGEST = {
    "name": "n" * 64,
    "scopes": ["read", "write", "admin"],
    "environment": "test",
    "rate_limit": 60_000,
    "expires_at_ms": now_ms() - 1,
}


class Screen(io.StringIO):
    """A terminal's screen, as far as Rich asks."""

    def isatty(self) -> bool:
        return True


def on_screen(monkeypatch: pytest.MonkeyPatch, columns: int, *arguments: str) -> list[str]:
    """The lines that a terminal of this width shows."""
    screen = Screen()
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("TERM", "xterm")
        patch.setattr(sys, "stdout", screen)
        with pytest.raises(SystemExit) as ended:
            app(list(arguments))
    assert ended.value.code == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue()).splitlines()


@pytest.mark.parametrize("command", [["keys", "list"], ["users", "keys", USER]], ids=" ".join)
def test_80_columns_break_no_line_and_cut_no_id(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    made = [operator.issue(USER, **LONGEST).key for _ in range(2)]
    lines = on_screen(monkeypatch, 80, *command)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    for key in made:
        assert f"{key.id}  state expired  prefix {key.prefix}" in text
        assert key.name in text
    assert (USER in text) == (command[0] == "keys")
    assert "scopes read write admin" in text
    assert "limit 60000" in text


def test_a_wide_terminal_and_a_pipe_get_one_line_for_each_key(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [
        operator.issue(USER, **{**LONGEST, "name": name}).key for name in ("a", "漢字", "c" * 9)
    ]
    piped = operator.run("keys", "list").stdout.splitlines()
    assert on_screen(monkeypatch, 250, "keys", "list") == piped
    heading, *rows = piped
    columns = "id state prefix name user scopes limit created expires used"
    assert " ".join(heading.split()) == columns
    assert {row.split()[0] for row in rows} == {key.id for key in made}
    assert all(row == row.rstrip() and row.endswith(")  never") for row in rows)


def test_nothing_in_a_pipe_ends_in_spaces(operator: Operator) -> None:
    key = operator.issue(USER, name="x").key
    operator.issue(USER, name="longer")
    for command in (["keys", "list"], ["users", "keys", USER], ["keys", "show", key.id]):
        lines = operator.run(*command).stdout.splitlines()
        assert all(line == line.rstrip() for line in lines)


def test_one_users_keys_come_as_in_the_api_the_newest_first(operator: Operator) -> None:
    made = [operator.issue(USER).key.id for _ in range(4)]
    operator.run("keys", "revoke", made[1], "--yes")
    newest_first = sorted(made, reverse=True)
    for command in (["keys", "list", "--user", USER], ["users", "keys", USER]):
        listed = operator.answer(*command, "--revoked")["data"]
        assert [key["id"] for key in listed] == newest_first
    some = operator.answer("keys", "list", "--user", USER, "--limit", "2", "--revoked")
    assert [key["id"] for key in some["data"]] == newest_first[:2]
    text = operator.run("users", "keys", USER, "--revoked").stdout
    assert [line.split()[0] for line in text.splitlines()[1:]] == newest_first
    assert USER not in text
