"""What warm requests that find and change something take of the processor, beside the usual.

    python -m tests.benchmarks.functions.changes [--rounds 15] [--write]

The store is the embedded AWS in a process of its own; only the function's is timed. All take turns,
a round is the median of thirty requests of one process, and a ratio the median of the ratios of
neighbours. Each process has a user of its own, who makes a hundred first.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.stack.provision import make_tables
from chatgrid_devkit.stack.system import TEMPLATE
from tests.benchmarks.authorizer.processes import errors_of
from tests.benchmarks.functions import document
from tests.benchmarks.functions.starts import HERE, environment_of
from tests.support.http_api import allowed, jwt_caller, proxy_event
from tests.support.stack.first_requests import FIRST

#: Method, resource, body and query of what each function is asked in this order.
REQUESTS: dict[str, dict[str, tuple[str, str, str | None, dict[str, list[str]]]]] = {
    "management": {
        "create a key": ("POST", "/me/api-keys", '{"name": "CI"}', {}),
        "list 100 keys": ("GET", "/me/api-keys", None, {"limit": ["100"]}),
        "change a key": ("PATCH", "/me/api-keys/{id}", '{"rate_limit": 60}', {}),
        "rotate a key": ("POST", "/me/api-keys/{id}/rotate", "{}", {}),
    },
    "boards": {
        "create a board": ("POST", "/boards", '{"name": "Roadmap"}', {}),
        "get a board": ("GET", "/boards/{id}", None, {}),
    },
}
TABLES = {
    "KeysTable": "KEYS_TABLE",
    "AuditTable": "AUDIT_TABLE",
    "UsageTable": "USAGE_TABLE",
    "BoardsTable": "BOARDS_TABLE",
}
#: MADE is another each time, so that no key is changed to what it is or rotated twice.
_PROGRAM = """
import json, sys, time
from statistics import median
from {module} import handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "a"
    def get_remaining_time_in_millis(self): return 60000
def sent(event):
    started = time.process_time_ns()
    answer = handler(event, Context())
    taken = time.process_time_ns() - started
    if answer["statusCode"] not in (200, 201):
        sys.exit(f"{{event['httpMethod']}} was answered {{answer['statusCode']}}")
    told = json.loads(answer["body"])
    return taken, told["data"] if "data" in told else told
made, found = [], {{}}
for name, event in json.loads(sys.argv[1]).items():
    taken = []
    making = not made
    for number in range(100 if making else 50):
        text = event if making else event.replace("MADE", made[number])
        spent, told = sent(json.loads(text))
        taken.append(spent)
        if making:
            made.append(told["id"])
    if name.startswith("list") and len(told) != 100:
        sys.exit(f"{{len(told)}} were listed")
    found[name] = median(taken[20:50]) / 1e9
print(json.dumps(found), file=sys.stderr)
"""


def _events(function: str) -> dict[str, str]:
    caller = allowed(jwt_caller())
    events: dict[str, str] = {}
    for name, (method, resource, body, query) in REQUESTS[function].items():
        at = "MADE" if "{id}" in resource else None
        event = proxy_event(method, resource, authorizer=caller, id=at, body=body, query=query)
        events[name] = json.dumps(event)
    return events


def _asked(function: str, module: str, environ: dict[str, str]) -> dict[str, float]:
    program = _PROGRAM.format(module=module)
    plan = json.dumps(_events(function))
    command = [sys.executable, "-W", "ignore", "-c", program, plan]
    found: dict[str, float] = json.loads(errors_of(command, environ).splitlines()[-1])
    return found


def measured(rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Processor seconds of each request by the usual and by ours, one pair a round."""
    tables = read_deployment(TEMPLATE).tables
    found: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as state, Ministack(Path(state)) as running:
        make_tables(running.client("dynamodb"), tables)
        names = {TABLES[at.logical_id]: at.name for at in tables if at.logical_id in TABLES}
        for function in [name for _ in range(rounds) for name in REQUESTS]:
            first = FIRST[function]
            environ = environment_of(first, running.endpoint)
            path = f"{HERE}{os.pathsep}{environ['PYTHONPATH']}"
            environ |= {**running.access.environment(), **names, "PYTHONPATH": path}
            usual = _asked(function, "usual_backend", environ)
            ours = _asked(function, first.handler, environ)
            for name in ours:
                found.setdefault(name, []).append((usual[name], ours[name]))
    return found


def table(found: dict[str, list[tuple[float, float]]]) -> str:
    """Medians, and ratios to the usual backend."""
    lines = ["| request | the usual, CPU µs | ours, CPU µs | by the usual |"]
    lines.append("| --- | ---: | ---: | ---: |")
    for name, pairs in found.items():
        usual, ours = (median(seconds) * 1e6 for seconds in zip(*pairs, strict=True))
        ratio = median(own / other for other, own in pairs)
        lines.append(f"| {name} | {usual:.0f} | {ours:.0f} | {ratio:.2f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    document.command(
        "changes", __doc__, lambda rounds: f"Rounds: {rounds}.\n\n{table(measured(rounds))}"
    )
