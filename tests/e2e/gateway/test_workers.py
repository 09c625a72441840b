"""Functions run in processes of their own, and what befalls one touches no other."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.functions.invocation import Failed, Outcome, Returned
from chatgrid_devkit.functions.workers import Workers
from chatgrid_devkit.template.description import Function

NAME = "local-Probe"
PATIENCE_SECONDS = 20.0


class Probe:
    """A function written for one test, and what its workers printed."""

    def __init__(self, folder: Path, code: str, *, timeout_seconds: float = 10.0) -> None:
        self.code, self.layer = folder / "code", folder / "layer"
        for place in (self.code, self.layer):
            place.mkdir()
        self.write(code)
        self.lines: list[str] = []
        self.function = Function(
            name=NAME,
            logical_id="Probe",
            arn=f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}",
            handler="probe.handler",
            code=self.code,
            layers=(self.layer,),
            timeout_seconds=timeout_seconds,
            memory_mb=128,
            environment={"FROM_TEMPLATE": "yes"},
        )

    def write(self, code: str) -> None:
        (self.code / "probe.py").write_text(textwrap.dedent(code))

    def workers(
        self, count: int = 1, *, eager: list[str] | None = None, **environment: str
    ) -> Workers:
        return Workers(
            [self.function],
            environment=environment,
            per_function=count,
            eager=eager,
            on_line=lambda name, line: self.lines.append(f"{name} {line}"),
        )

    def run(self, story: Callable[[Workers], Awaitable[Any]], *, count: int = 1) -> Any:
        async def telling() -> Any:
            async with self.workers(count, FROM_GATEWAY="too") as workers:
                return await story(workers)

        return asyncio.run(telling())

    def call(self, event: Any = None) -> Outcome:
        """One invocation, in workers started for it."""
        outcome: Outcome = self.run(lambda workers: workers.invoke(NAME, event))
        return outcome


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that happens by itself."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        await asyncio.sleep(0.01)


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A child that has ended but was not waited for still has a number.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")


def value(outcome: Outcome) -> Any:
    assert isinstance(outcome, Returned), outcome
    return outcome.value


# ---------------------------------------------------------------- what a function sees


def test_a_function_sees_the_template_s_environment_and_nothing_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEVELOPERS_SECRET", "x")
    probe = Probe(
        tmp_path,
        """
        import os
        def handler(event, context):
            return dict(os.environ)
        """,
    )
    environment = value(probe.call())
    assert environment["FROM_TEMPLATE"] == "yes"
    assert environment["FROM_GATEWAY"] == "too"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == NAME
    assert environment["_HANDLER"] == "probe.handler"
    assert environment["LAMBDA_TASK_ROOT"] == str(probe.code)
    assert not {"DEVELOPERS_SECRET", "HOME", "USER", "VIRTUAL_ENV"} & set(environment)


def test_a_function_imports_its_layers_and_packages_but_not_us(
    tmp_path: Path,
) -> None:
    probe = Probe(
        tmp_path,
        """
        import importlib.util, from_layer
        def handler(event, context):
            found = {name: bool(importlib.util.find_spec(name)) for name in event}
            return {"layer": from_layer.VALUE, **found}
        """,
    )
    (probe.layer / "from_layer.py").write_text("VALUE = 7")
    found = value(probe.call(["boto3", "chatgrid_devkit", "chatgrid_auth"]))
    assert found == {
        "layer": 7,
        "boto3": True,
        "chatgrid_devkit": False,
        "chatgrid_auth": False,
    }


def test_the_context_is_lambda_s(tmp_path: Path) -> None:
    probe = Probe(
        tmp_path,
        """
        def handler(event, context):
            return [
                context.aws_request_id, context.function_name, context.invoked_function_arn,
                context.function_version, context.memory_limit_in_mb, context.log_group_name,
                context.get_remaining_time_in_millis(),
            ]
        """,
    )
    request_id, name, arn, version, memory, group, remaining_ms = value(probe.call())
    assert len(request_id) == 36
    assert (name, arn) == (NAME, probe.function.arn)
    assert (version, memory, group) == ("$LATEST", "128", f"/aws/lambda/{NAME}")
    assert 5000 < remaining_ms <= 10000


def test_what_a_function_prints_is_forwarded_and_confuses_nothing(tmp_path: Path) -> None:
    probe = Probe(
        tmp_path,
        """
        import os, sys
        print("importing")
        def handler(event, context):
            print("line one")
            print("x" * 200_000)
            sys.stderr.write("to stderr\\n")
            os.write(1, b"\\x00\\x00\\x00\\x05no newline")
            return event
        """,
    )
    assert value(probe.call({"a": "é"})) == {"a": "é"}
    assert probe.lines == [
        "Probe importing",
        "Probe line one",
        f"Probe {'x' * 200_000}",
        "Probe to stderr",
        "Probe \x00\x00\x00\x05no newline",
    ]


def test_a_worker_keeps_its_memory_between_invocations(tmp_path: Path) -> None:
    probe = Probe(
        tmp_path,
        """
        count = 0
        def handler(event, context):
            global count
            count += 1
            return count
        """,
    )

    async def thrice(workers: Workers) -> list[Any]:
        return [value(await workers.invoke(NAME, None)) for _ in range(3)]

    assert probe.run(thrice) == [1, 2, 3]


# ---------------------------------------------------------------- failures


def test_an_exception_is_an_outcome_and_the_worker_goes_on(tmp_path: Path) -> None:
    probe = Probe(
        tmp_path,
        """
        import os
        def handler(event, context):
            if event == "raise":
                raise LookupError("no such thing")
            if event == "unserialisable":
                return {1, 2}
            if event == "large":
                return "x" * (6 * 1024 * 1024 + 1)
            return os.getpid()
        """,
    )

    async def story(workers: Workers) -> list[Outcome]:
        events = [None, "raise", "unserialisable", "large", None]
        return [await workers.invoke(NAME, event) for event in events]

    before, raised, unserialisable, large, after = probe.run(story)
    assert raised == Failed(kind="error", error_type="LookupError", message="no such thing")
    assert isinstance(unserialisable, Failed)
    assert unserialisable.error_type == "TypeError"
    assert isinstance(large, Failed)
    assert large.error_type == "Function.ResponseSizeTooLarge"
    assert value(before) == value(after)
    assert any("LookupError: no such thing" in line for line in probe.lines)


def test_a_handler_that_cannot_be_imported_fails_every_invocation(tmp_path: Path) -> None:
    probe = Probe(tmp_path, "import no_such_module")

    async def twice(workers: Workers) -> list[Outcome]:
        return [await workers.invoke(NAME, None) for _ in range(2)]

    for outcome in probe.run(twice):
        assert isinstance(outcome, Failed)
        assert (outcome.kind, outcome.error_type) == ("error", "ModuleNotFoundError")
    assert sum("No module named 'no_such_module'" in line for line in probe.lines) == 1


CRASHING = """
import os
def handler(event, context):
    if event == "crash":
        os._exit(1)
    if event == "hang":
        while True:
            pass
    return os.getpid()
