"""What is measured, and how: all take turns, so that a ratio compares neighbours in time."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.authorizer import material
from tests.benchmarks.authorizer.processes import Worker, errors_of, run_once
from tests.benchmarks.authorizer.stub_process import Stub
from tests.benchmarks.authorizer.subjects import (
    OURS,
    SINGLE,
    USUAL,
    Subject,
    environment,
    first_decision,
)

Figures = dict[str, Any]

CALLS = {"key": 200, "malformed": 400, "jwt_first": 25, "jwt_seen": 100}
PARTS = {
    "sha256_key": 5_000,
    "decide_malformed": 5_000,
    "sha256_token": 2_000,
    "recognise_token": 2_000,
    "first_of_its_second": 100,
}
STORED = (100, 10_000, 1_000_000)
PROCESSES = (1, 2, 4, 8, 16, 32, 64)
CUT = "import os; os._exit(0)"
"""Ends a Python process where it stands."""
_PEAK_PYTHON = (
    "import sys; sys.stderr.write([line for line in open('/proc/self/status')"
    " if line.startswith('VmHWM')][0].split()[1])"
)
_PEAK_NODE = (
    "process.stderr.write(/VmHWM:\\s+(\\d+)/.exec("
    "require('node:fs').readFileSync('/proc/self/status', 'ascii'))[1]);"
)


class Bench:
    """One run: subjects, the stub, and what each subject is asked about.

    Args:
        subjects: who takes part.
        stub: the running stub.
        folder: for databases and certificates.
        credentials: what each subject takes for a good key.
        tokens: good JWTs, each to be used once.
    """

    def __init__(
        self,
        subjects: list[Subject],
        *,
        stub: Stub,
        folder: Path,
        credentials: dict[str, str],
        tokens: Iterator[str],
    ) -> None:
        self.subjects = subjects
        self.stub = stub
        self.folder = folder
        self._credentials = credentials
        self._tokens = tokens

    def events(self, subject: Subject, *, fresh_tokens: int = 0) -> dict[str, Any]:
        """The events for a subject, by kind."""
        key = self._credentials.get(subject.name, material.raw_key(0))
        events: dict[str, Any] = {
            "key": material.event(key),
            "malformed": material.event(material.mistyped(key)),
        }
        if subject.tokens:
            events["jwt_seen"] = material.event(next(self._tokens))
            if fresh_tokens:
                fresh = [material.event(next(self._tokens)) for _ in range(fresh_tokens)]
                events["jwt_first"] = fresh
        return events

    def start(self, rounds: int) -> Figures:
        """Fresh processes to their first decision, over plain HTTP and over TLS.

        They end on the decision, without taking the interpreter apart, which a container never
        does; ours also as any program ends, and both kinds of bare interpreter beside them.
        """
        plain = environment(self.stub.url, self.folder)
        secure = environment(self.stub.tls_url, self.folder)
        commands = {"python": (first_of("pass"), plain), "python cut": (first_of(CUT), plain)}
        if any(subject.node for subject in self.subjects):
            commands["node"] = (["node", "-e", "0"], plain)
        for subject in self.subjects:
            events = self.events(subject)

            def once(
                kind: str, *, tls: bool = False, after: str = CUT, about: Subject = subject
            ) -> list[str]:
                return first_decision(about, self.events(about)[kind], tls=tls, after=after)

            commands[f"{subject.name} key"] = (once("key"), plain)
            if subject.dynamodb:
                commands[f"{subject.name} key tls"] = (once("key", tls=True), secure)
            if "jwt_seen" in events:
                commands[f"{subject.name} jwt"] = (once("jwt_seen"), plain)
            if subject.name == OURS:
                commands[f"{OURS} key whole"] = (once("key", after="pass"), plain)
                commands[f"{OURS} key tls whole"] = (once("key", tls=True, after="pass"), secure)
        for command, environ in commands.values():
            run_once(command, environ)  # writes bytecode, fills the page cache
        return taken_in_turns(
            {
                name: lambda command=command, environ=environ: run_once(command, environ)
                for name, (command, environ) in commands.items()
            },
            rounds,
        )

    def peak_memory(self) -> dict[str, list[int]]:
        """KiB in RAM at most, of a process that has decided once; three of each."""
        plain = environment(self.stub.url, self.folder)
        peaks = {"python": [peak_of(first_of(_PEAK_PYTHON), plain) for _ in range(3)]}
        for subject in self.subjects:
            events = self.events(subject)
            for kind in ("key", "jwt_seen") if subject.tokens else ("key",):
                after = _PEAK_NODE if subject.node else _PEAK_PYTHON
                command = first_decision(subject, events[kind], tls=False, after=after)
                name = f"{subject.name} {'key' if kind == 'key' else 'jwt'}"
                peaks[name] = [peak_of(command, plain) for _ in range(3)]
        ours = next(subject for subject in self.subjects if subject.name == OURS)
        command = first_decision(ours, self.events(ours)["key"], tls=True, after=_PEAK_PYTHON)
        secure = environment(self.stub.tls_url, self.folder)
        peaks[f"{OURS} key tls"] = [peak_of(command, secure) for _ in range(3)]
        return peaks

    @contextlib.contextmanager
    def workers(self, subjects: list[Subject], *, rounds: int = 0) -> Iterator[list[Worker]]:
        """A warmed-up worker for each subject."""
        environ = environment(self.stub.url, self.folder)
        with contextlib.ExitStack() as stack:
            made = [
                stack.enter_context(Worker(subject, environ, self.folder)) for subject in subjects
            ]
            for worker in made:
                fresh = CALLS["jwt_first"] * (rounds + 1)
                worker.ask("load", events=self.events(worker.subject, fresh_tokens=fresh))
                for kind in kinds(worker.subject):
                    told = worker.run(kind, CALLS[kind])
                    if told["allowed"] != (kind != "malformed"):
                        raise RuntimeError(f"{worker.subject.name} decides {kind} wrongly")
            yield made

    def decide(self, rounds: int) -> Figures:
        """Processor and wall seconds of each kind of decision, warm."""
        with self.workers(self.subjects, rounds=rounds) as workers:
            measured = {
                f"{worker.subject.name} {kind}": lambda worker=worker, kind=kind: worker.run(
                    kind, CALLS[kind]
                )
                for kind in CALLS
                for worker in workers
                if kind in kinds(worker.subject)
            }
            ours = next(worker for worker in workers if worker.subject.name == OURS)
            for part, calls in PARTS.items():
                measured[f"part {part}"] = lambda part=part, calls=calls: ours.run(part, calls)
            return taken_in_turns(measured, rounds)

    def store_requests(self) -> dict[str, dict[str, float]]:
        """What each kind of decision asks of its store: requests, and units where it has them."""
        asked: dict[str, dict[str, float]] = {}
        with self.workers(self.subjects) as workers:
            for worker in workers:
                for kind in kinds(worker.subject):
                    name = f"{worker.subject.name} {kind}"
                    if worker.subject.dynamodb:
                        asked[name] = self._units_of(worker, kind)
                    else:
                        told = worker.ask("store_requests", kind=kind)
                        asked[name] = {"requests": float(told["store_requests"])}
        return asked

    def _units_of(self, worker: Worker, kind: str) -> dict[str, float]:
        before, calls = self.stub.statistics(), 20
        worker.run(kind, calls)
        after = self.stub.statistics()
        return {
            "requests": (sum(after["requests"].values()) - sum(before["requests"].values()))
            / calls,
            "write_units": (after["write_units"] - before["write_units"]) / calls,
            "read_units": (after["read_units"] - before["read_units"]) / calls,
        }

    def stored_keys(self, rounds: int) -> Figures:
        """Decisions on many different keys, while the store holds more and more of them."""
        chosen = [s for s in self.subjects if s.name in {OURS, SINGLE, USUAL}]
        found: Figures = {}
        with self.workers(chosen) as workers:
            for stored in STORED:
                self.stub.grow(stored)
                spread = [material.event(material.raw_key(n)) for n in range(min(stored, 500))]
                for worker in workers:
                    worker.ask("load", events={**self.events(worker.subject), "spread": spread})
                    worker.run("spread", 50)
                calls = {
                    f"{worker.subject.name} {stored}": lambda worker=worker: worker.run(
                        "spread", 200
                    )
                    for worker in workers
                }
                found.update(taken_in_turns(calls, rounds))
        return found

    def processes(self, rounds: int) -> Figures:
        """Our decisions from many processes at once, against the one stub."""
        ours = next(subject for subject in self.subjects if subject.name == OURS)
        found: Figures = {}
        with self.workers([ours] * max(PROCESSES)) as workers:
            for count in PROCESSES:
                calls = max(25, 400 // count)
                for _ in range(rounds):
                    for worker in workers[:count]:
                        worker.send({"do": "run", "kind": "key", "calls": calls})
                    told = [worker.receive() for worker in workers[:count]]
                    for measure in ("cpu", "wall"):
                        mean = sum(answer[measure] for answer in told) / count
                        found.setdefault(str(count), {}).setdefault(measure, []).append(mean)
        return found


def peak_of(command: list[str], environ: dict[str, str]) -> int:
    """The number that a process writes last to standard error: KiB at its peak."""
    return int(errors_of(command, environ).split()[-1])


def first_of(statement: str) -> list[str]:
    """The command of a bare interpreter."""
    return [sys.executable, "-c", statement]


def kinds(subject: Subject) -> list[str]:
    """The kinds of decision that a subject takes."""
    return [kind for kind in CALLS if subject.tokens or not kind.startswith("jwt")]


def taken_in_turns(calls: dict[str, Any], rounds: int) -> Figures:
    """Seconds by name and measure, one entry a round; each round starts with another one."""
    found: Figures = {name: {"cpu": [], "wall": []} for name in calls}
    names = list(calls)
    for turn in range(rounds):
        start = turn * 7 % len(names)
        for name in names[start:] + names[:start]:
            told = calls[name]()
            for measure in ("cpu", "wall"):
                found[name][measure].append(told[measure])
    return found
