"""Runs one subject on command, and tells what it took.

    python worker.py MODULE    (commands on standard input, answers on descriptor ANSWERS)

Commands are JSON lines: ``{"do": "load", "events": {...}}`` takes events by kind, or lists of them
to go round; ``{"do": "run", "kind": ..., "calls": n}`` runs and measures.
Standard output is the subject's own, as in Lambda.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from itertools import cycle
from typing import Any

from invocation import CONTEXT  # beside this file, as the subjects are


class Worker:
    """One subject, ready to be measured."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self._calls: dict[str, Callable[[], object]] = {}

    def obey(self, command: dict[str, Any]) -> dict[str, Any]:
        """The answer to one command."""
        if command["do"] == "prepare":
            return {"credential": self._module.prepare(command["folder"])}
        if command["do"] == "load":
            self._load(command["events"])
            return {}
        if command["do"] == "peak":
            return {"peak_kib": peak_kib()}
        call = self._calls[command["kind"]]
        if command["do"] == "store_requests":
            return {"store_requests": self._module.store_requests(call)}
        return measure(call, command["calls"])

    def _load(self, events: dict[str, Any]) -> None:
        handler = self._module.handler
        for kind, event in events.items():
            self._calls[kind] = in_turn(handler, event if isinstance(event, list) else [event])
        if hasattr(self._module, "parts"):
            self._calls.update(self._module.parts(events))


def in_turn(handler: Any, events: list[Any]) -> Callable[[], object]:
    """Something that decides about the next of these events each time it is called."""
    turn = cycle(events)
    return lambda: handler(next(turn), CONTEXT)


def measure(call: Callable[[], object], calls: int) -> dict[str, Any]:
    """Processor and wall time of this many calls, and whether the last one was allowed."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        result = call()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"cpu": cpu / calls, "wall": wall / calls, "allowed": allowed(result)}


def allowed(result: Any) -> bool:
    """Whether this is a subject's yes."""
    if isinstance(result, dict):
        return bool(result["policyDocument"]["Statement"][0]["Effect"] == "Allow")
    return bool(result)


def peak_kib() -> int:
    """The most memory that this process has had in RAM."""
    with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 -- no more imports
        (line,) = [line for line in status if line.startswith("VmHWM")]
    return int(line.split()[1])


def main() -> None:
    """Obey until the input ends."""
    worker = Worker(importlib.import_module(sys.argv[1]))
    answers = int(os.environ["ANSWERS"])
    for line in sys.stdin:
        os.write(answers, json.dumps(worker.obey(json.loads(line))).encode() + b"\n")


if __name__ == "__main__":
    main()
