"""Memory of the stack's processes, by what they are."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from tests.support.stack.local_stack import descendants

_FUNCTION = "AWS_LAMBDA_FUNCTION_NAME="


class Memory:
    """How much each process of a stack holds, first and last seen, in MB.

    Args:
        pid: the stack's process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._names: dict[int, str] = {}
        self.first: dict[int, float] = {}
        self.last: dict[int, float] = {}
        self.looks: dict[int, int] = {}

    def look(self) -> None:
        """Note how much each holds now."""
        for pid, command in {self._pid: "chatgrid_devkit.dev", **descendants(self._pid)}.items():
            held = resident_mb(pid)
            if held is None:
                continue
            self._names.setdefault(pid, _name_of(pid, command))
            self.first.setdefault(pid, held)
            self.last[pid] = held
            self.looks[pid] = self.looks.get(pid, 0) + 1

    def workers(self) -> list[int]:
        """The functions' processes that were there at the last look."""
        return [p for p in descendants(self._pid) if self._names.get(p, "").startswith("worker")]

    def embedded_aws(self) -> int:
        """The embedded AWS's process."""
        return next(pid for pid, name in self._names.items() if name == "embedded AWS")

    def rows(self) -> list[tuple[str, float, float, int]]:
        """Name, first and last MB, and how often seen, of all that lived for two looks."""
        return sorted(
            (self._names[pid], self.first[pid], self.last[pid], self.looks[pid])
            for pid in self.first
            if self.looks[pid] > 1
        )


def resident_mb(pid: int) -> float | None:
    """A process's resident set; None when it is gone."""
    shown = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid)], check=False, capture_output=True, text=True
    ).stdout.strip()
    return int(shown) / 1024 if shown and shown != "0" else None


def kill(pid: int) -> None:
    """End a process without a warning."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _name_of(pid: int, command: str) -> str:
    if "worker_main" in command:
        with contextlib.suppress(OSError):
            environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            for entry in environment:
                if entry.startswith(_FUNCTION.encode()):
                    return f"worker {entry.decode()[len(_FUNCTION) :]}"
        return "worker"
    if "ministack_process" in command:
        return "embedded AWS"
    return "gateway" if "chatgrid_devkit.dev" in command else command[:40]
