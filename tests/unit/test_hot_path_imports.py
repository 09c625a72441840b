"""Nothing is loaded before a decision that a decision does not need.

Start-up is paid for by the first client of every container, and every module counts in it. The
lists are exact: whoever adds to one has looked at ``python -X importtime`` first.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

LAYER = Path(__file__).parents[2] / "layers" / "auth"

CLIENT = {
    "chatgrid_auth",
    "chatgrid_auth.adapters",
    "chatgrid_auth.adapters.aws_credentials",
    "chatgrid_auth.adapters.deadline_socket",
    "chatgrid_auth.adapters.dynamodb_answers",
    "chatgrid_auth.adapters.dynamodb_http",
    "chatgrid_auth.adapters.http_connection",
    "chatgrid_auth.adapters.http_response",
    "chatgrid_auth.adapters.patience",
    "chatgrid_auth.adapters.sigv4",
    "chatgrid_auth.adapters.urls",
    "chatgrid_auth.domain",
    "chatgrid_auth.domain.errors",
}
JSON = {"json", "json.decoder", "json.encoder", "json.scanner"} | {
    *("collections", "copyreg", "enum", "functools", "keyword", "operator", "re", "reprlib"),
    *("re._casefix", "re._compiler", "re._constants", "re._parser", "types"),
}
SOCKET = {"array", "collections.abc", "errno", "math", "select", "selectors", "socket"}
OTHER = {"__future__", "binascii", "hashlib", "os", "os.path", "posixpath", "genericpath", "stat"}
OTHER |= {"itertools", "time"}
TLS = {"base64", "chatgrid_auth.adapters.tls", "ssl", "struct", "warnings"}

MAKE_CLIENT = """
from chatgrid_auth.adapters.aws_credentials import credentials_from
from chatgrid_auth.adapters.dynamodb_http import DynamoDB
credentials = credentials_from({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"})
DynamoDB(region="eu-central-1", credentials=credentials, endpoint=%r)
"""


def loaded(script: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a script, C parts left out."""
    program = (
        f"import sys; sys.path.insert(0, {str(LAYER)!r}); bare = set(sys.modules)\n{script}\n"
        "found = sorted(set(sys.modules) - bare); import json; print(json.dumps(found))"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-E", "-c", program], capture_output=True, text=True, check=True
    )
    return {name for name in json.loads(run.stdout) if not name.startswith("_") or "__" in name}


def test_the_store_client_for_a_local_run_loads_no_tls() -> None:
    assert loaded(MAKE_CLIENT % "http://127.0.0.1:1") <= CLIENT | JSON | SOCKET | OTHER


def test_the_store_client_loads_tls_when_it_is_made_and_not_later() -> None:
    found = loaded(MAKE_CLIENT % None)
    assert found <= CLIENT | JSON | SOCKET | OTHER | TLS
    assert found >= TLS
