"""The authorizer's start is the product: up to a key's first decision, it loads this and no more.

Start-up is paid for by the first client of every container, and every module counts in it. The
lists are exact: whoever adds to one has looked at ``python -X importtime`` first, and has run
``make bench``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chatgrid_auth.domain.keys import generate
from tests.contract.clients import Serve, serve
from tests.support.servers.fault_server import answer, response
from tests.support.stack.authorizer_settings import SETTINGS
from tests.support.tables.decisions import item_of, request_with

__all__ = ["serve"]  # a fixture

ROOT = Path(__file__).parents[2]

OURS = {
    "chatgrid_auth",
    "chatgrid_auth.adapters",
    "chatgrid_auth.adapters.awslite",
    "chatgrid_auth.adapters.keys_table",
    "chatgrid_auth.adapters.awslite.credentials",
    "chatgrid_auth.adapters.awslite.deadline_socket",
    "chatgrid_auth.adapters.keys_table.decisions",
    "chatgrid_auth.adapters.awslite.dynamodb",
    "chatgrid_auth.adapters.awslite.http_connection",
    "chatgrid_auth.adapters.awslite.http_response",
    "chatgrid_auth.adapters.keys_table.items",
    "chatgrid_auth.adapters.keys_table.policies",
    "chatgrid_auth.adapters.awslite.dynamodb_responses",
    "chatgrid_auth.adapters.awslite.server_clock",
    "chatgrid_auth.adapters.awslite.sigv4",
    "chatgrid_auth.adapters.awslite.urls",
    "chatgrid_auth.domain",
    "chatgrid_auth.domain.context",
    "chatgrid_auth.domain.errors",
    "chatgrid_auth.domain.keys",
    "chatgrid_auth.domain.scopes",
    "chatgrid_auth.domain.verdicts",
    "chatgrid_auth.domain.limits",
    "chatgrid_auth.domain.limits.window",
    "chatgrid_auth.services",
    "chatgrid_auth.services.gate",
    "chatgrid_auth.services.gate.authenticate",
    "chatgrid_auth.services.gate.refusals",
    "chatgrid_auth.services.gate.requests",
    "chatgrid_auth.settings",
    "chatgrid_authorizer",
    "chatgrid_authorizer.response",
    "chatgrid_authorizer.decision_log",
    "chatgrid_authorizer.decision_metrics",
    "chatgrid_authorizer.event",
    "chatgrid_authorizer.handler",
    "chatgrid_authorizer.wiring",
}
JSON = {
    *("json", "json.decoder", "json.encoder", "json.scanner"),
    *("collections", "copyreg", "enum", "functools", "keyword", "operator", "re", "reprlib"),
    *("re._casefix", "re._compiler", "re._constants", "re._parser", "types"),
}
SOCKET = {"collections.abc", "errno", "math", "select", "selectors", "socket"}
OTHER = {
    *("__future__", "gc", "binascii", "hashlib", "itertools", "time"),
    *("genericpath", "os", "os.path", "posixpath", "stat"),
}
TLS = {"base64", "chatgrid_auth.adapters.awslite.tls", "ssl", "struct"}
#: Loaded by some versions of Python and not by others, or built into some.
DEPENDS = {"array", "binascii", "errno", "itertools", "math", "select", "time", "warnings"}

LIST_LOADED = """
import sys
bare = set(sys.modules)
from chatgrid_authorizer.handler import handler
started = set(sys.modules) - bare
import json
event = json.loads(sys.argv[1])
outcome = event and handler(event, None)["context"].get("verdict")
decided = set(sys.modules) - bare
print(json.dumps([sorted(started), sorted(decided), outcome]), file=sys.stderr)
"""


def loaded(endpoint: str, event: object) -> tuple[set[str], set[str], object]:
    """What a fresh interpreter has loaded after init and after a decision, and the outcome.

    Modules written in C, which others bring along, are left out.
    """
    path = os.pathsep.join(map(str, (ROOT / "functions" / "authorizer", ROOT / "layers" / "auth")))
    environ = {**SETTINGS, "PYTHONPATH": path, "AWS_ENDPOINT_URL_DYNAMODB": endpoint}
    run = subprocess.run(
        [sys.executable, "-S", "-c", LIST_LOADED, json.dumps(event)],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    started, decided, outcome = json.loads(run.stderr)

    def visible(names: list[str]) -> set[str]:
        return {name for name in names if not name.startswith("_") or name == "__future__"}

    return visible(started), visible(decided), outcome


@pytest.fixture
def decided(serve: Serve) -> tuple[set[str], set[str], object]:
    """What was loaded for one allowed request."""
    raw_key = generate("live", entropy=os.urandom)
    server = serve(answer(response({"Attributes": item_of(raw_key)})))
    return loaded(server.url, request_with(raw_key))


def test_an_allowed_request_loads_no_module_that_it_does_not_need(
    decided: tuple[set[str], set[str], object],
) -> None:
    _, modules, outcome = decided
    assert outcome == "allowed"
    assert modules - DEPENDS == (OURS | JSON | SOCKET | OTHER) - DEPENDS


def test_no_request_waits_for_a_module(decided: tuple[set[str], set[str], object]) -> None:
    started, modules, _ = decided
    assert modules - started == set()


def test_tls_is_loaded_while_the_function_starts_and_nothing_else_with_it() -> None:
    # Nobody listens there: connecting ahead fails, and that is left to the first request.
    started, _, _ = loaded("https://127.0.0.1:9", None)
    assert started - DEPENDS == (OURS | JSON | SOCKET | OTHER | TLS) - DEPENDS


def loads_pyjwt(settings: dict[str, str], *before: Path) -> bool:
    """Whether a fresh interpreter has loaded PyJWT when the function has started.

    Args:
        settings: of the function.
        before: folders in which Python looks first.
    """
    folders = (*before, ROOT / "functions" / "authorizer", ROOT / "layers" / "auth")
    path = os.pathsep.join(map(str, folders))
    program = "import chatgrid_authorizer.handler, sys; print('jwt' in sys.modules)"
    environ = {**SETTINGS, "SUPABASE_URL": "https://p.example", **settings, "PYTHONPATH": path}
    command = [sys.executable, "-c", program]
    run = subprocess.run(
        command, env=environ, check=True, capture_output=True, text=True, timeout=60
    )
    return run.stdout == "True\n"


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"LOAD_JWT_AT_START": "true"}, True),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}, True),
        ({"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}, False),
        ({"LOAD_JWT_AT_START": "true", "SUPABASE_URL": ""}, False),
    ],
    ids=["asked for", "nobody waits", "else not", "JWTs are off"],
)
def test_pyjwt_is_loaded_at_the_start_where_asked_for(
    settings: dict[str, str], expected: bool
) -> None:
    assert loads_pyjwt(settings) is expected


@pytest.mark.parametrize("fault", ["ModuleNotFoundError", "OSError", "MemoryError"])
def test_a_layer_without_a_pyjwt_that_loads_stops_no_function_from_starting(
    fault: str, tmp_path: Path
) -> None:
    (tmp_path / "jwt.py").write_text(f"raise {fault}")
    assert not loads_pyjwt({"LOAD_JWT_AT_START": "true"}, tmp_path)


def test_the_collector_works_again_once_the_function_has_started() -> None:
    path = os.pathsep.join(map(str, (ROOT / "functions" / "authorizer", ROOT / "layers" / "auth")))
    program = "import chatgrid_authorizer.handler, gc, sys; sys.exit(gc.isenabled() is not True)"
    environ = {**SETTINGS, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", program], env=environ, check=True, timeout=60)
