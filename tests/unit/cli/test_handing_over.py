"""A key is written whole where it was wanted, or it does not live: none that nobody holds."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_cli.main import app
from tests.support.cli import Operator

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
CREATE = ("keys", "create", "--user", USER, "--name", "CI")
BOOTSTRAP = ("bootstrap", "--user", USER)


class Unwritable(io.StringIO):
    """A standard output that does not take what is written."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error: BaseException | None = error

    def flush(self) -> None:
        if self.getvalue() and self.error is not None:
            error, self.error = self.error, None  # from then on it goes nowhere
            raise error


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def gone() -> OSError:
    return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


@pytest.fixture
def run_into(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, str]]:
    """Runs a command with this standard output: its exit code, and what it told."""

    def run(stdout: Any, *arguments: str) -> tuple[int, str]:
        told = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", told)
            with pytest.raises(SystemExit) as ended:
                app(list(arguments))
        assert "Traceback" not in told.getvalue()
        assert "fault of this command" not in told.getvalue()
        assert isinstance(ended.value.code, int)
        return ended.value.code, told.getvalue()

    return run


def states(operator: Operator) -> list[str]:
    return [key["state"] for key in operator.answer("users", "keys", USER, "--revoked")["data"]]


@pytest.mark.parametrize("command", [CREATE, BOOTSTRAP], ids=["create", "bootstrap"])
@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(
    ("error", "exit_code"),
    [(full(), 3), (gone(), 3), (KeyboardInterrupt(), 130)],
    ids=["full", "pipe", "ctrl-c"],
)
def test_a_key_that_could_not_be_printed_is_revoked(
    operator: Operator,
    run_into: Callable[..., tuple[int, str]],
    command: tuple[str, ...],
    more: tuple[str, ...],
    error: BaseException,
    exit_code: int,
) -> None:
    code, told = run_into(Unwritable(error), *command, *more)
    assert code == exit_code, told
    assert states(operator) == ["revoked"]
    assert "revoked again" in told


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_no_key_is_made_where_standard_output_is_closed(
    operator: Operator, run_into: Callable[..., tuple[int, str]], more: tuple[str, ...]
) -> None:
    closed = io.StringIO()
    closed.close()
    for stdout in (None, closed):
        code, told = run_into(stdout, *CREATE, *more)
        assert (code, operator.items()) == (3, [])
        assert "standard output cannot be written: it is closed" in told


@pytest.mark.parametrize(
    ("error", "exit_code"), [(full(), 3), (KeyboardInterrupt(), 130)], ids=["full", "ctrl-c"]
)
def test_a_key_that_its_file_cannot_take_is_revoked(
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: BaseException,
    exit_code: int,
) -> None:
    """And the file is gone."""

    def refused(*_: object) -> int:
        raise error

    file = tmp_path / "key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", refused)
        result = operator.run(*CREATE, "--out", str(file))
    assert result.exit_code == exit_code
    assert "revoked again" in result.stderr
    assert states(operator) == ["revoked"]
    assert not file.exists()


def test_a_file_gets_the_whole_key_however_little_is_taken_at_once(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write = os.write
    file = tmp_path / "key"
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda to, data: write(to, data[:7]))
        assert operator.run(*CREATE, "--out", str(file)).exit_code == 0
    assert len(file.read_text()) == 42


def test_a_key_that_cannot_be_revoked_is_named(
    operator: Operator,
    run_into: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With what to do about it."""

    def out_of_reach(*_: object, **__: object) -> bool:
        raise StoreUnavailable("TransactWriteItems", "EndpointConnectionError")

    with monkeypatch.context() as patch:
        patch.setattr(DynamoKeyStore, "revoke", out_of_reach)
        code, told = run_into(Unwritable(full()), *CREATE)
    (key,) = operator.answer("users", "keys", USER)["data"]
    assert code == 3
    assert f"`chatgrid keys revoke {key['id']} --user {USER}`" in told


def test_a_standard_error_that_is_broken_costs_no_key(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, stderr in enumerate((Unwritable(full()), Unwritable(gone()), None), start=1):
        stdout = io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", stdout)
            patch.setattr(sys, "stderr", stderr)
            with pytest.raises(SystemExit) as ended:
                app(list(CREATE))
        assert ended.value.code == 0
        assert stdout.getvalue().startswith("cgk_live_")
        assert states(operator) == ["active"] * number


@pytest.mark.parametrize("error", [full(), gone()], ids=["full", "pipe"])
def test_a_standard_error_that_is_broken_stops_no_import(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: OSError
) -> None:
    line = f'{{"hash": "{1:064x}", "owner": "{USER}", "scopes": "read"}}'
    (tmp_path / "keys.jsonl").write_text("{\n" + line)
    stdout = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", Unwritable(error))
        with pytest.raises(SystemExit) as ended:
            app(["import", str(tmp_path / "keys.jsonl")])
    assert ended.value.code == 1
    assert stdout.getvalue() == "1 imported, 0 there already, 1 refused\n"


@pytest.mark.parametrize("more", [(), ("--json",)], ids=["text", "json"])
def test_what_was_done_is_told_where_the_answer_cannot_be_written(
    operator: Operator,
    run_into: Callable[..., tuple[int, str]],
    tmp_path: Path,
    more: tuple[str, ...],
) -> None:
    key_id = operator.issue(USER).key.id
    line = f'{{"hash": "{1:064x}", "owner": "{USER}", "scopes": "read"}}'
    (tmp_path / "keys.jsonl").write_text(line)
    for arguments, done in (
        (("keys", "set-limit", key_id, "7"), "has 7 requests"),
        (("keys", "revoke", key_id, "--yes"), "is revoked"),
        (("import", str(tmp_path / "keys.jsonl")), "1 imported, 0 there already, 0 refused"),
        ((*CREATE, "--out", str(tmp_path / "out"), "--json"), "is made, and in"),
    ):
        again = () if "--json" in arguments else more
        code, told = run_into(Unwritable(full()), *arguments, *again)
        assert code == 3, told
        assert "standard output cannot be written: No space left on device; but " in told
        assert done in told
    assert states(operator) == ["active", "active", "revoked"]


def test_what_only_reads_says_that_its_answer_cannot_be_written(
    operator: Operator, run_into: Callable[..., tuple[int, str]]
) -> None:
    operator.issue(USER)
    for arguments in (("keys", "list"), ("keys", "list", "--json"), ("export",), ("doctor",)):
        for stdout in (Unwritable(full()), None):
            code, told = run_into(stdout, *arguments)
            assert code == 3
            assert "standard output cannot be written" in told
        code, told = run_into(Unwritable(gone()), *arguments)
        assert (code, told) == (1, "")


@pytest.mark.parametrize("made", [True, False])
def test_a_key_does_not_outlive_ctrl_c(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: bool
) -> None:
    """That came while the key was made."""
    create = DynamoKeyStore.create

    def interrupted(self: DynamoKeyStore, *arguments: Any, **named: Any) -> None:
        if made:
            create(self, *arguments, **named)
        raise KeyboardInterrupt

    file = tmp_path / "key"
    for more in ((), ("--json",), ("--out", str(file))):
        with monkeypatch.context() as patch:
            patch.setattr(DynamoKeyStore, "create", interrupted)
            result = operator.run(*CREATE, *more)
        assert (result.exit_code, result.stdout) == (130, "")
        assert ("revoked again" if made else "no such key lives") in result.stderr
        assert not file.exists()
    assert states(operator) == (["revoked"] * 3 if made else [])
