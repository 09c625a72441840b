"""The embedded AWS as a process: it ends cleanly, also with its owner."""

from __future__ import annotations

from pathlib import Path

from chatgrid_devkit.ministack import Ministack

PATIENCE_SECONDS = 40.0


def test_it_ends_without_a_complaint(tmp_path: Path) -> None:
    with Ministack(tmp_path) as running:
        process = running.process
    assert process is not None
    assert process.returncode == 0
    assert "Fatal" not in running.log.read_text()


def test_it_ends_when_whoever_started_it_is_gone(tmp_path: Path) -> None:
    with Ministack(tmp_path) as running:
        assert running.process is not None
        assert running.process.stdin is not None
        running.process.stdin.close()  # what the system does for one who dies
        assert running.process.wait(PATIENCE_SECONDS) == 0
        assert "Fatal" not in running.log.read_text()
