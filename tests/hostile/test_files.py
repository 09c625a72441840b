"""What lies where an operator's command writes, put there by somebody else, takes no harm."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest
from moto import mock_aws

from chatgrid_cli import commands
from tests.support.cli import Operator

OUTPUTS = ("report", "export", "create")


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with mock_aws():
        someone = Operator()
        monkeypatch.setattr(commands, "find", lambda _: someone.stack())
        yield someone


def arguments(output: str, target: Path, folder: Path) -> list[str]:
    """A command that writes this output into that file."""
    if output == "create":
        return ["keys", "create", "--user", str(uuid4()), "--name", "n", "--out", str(target)]
    if output == "export":
        return ["export", "--out", str(target)]
    source = folder / "keys.jsonl"
    facts = {"hash": sha256(os.urandom(16)).hexdigest(), "owner": str(uuid4()), "scopes": ["read"]}
    source.write_text(json.dumps(facts) + "\n")
    return ["import", str(source), "--report", str(target)]


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_follows_a_link_or_takes_the_place_of_a_file(
    operator: Operator, tmp_path: Path, output: str
) -> None:
    treasure, absent = tmp_path / "treasure", tmp_path / "absent"
    treasure.write_text("kept")
    link, dangling, hard = tmp_path / "link", tmp_path / "dangling", tmp_path / "hard"
    link.symlink_to(treasure)
    dangling.symlink_to(absent)
    hard.hardlink_to(treasure)
    for target in (treasure, link, dangling, hard):
        error = operator.answer(*arguments(output, target, tmp_path), exit_code=1)
        assert error["code"] == "file_exists"
        assert treasure.read_text() == "kept"
        assert not absent.exists()


@pytest.mark.parametrize("output", OUTPUTS)
def test_no_output_is_written_into_what_somebody_else_reads_from(
    operator: Operator, tmp_path: Path, output: str
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        error = operator.answer(*arguments(output, pipe, tmp_path), exit_code=1)
        assert error["code"] == "file_exists"
        assert os.read(reader, 1) == b""
    finally:
        os.close(reader)


def test_a_refused_report_stops_the_import_before_its_first_key(
    operator: Operator, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "absent")
    operator.answer(*arguments("report", tmp_path / "link", tmp_path), exit_code=1)
    assert operator.items() == []
