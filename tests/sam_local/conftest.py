"""The real SAM CLI, where a Docker engine runs; without one, every test here says so."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.stack import bridge
from chatgrid_devkit.stack.ministack import free_port

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam" / "local"
_START_SECONDS = 240.0
_STOP_SECONDS = 60.0


def _why_not() -> str | None:
    """Why `sam local` cannot run here, if it cannot."""
    if "SAM_LOCAL_TESTS" not in os.environ:
        return "`make sam-local-test` does, after building for this machine"
    assert shutil.which("sam"), "`make sam-local-test` puts the SAM CLI on PATH"
    assert (BUILD / "template.yaml").exists(), "`make sam-local-test` builds first"
    try:
        bridge.check_engine()
    except bridge.NoEngine as reason:
        return f"no Docker engine answers ({reason})"
    return None


def skip_unless_it_runs() -> None:
    """Skip a module of tests, loudly, where `sam local` cannot run or is not asked for."""
    reason = _why_not()
    if reason is not None:
        pytest.skip(f"SAM LOCAL WAS NOT RUN: {reason}", allow_module_level=True)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What `make sam-local` says of itself, while it runs."""
    state = tmp_path_factory.mktemp("sam-local")
    output = state / "output"
    command = [sys.executable, "-m", "chatgrid_devkit.stack.sam_local", "--build", str(BUILD)]
    command += ["--state", str(state), "--port", str(free_port())]
    with output.open("wb") as sink:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while b"is running." not in output.read_bytes():
            assert process.poll() is None, output.read_text(errors="replace")
            assert time.monotonic() < deadline, output.read_text(errors="replace")
            time.sleep(0.1)
        described: dict[str, Any] = json.loads((state / "stack.json").read_text())
        yield described
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_STOP_SECONDS)
