"""What a function has not loaded when it gives its first answer: a start waits for each module.

The authorizer's list is exact, in ``test_authorizer_modules``; here stand the heavy ones.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.clients import Serve, serve
from tests.support.servers.fault_server import answer, response
from tests.support.stack.first_requests import FIRST

__all__ = ["serve"]  # a fixture

ROOT = Path(__file__).parents[2]
#: AWS's clients, its tracing, and what only single requests need.
HEAVY = {"boto3", "botocore.client", "botocore.session", "urllib3", "aws_xray_sdk"}
HEAVY |= {"jwt", "cryptography", "chatgrid_auth.adapters.token_secret.held"}
#: What makes, changes and revokes keys, and the pages of what was done to them.
CHANGING = {"chatgrid_management.changing", "chatgrid_auth.adapters.key_changes.writers"}
CHANGING |= {"chatgrid_auth.adapters.audit_table.trail", "chatgrid_auth.services.rotation"}
CHANGING |= {f"chatgrid_management.routes.{part}" for part in ("api_keys", "own_key", "usage")}
PYDANTIC_1 = {"pydantic.v1.main"}
WEB = {"aws_lambda_powertools", "fastapi", "mangum", "pydantic", "starlette", "asyncio"}
LEAN = {"email", "http.client", "inspect", "logging", "urllib.request"}
UNNEEDED = {
    "management": HEAVY | PYDANTIC_1 | CHANGING,
    "boards": HEAVY | PYDANTIC_1,
    "leaks": HEAVY | PYDANTIC_1,
    "reconciler": {"aws_xray_sdk", "fastapi", "jwt", "mangum", "pydantic"},
    "events": HEAVY | WEB | LEAN,
    "usage": HEAVY | WEB | LEAN,
    "pages": HEAVY | WEB | LEAN | {"socket", "ssl"},
}
ANSWER_AND_TELL = """
import json, sys
from {handler} import handler
class Context:
    function_name = memory_limit_in_mb = invoked_function_arn = aws_request_id = "a"
    def get_remaining_time_in_millis(self): return 60_000
answer = handler(json.loads(sys.argv[1]), Context())
documents = vars(sys.modules.get("fastapi.openapi.models", sys))
names = ("Schema", "Operation", "Encoding", "OpenAPI")
built = [n for n in names if n in documents and documents[n].__pydantic_complete__]
found = [sorted(sys.modules), answer and answer.get("statusCode"), built]
print(json.dumps(found), file=sys.stderr)
"""


@pytest.mark.parametrize("function", UNNEEDED)
def test_a_first_answer_waits_for_no_module_that_it_does_not_need(
    function: str, serve: Serve
) -> None:
    first = FIRST[function]
    server = serve(*[answer(response({"Items": []}))] * 5)
    path = os.pathsep.join(str(ROOT / part) for part in (f"functions/{function}", "layers/auth"))
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            ANSWER_AND_TELL.format(handler=first.handler),
            json.dumps(first.event),
        ],
        env={**first.environment(server.url), "PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    loaded, status, documents_built = json.loads(run.stderr.splitlines()[-1])
    assert status in {200, None}
    assert documents_built == []
    assert UNNEEDED[function] & set(loaded) == set()


def test_an_application_loaded_so_still_describes_itself() -> None:
    script = (
        "import chatgrid_auth.http_api.lean_fastapi, logging, chatgrid_boards.app as boards;"
        "app = boards.create_app(None, log=logging.getLogger());"
        "print(*app.openapi()['paths'])"
    )
    path = os.pathsep.join(str(ROOT / part) for part in ("functions/boards", "layers/auth"))
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={"PYTHONPATH": path},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert run.stdout.split() == ["/boards", "/boards/{id}"]


def test_every_function_has_its_list() -> None:
    folders = {path.name for path in (ROOT / "functions").iterdir() if path.is_dir()}
    assert folders - {"authorizer"} == set(UNNEEDED) == set(FIRST)
