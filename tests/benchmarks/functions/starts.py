"""What each function takes from a fresh process to its first answer, over `python -c pass`.

    python -m tests.benchmarks.functions.starts [--rounds 15] [--only management boards]

The authorizer has a report of its own. Only ratios of one run mean something; a process ends on
its answer, as a container does, and the bare one as programs do.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks.authorizer.measure import first_of, taken_in_turns
from tests.benchmarks.authorizer.processes import run_once
from tests.benchmarks.authorizer.stub_process import Stub, write_certificate
from tests.benchmarks.functions import document
from tests.support.stack.first_requests import FIRST, First

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
OUTPUT = ROOT / "docs" / "benchmarks" / "functions.json"
#: A start and a first answer, at most, in bare starts.
BUDGETS = {
    "pages": 5.0,
    "management": 24.0,
    "boards": 24.0,
    "leaks": 24.0,
    "usage": 6.0,
    "events": 6.0,
    "reconciler": 25.0,
}
FIRST_REQUESTS = {
    "pages": "the dashboard's page",
    "management": "a list of keys",
    "boards": "a list of boards",
    "leaks": "an empty batch of the queue",
    "usage": "a batch of one decision line",
    "events": "an empty batch of the stream",
    "reconciler": "a run without work",
}
_PROGRAM = """
import json, os, sys
from {module} import handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "a"
    def get_remaining_time_in_millis(self): return 60000
answer = handler(json.loads(sys.argv[1]), Context())
os._exit(0 if not isinstance(answer, dict) or answer.get("statusCode", 200) == 200 else 3)
"""


def command_of(module: str, event: dict[str, Any]) -> list[str]:
    """The process that starts a function and ends on its first answer."""
    return [sys.executable, "-c", _PROGRAM.format(module=module), json.dumps(event)]


def environment_of(first: First, endpoint: str) -> dict[str, str]:
    """What that process finds: the function, its layer, its settings."""
    folders = (ROOT / "functions" / first.function, ROOT / "layers" / "auth")
    path = os.pathsep.join(map(str, folders))
    return {**first.environment(endpoint), "PATH": os.environ["PATH"], "PYTHONPATH": path}


def measured(rounds: int, only: list[str]) -> dict[str, Any]:
    """Processor and wall seconds of each start, one entry a round; `python` is the bare one."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_certificate(folder)
        with Stub(folder, {"jwks": {"keys": []}, "keys": 0, "items": {}}) as stub:
            plain = {"PATH": os.environ["PATH"]}
            commands = {"python": (first_of("pass"), plain)}
            if "usual" in only:
                environ = environment_of(FIRST["boards"], stub.url)
                path = f"{HERE}{os.pathsep}{environ['PYTHONPATH']}"
                event = FIRST["boards"].event
                command = command_of("usual_backend", event)
                commands["usual"] = (command, {**environ, "PYTHONPATH": path})
            for function in only:
                if function in FIRST:
                    first = FIRST[function]
                    commands[function] = (
                        command_of(first.handler, first.event),
                        environment_of(first, stub.url),
                    )
            for command, environ in commands.values():
                run_once(command, environ)  # writes bytecode, fills the page cache
            return taken_in_turns(
                {
                    name: lambda command=command, environ=environ: run_once(command, environ)
                    for name, (command, environ) in commands.items()
                },
                rounds,
            )


def ratio(found: dict[str, Any], function: str) -> float:
    """The median over the rounds of a start by the bare one beside it."""
    pairs = zip(found[function]["cpu"], found["python"]["cpu"], strict=True)
    return float(median(ours / bare for ours, bare in pairs))


def table(found: dict[str, Any]) -> str:
    """The budgets, and whether they are held."""
    lines = ["| function | first request | at most | measured |  |"]
    lines.append("| --- | --- | ---: | ---: | --- |")
    for name in found:
        if name == "python":
            continue
        measured_here = ratio(found, name)
        budget = BUDGETS.get(name)
        held = "" if budget is None else "held" if measured_here <= budget else "**missed**"
        lines.append(
            f"| {name} | {FIRST_REQUESTS.get(name, FIRST_REQUESTS['boards'])}"
            f" | {f'{budget:g}' if budget else '-'} | {measured_here:.1f} | {held} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", nargs="*", default=[*BUDGETS, "usual"])
    parser.add_argument("--write", action="store_true", help="keep the figures in docs")
    given = parser.parse_args()
    found = measured(given.rounds, given.only)
    if given.write:
        rounded = {
            name: [float(f"{seconds:.4g}") for seconds in taken["cpu"]]
            for name, taken in found.items()
        }
        OUTPUT.write_text(json.dumps(rounded, indent=1) + "\n", "utf-8")
        document.put("starts", table(found))
    print(table(found))


if __name__ == "__main__":
    main()