"""


@pytest.mark.parametrize(("event", "kind"), [("crash", "crash"), ("hang", "timeout")])
def test_a_worker_that_ends_takes_only_its_own_invocation_along(
    tmp_path: Path, event: str, kind: str
) -> None:
    probe = Probe(tmp_path, CRASHING, timeout_seconds=0.5)

    async def story(workers: Workers) -> tuple[int, Outcome, int]:
        before = value(await workers.invoke(NAME, None))
        lost = await workers.invoke(NAME, event)
        return before, lost, value(await workers.invoke(NAME, None))

    before, lost, after = probe.run(story)
    assert isinstance(lost, Failed)
    assert lost.kind == kind
    assert before != after
    assert not runs(before)


def test_an_idle_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    probe = Probe(tmp_path, CRASHING)

    async def story(workers: Workers) -> None:
        pool = workers.pools[NAME]
        await until(lambda: len(pool.pids) == 2)
        killed = pool.pids[0]
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(pool.pids) == 2 and killed not in pool.pids)
        for _ in range(4):
            assert value(await workers.invoke(NAME, None)) != killed

    probe.run(story, count=2)


def test_a_worker_that_dies_at_import_is_not_started_over_and_over(tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    probe = Probe(
        tmp_path,
        f"""
        import os
        with open({str(starts)!r}, "a") as file:
            file.write("x")
        os._exit(1)
        """,
    )

    async def story(workers: Workers) -> list[Outcome]:
        return [await workers.invoke(NAME, None) for _ in range(2)]

    for outcome in probe.run(story):
        assert isinstance(outcome, Failed)
        assert outcome.kind == "crash"
    assert len(starts.read_text()) <= 3


def test_a_function_without_its_folder_fails_and_says_why(tmp_path: Path) -> None:
    probe = Probe(tmp_path, CRASHING)
    probe.code.rename(tmp_path / "elsewhere")
    outcome = probe.call()
    assert isinstance(outcome, Failed)
    assert outcome.kind == "crash"
    assert any("cannot be started" in line for line in probe.lines)


# ---------------------------------------------------------------- one at a time, several at once


def test_each_worker_runs_one_invocation_at_a_time(
    tmp_path: Path,
) -> None:
    """Several workers run at once."""
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    probe = Probe(
        tmp_path,
        f"""
        import os, time, pathlib
        meeting = pathlib.Path({str(meeting)!r})
        inside = False
        def handler(event, context):
            global inside
            assert not inside
            inside = True
            (meeting / str(os.getpid())).touch()
            while len(list(meeting.iterdir())) < 2:
                time.sleep(0.002)
            inside = False
            return os.getpid()
        """,
    )

    async def story(workers: Workers) -> set[int]:
        outcomes = await asyncio.gather(*(workers.invoke(NAME, None) for _ in range(20)))
        return {value(outcome) for outcome in outcomes}

    assert len(probe.run(story, count=2)) == 2


# ---------------------------------------------------------------- changed code


def test_changed_code_is_taken_up_without_losing_what_is_under_way(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    code = """
    import os, pathlib, time
    def handler(event, context):
        if event:
            pathlib.Path(event + ".reached").touch()
            while not pathlib.Path(event).exists():
                time.sleep(0.002)
        return "{version}"
    """
    probe = Probe(tmp_path, code.format(version="old"))

    async def story(workers: Workers) -> None:
        assert value(await workers.invoke(NAME, None)) == "old"
        under_way = asyncio.create_task(workers.invoke(NAME, str(gate)))
        await until(Path(f"{gate}.reached").exists)
        probe.write(code.format(version="new"))
        workers.reload()
        assert value(await workers.invoke(NAME, None)) == "new"
        gate.touch()
        assert value(await under_way) == "old"
        for _ in range(4):
            assert value(await workers.invoke(NAME, None)) == "new"

    probe.run(story, count=2)


def test_a_repaired_import_heals_at_the_next_reload(tmp_path: Path) -> None:
    probe = Probe(tmp_path, "import no_such_module")

    async def story(workers: Workers) -> None:
        assert isinstance(await workers.invoke(NAME, None), Failed)
        probe.write("def handler(event, context):\n    return 1\n")
        workers.reload()
        assert value(await workers.invoke(NAME, None)) == 1

    probe.run(story)


# ---------------------------------------------------------------- no process is left behind


def test_all_workers_end_with_their_pool(tmp_path: Path) -> None:
    probe = Probe(tmp_path, CRASHING)

    async def story(workers: Workers) -> list[int]:
        await until(lambda: len(workers.pools[NAME].pids) == 3)
        return workers.pools[NAME].pids

    assert not any(runs(pid) for pid in probe.run(story, count=3))


def test_a_process_that_a_function_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    probe = Probe(
        tmp_path,
        """
        import os, subprocess, sys
        def handler(event, context):
            left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
            return [os.getpid(), left.pid]
        """,
    )

    async def story(workers: Workers) -> tuple[int, int]:
        first, left = value(await workers.invoke(NAME, None))
        os.kill(first, signal.SIGKILL)
        await until(lambda: bool(workers.pools[NAME].pids) and not runs(first))
        return first, left

    started = time.monotonic()
    first, left = probe.run(story)
    try:
        assert not runs(first)
        assert time.monotonic() - started < PATIENCE_SECONDS
    finally:
        os.kill(left, signal.SIGKILL)


def test_a_function_that_nobody_waits_for_starts_when_it_is_called(tmp_path: Path) -> None:
    probe = Probe(tmp_path, CRASHING)

    async def story() -> None:
        async with probe.workers(2, eager=[]) as workers:
            workers.reload()
            assert workers.pools[NAME].pids == []
            pid = value(await workers.invoke(NAME, None))
            assert workers.pools[NAME].pids == [pid]

    asyncio.run(story())


def test_changes_in_quick_succession_leave_no_worker_behind(tmp_path: Path) -> None:
    started = tmp_path / "started"
    started.mkdir()
    probe = Probe(
        tmp_path,
        f"""
        import os, pathlib
        (pathlib.Path({str(started)!r}) / str(os.getpid())).touch()
        def handler(event, context):
            return os.getpid()
        """,
    )

    async def story(workers: Workers) -> None:
        for _ in range(3):
            workers.reload()
            await asyncio.sleep(0)
        serving = {value(await workers.invoke(NAME, None)) for _ in range(4)}
        await until(lambda: set(workers.pools[NAME].pids) >= serving)
        await until(lambda: sum(runs(int(file.name)) for file in started.iterdir()) == 2)

    probe.run(story, count=2)
    assert not any(runs(int(file.name)) for file in started.iterdir())


GATEWAY = """
import asyncio, sys
from pathlib import Path
from tests.e2e.gateway.test_workers import NAME, Probe, until

async def main() -> None:
    probe = Probe(Path(sys.argv[1]), "def handler(event, context):\\n    while True: pass")
    async with probe.workers(2) as workers:
        await until(lambda: len(workers.pools[NAME].pids) == 2)
        print(*workers.pools[NAME].pids, flush=True)
        await workers.invoke(NAME, None)

asyncio.run(main())
"""


def test_workers_end_with_a_gateway_that_is_killed(
    tmp_path: Path,
) -> None:
    """Even in the middle of a handler."""
    gateway = subprocess.Popen(
        [sys.executable, "-c", GATEWAY, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[3],
    )
    with gateway:
        assert gateway.stdout is not None
        pids = [int(pid) for pid in gateway.stdout.readline().split()]
        assert len(pids) == 2
        gateway.kill()
    asyncio.run(until(lambda: not any(runs(pid) for pid in pids)))
