"""A local stack in a process of its own, as `make dev` starts it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from chatgrid_devkit.stack.ministack import free_port

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
#: The brakes for self-service would stop suites that make keys by the hundred.
ROOM = (
    *("--parameter", "RateLimitCeiling=60000"),
    *("--parameter", "KeysPerUser=1000"),
    *("--parameter", "KeyCreationsPerHour=0"),
)


class LocalStack:
    """Runs the whole system on a state folder; a context manager that ends it."""

    def __init__(
        self, state: Path, *, port: int | None = None, options: Sequence[str] = ()
    ) -> None:
        self.state = state
        self._options = options
        self.port = port or free_port()
        self.output = state.with_name(state.name + ".log")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def described(self) -> dict[str, Any]:
        """What stack.json says."""
        described: dict[str, Any] = json.loads((self.state / "stack.json").read_text())
        return described

    @property
    def pid(self) -> int:
        """The process that was started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it and wait until it says that it runs."""
        self.output.parent.mkdir(exist_ok=True)
        with self.output.open("ab") as output:
            before = output.tell()
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "chatgrid_devkit.dev"),
                    *("--port", str(self.port), "--state", str(self.state), "--no-reload"),
                    *ROOM,
                    *self._options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while b"is running." not in self.output.read_bytes()[before:]:
            assert self._process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)

    def send(self, signal_number: int) -> int:
        """Send a signal and wait for the end; its exit status."""
        assert self._process is not None
        self._process.send_signal(signal_number)
        return self.wait()

    def wait(self) -> int:
        """Wait for the end; its exit status."""
        assert self._process is not None
        return self._process.wait(_STOP_SECONDS)

    def stop(self) -> None:
        """End it, if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def descendants(pid: int) -> dict[int, str]:
    """The processes that a process has started, and those that these have, with their commands."""
    listing = subprocess.run(
        ["ps", "-e", "-ww", "-o", "pid=,ppid=,args="], check=True, capture_output=True, text=True
    )
    rows = [line.split(None, 2) for line in listing.stdout.splitlines()]
    found: dict[int, str] = {}
    known = {pid}
    for own, parent, *command in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in known:
            known.add(int(own))
            found[int(own)] = command[0] if command else ""
    return found


def is_running(pid: int) -> bool:
    """Whether a process exists that has not ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return not state.stdout.startswith("Z") and bool(state.stdout.strip())
