"""The operator's command as a process: at a terminal, in a pipe, and under Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_devkit.stack import provision
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.stack.system import TEMPLATE
from tests.support.stack_file import write_stack_file

PATIENCE_SECONDS = 60.0


class Terminal:
    """Starts ``chatgrid --local`` in a session of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state

    def start(self, *arguments: str, **streams: Any) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *(sys.executable, "-m", "chatgrid_cli.main", *arguments),
                *("--local", "--state", str(self.state)),
            ],
            start_new_session=True,
            # As at a terminal, also where the tests themselves were started to ignore Ctrl-C.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
            **streams,
        )

    def in_shell(self, line: str, *arguments: str) -> tuple[int, bytes, bytes]:
        """What a shell makes of a line in which ``"$@"`` is the command."""
        result = subprocess.run(
            [
                *("bash", "-c", line, "bash"),
                *(sys.executable, "-m", "chatgrid_cli.main", *arguments),
                *("--local", "--state", str(self.state)),
            ],
            capture_output=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )
        assert b"Traceback" not in result.stderr
        assert b"fault of this command" not in result.stderr
        return result.returncode, result.stdout, result.stderr

    def run(self, *arguments: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
        pipe = subprocess.PIPE
        process = self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        output, errors = process.communicate(given, timeout=PATIENCE_SECONDS)
        return process.returncode, output, errors

    def type(self, text: str, *arguments: str, prompt: str) -> tuple[int, bytes, str]:
        """Type a line when the prompt comes; exit code, stdout, and what the screen showed."""
        ours, theirs = pty.openpty()
        process = self.start(*arguments, stdin=theirs, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        try:
            screen = read_until(ours, prompt)
            os.write(ours, text.encode() + b"\n")
            output, _ = process.communicate(timeout=PATIENCE_SECONDS)
            return process.returncode, output, screen + read_until(ours, None)
        finally:
            process.kill()
            process.wait()
            os.close(ours)


def read_until(descriptor: int, text: str | None) -> str:
    """What a terminal shows until a text comes; all that is left without one."""
    shown, deadline = "", time.monotonic() + PATIENCE_SECONDS
    readable = select.poll()
    readable.register(descriptor, select.POLLIN)
    while text is None or text not in shown:
        assert time.monotonic() < deadline, shown
        if not readable.poll(0 if text is None else 1000):
            if text is None:
                break
            continue
        try:
            shown += os.read(descriptor, 4096).decode()
        except OSError:  # Linux's way to say that nobody holds the other end
            assert text is None, shown
            break
    return shown


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    state = tmp_path_factory.mktemp("terminal")
    with Ministack(state / "aws") as running:
        tables = read_deployment(TEMPLATE).tables
        provision.make_tables(running.client("dynamodb"), tables)
        write_stack_file(state, running.access, KeysPerUser="1000")
        yield Terminal(state)


def test_a_credential_that_is_typed_is_not_shown(terminal: Terminal) -> None:
    user = str(uuid4())
    code, made, _ = terminal.run("keys", "create", "--user", user, "--name", "typed")
    assert code == 0
    raw_key = made.decode().strip()
    code, output, screen = terminal.type(raw_key, "verify", prompt="Credential (not shown): ")
    assert code == 0
    assert b"allowed" in output
    assert user.encode() in output
    assert raw_key not in screen
    assert raw_key.encode() not in output


@pytest.mark.parametrize(("word", "state", "exit_code"), [("n", "active", 1), ("y", "revoked", 0)])
def test_a_terminal_is_asked_before_a_key_is_revoked(
    terminal: Terminal, word: str, state: str, exit_code: int
) -> None:
    _, made, _ = terminal.run("keys", "create", "--user", str(uuid4()), "--name", "x", "--json")
    key_id = json.loads(made)["data"]["id"]
    code, _, screen = terminal.type(word, "keys", "revoke", key_id, prompt="[y/N]")
    assert code == exit_code, screen
    _, shown, _ = terminal.run("keys", "show", key_id, "--json")
    assert json.loads(shown)["data"]["state"] == state


def test_an_import_under_ctrl_c_says_how_far_it_came(terminal: Terminal, tmp_path: Path) -> None:
    """Run again, it goes on from there."""
    user, report = str(uuid4()), tmp_path / "report.jsonl"
    lines = [
        json.dumps({"hash": sha256(os.urandom(16)).hexdigest(), "owner": user, "scopes": ["read"]})
        for _ in range(130)
    ]
    pipe = subprocess.PIPE
    process = terminal.start(
        *("import", "-", "--report", str(report)), stdin=pipe, stdout=pipe, stderr=pipe
    )
    assert process.stdin is not None
    process.stdin.write("".join(f"{line}\n" for line in lines[:100]).encode())
    process.stdin.flush()  # and the pipe stays open: more may come
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (report.exists() and len(report.read_text().splitlines()) == 100):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert b"100 imported, 0 there already, 0 refused" in output
    assert b"run the same command again" in errors
    assert b"Traceback" not in errors
    code, output, _ = terminal.run("import", "-", given="\n".join(lines).encode())
    assert code == 0, output
    assert b"30 imported, 100 there already, 0 refused" in output
    _, listed, _ = terminal.run("users", "keys", user, "--json")
    assert len(json.loads(listed)["data"]) == 130


def test_a_reader_that_goes_away_is_no_fault(terminal: Terminal) -> None:
    process = terminal.start(
        *("export", "--format", "csv"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    errors = process.stderr.read()
    process.stderr.close()
    process.wait(PATIENCE_SECONDS)
    assert b"Traceback" not in errors
    assert b"fault of this command" not in errors


@pytest.mark.parametrize(
    ("line", "made"),
    [
        ('"$@" > /dev/full', ["revoked"]),
        ('"$@" | exec true; exit ${PIPESTATUS[0]}', ["revoked"]),
        ('ulimit -f 0; "$@" --out "$OUT"', ["revoked"]),
        ('"$@" >&-', []),
        ('"$@" --out "$OUT" >&- 2>&-', ["active"]),
    ],
)
def test_a_key_is_handed_over_or_does_not_live(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, made: list[str]
) -> None:
    monkeypatch.setenv("OUT", str(tmp_path / "key"))
    user = str(uuid4())
    code, output, errors = terminal.in_shell(line, "keys", "create", "--user", user, "--name", "x")
    assert code == (0 if made == ["active"] else 3), errors
    _, listed, _ = terminal.run("users", "keys", user, "--revoked", "--json")
    assert [key["state"] for key in json.loads(listed)["data"]] == made
    if made == ["active"]:
        assert (output.strip() or (tmp_path / "key").read_bytes()).startswith(b"cgk_live_")
    else:
        assert not (tmp_path / "key").exists()


def test_an_import_whose_answer_cannot_be_written_is_told_as_done(
    terminal: Terminal, tmp_path: Path
) -> None:
    file = tmp_path / "keys.jsonl"
    key = {"hash": sha256(os.urandom(16)).hexdigest(), "owner": str(uuid4()), "scopes": ["read"]}
    file.write_text(json.dumps(key))
    code, _, errors = terminal.in_shell('"$@" --json > /dev/full', "import", str(file))
    assert code == 3
    assert b"; but 1 imported, 0 there already, 0 refused" in errors


def test_standard_input_is_not_the_report_either(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "keys.jsonl"
    file.write_text("{}")
    code, _, _ = terminal.in_shell(f'"$@" --report {file} < {file}', "import", "-")
    assert (code, file.read_text()) == (2, "{}")
