"""The process of a local function ends with its gateway."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from chatgrid_devkit.functions import worker_main

PATIENCE_SECONDS = 60


@pytest.fixture
def module(tmp_path: Path) -> Path:
    (tmp_path / "function.py").write_text("def handler(event, context):\n    return event\n")
    return tmp_path


def test_worker_ends_when_its_gateway_dies_with_its_words_unread(module: Path) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-S", "-P", "-u", worker_main.__file__, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={"PYTHONPATH": str(module), "_HANDLER": "function.handler", "PATH": os.defpath},
        )
    try:
        with ours:
            # It has said that it is ready, and nobody reads that: closing resets the connection.
            ours.settimeout(PATIENCE_SECONDS)
            assert ours.recv(1, socket.MSG_PEEK)
        assert process.wait(PATIENCE_SECONDS) == 0
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()
