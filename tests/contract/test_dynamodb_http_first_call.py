"""The first call of a container loads nothing that was not loaded while it started."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.contract.clients import Serve, serve
from tests.support.servers.fault_server import answer, response

__all__ = ["serve"]  # fixture

LAYER = Path(__file__).parents[2] / "layers" / "auth"
SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.domain import errors
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
credentials = credentials_from({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"})
client = DynamoDB(
    region="eu-central-1", credentials=credentials, errors=errors, endpoint=sys.argv[2]
)
before = set(sys.modules)
client.call("UpdateItem", {})
print(sorted(set(sys.modules) - before))
"""


def test_the_first_call_loads_no_module(serve: Serve) -> None:
    # International host names are the trap: Python loads their tables for any name given as text.
    server = serve(answer(response({})))
    url = server.url.replace("127.0.0.1", "localhost")
    run = subprocess.run(
        [sys.executable, "-S", "-E", "-c", SCRIPT, str(LAYER), url],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
