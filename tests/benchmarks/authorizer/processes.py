"""Processes that are measured: fresh ones that decide once, and workers that obey."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.benchmarks.authorizer.subjects import Subject, worker


def run_once(command: list[str], environ: Mapping[str, str]) -> dict[str, float]:
    """Wall and processor seconds of a whole process, from its start to its end."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime}


def errors_of(command: list[str], environ: Mapping[str, str]) -> str:
    """What a process writes to standard error, which is where the measured tell something."""
    done = subprocess.run(
        command, env=dict(environ), capture_output=True, check=True, text=True, timeout=120
    )
    return done.stderr


class Worker:
    """A subject that is kept running, from ``with`` to its end."""

    def __init__(self, subject: Subject, environ: Mapping[str, str], folder: Path) -> None:
        self.subject = subject
        self._environ = environ
        self._folder = folder

    def __enter__(self) -> Worker:
        reading, writing = os.pipe()
        self._process = subprocess.Popen(
            worker(self.subject),
            env={**self._environ, "ANSWERS": str(writing)},
            cwd=self._folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=(writing,),
        )
        os.close(writing)
        self._answers = os.fdopen(reading, encoding="utf-8")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._answers.close()
        if self._process.stdin is not None:
            self._process.stdin.close()

    def send(self, command: dict[str, Any]) -> None:
        """Give a command; its answer is to be received."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        """The answer to the oldest command that has none yet."""
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """Give a command, and wait for its answer."""
        self.send({"do": do, **command})
        return self.receive()

    def run(self, kind: str, calls: int) -> dict[str, Any]:
        """Decide this often about events of this kind."""
        return self.ask("run", kind=kind, calls=calls)
