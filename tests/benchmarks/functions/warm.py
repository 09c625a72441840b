"""What a request takes of the processor in a warm container, beside the usual backend's.

    python -m tests.benchmarks.functions.warm [--rounds 15] [--write]

The store is the stub on loopback, in which nothing lies; all take turns, a round is the median of
thirty requests of one process, and a ratio the median of the ratios of neighbours.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from tests.benchmarks.authorizer.processes import errors_of
from tests.benchmarks.authorizer.stub_process import Stub, write_certificate
from tests.benchmarks.functions import document
from tests.benchmarks.functions.starts import HERE, environment_of
from tests.support.stack.first_requests import FIRST

USUAL = "usual"
_PROGRAM = """
import json, sys, time
from statistics import median
from {module} import handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "a"
    def get_remaining_time_in_millis(self): return 60000
event = json.loads(sys.argv[1])
def taken():
    started = time.process_time_ns()
    assert handler(event, Context())["statusCode"] == 200
    return time.process_time_ns() - started
for _ in range(20):
    taken()
print(median(taken() for _ in range(30)) / 1e9, file=sys.stderr)
"""


def measured(rounds: int) -> dict[str, list[float]]:
    """Processor seconds of a request, one entry a round."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_certificate(folder)
        with Stub(folder, {"jwks": {"keys": []}, "keys": 0, "items": {}}) as stub:
            commands = {}
            for name in (USUAL, "boards", "management"):
                first = FIRST["boards" if name == USUAL else name]
                module = "usual_backend" if name == USUAL else first.handler
                program = _PROGRAM.format(module=module)
                environ = environment_of(first, stub.url)
                environ["PYTHONPATH"] = f"{HERE}{os.pathsep}{environ['PYTHONPATH']}"
                commands[name] = (
                    [sys.executable, "-W", "ignore", "-c", program, json.dumps(first.event)],
                    environ,
                )
            found: dict[str, list[float]] = {name: [] for name in commands}
            for _ in range(rounds):
                for name, (command, environ) in commands.items():
                    found[name].append(float(errors_of(command, environ).split()[-1]))
            return found


def table(found: dict[str, list[float]]) -> str:
    """Medians, and ratios to the usual backend."""
    lines = ["| an empty list by | CPU µs | by the usual |", "| --- | ---: | ---: |"]
    for name, seconds in found.items():
        pairs = zip(seconds, found[USUAL], strict=True)
        ratio = median(ours / usual for ours, usual in pairs)
        lines.append(f"| {name} | {median(seconds) * 1e6:.0f} | {ratio:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    document.command("warm", __doc__, lambda rounds: table(measured(rounds)))
