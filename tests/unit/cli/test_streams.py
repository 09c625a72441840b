"""Streams of any encoding: what they cannot hold is shown otherwise, never a fault."""

from __future__ import annotations

import io
import sys
from uuid import uuid4

import pytest

from chatgrid_cli.main import app
from tests.support.cli import Operator


def run(
    monkeypatch: pytest.MonkeyPatch,
    *arguments: str,
    encoding: str,
    errors: str = "strict",
    given: bytes = b"",
) -> tuple[object, bytes, bytes]:
    """A command whose streams have this encoding: exit code, stdout, stderr."""
    out, err = io.BytesIO(), io.BytesIO()
    with monkeypatch.context() as patch:
        patch.setattr(
            sys, "stdin", io.TextIOWrapper(io.BytesIO(given), encoding=encoding, errors=errors)
        )
        patch.setattr(sys, "stdout", io.TextIOWrapper(out, encoding=encoding, errors=errors))
        patch.setattr(sys, "stderr", io.TextIOWrapper(err, encoding=encoding, errors=errors))
        with pytest.raises(SystemExit) as ended:
            app(list(arguments))
        sys.stdout.flush()
        sys.stderr.flush()
        found = ended.value.code, out.getvalue(), err.getvalue()
    assert b"fault of this command" not in found[2]
    return found


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_name_that_the_terminal_cannot_show_is_shown_in_escapes(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    key = operator.issue(name="Schlüssel ✓").key
    for command in (["keys", "list"], ["keys", "show", key.id]):
        code, output, _ = run(monkeypatch, *command, encoding=encoding)
        assert code == 0
        assert b"\\u2713" in output
    assert run(monkeypatch, "--help", encoding=encoding)[0] == 0


def test_an_export_is_utf_8_whatever_the_terminal_is(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.issue(name="Schlüssel ✓")
    code, output, _ = run(monkeypatch, "export", "--format", "csv", encoding="ascii")
    assert code == 0
    assert "Schlüssel ✓".encode() in output


def test_bytes_that_are_no_text_are_a_malformed_credential(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.authorizer["ALLOW_IMPORTED_KEYS"] = "true"
    for given in (b"cgk_live_\xff", b"\xff.\xff.\xff", b"\xff" * 41, b"sk_\xff" * 5):
        for encoding in ("utf-8", "ascii"):
            code, output, _ = run(monkeypatch, "verify", encoding=encoding, given=given)
            assert code == 1
            assert output.startswith(b"refused 401")


def test_streams_that_cannot_be_changed_are_left_as_they_are(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", None)
        patch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as ended:
            app(["users", "keys", str(uuid4())])
    assert ended.value.code == 0
