"""`sam local invoke` over every file in events/: each leads to the outcome in its name.

The functions run as they are built, in containers, with their tables in the embedded AWS.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.gate.requests import Request
from chatgrid_devkit.stack.aws_access import AwsAccess
from chatgrid_devkit.stack.sam_local import arguments, environment
from tests.events.test_authorizer_events import KNOWN, OWNER, items_of, keys_in, load
from tests.sam_local.conftest import BUILD, ROOT, skip_unless_it_runs
from tests.support.audit import created

skip_unless_it_runs()

EVENTS = ROOT / "events"
FILES = sorted(EVENTS.glob("*/*.json"))
FUNCTIONS = {
    "authorizer": "AuthorizerFunction",
    "management": "ManagementFunction",
    "boards": "BoardsFunction",
    "reconciler": "ReconcilerFunction",
}
#: The key that the management events were made with.
HOLDER = ApiKey(
    id="01890a5d-ac96-774b-bcce-b302099a8057",
    owner=OWNER,
    name="CI",
    prefix="cgk_live_a1b2",
    scopes=("admin",),
    environment="live",
    rate_limit=120,
    created_at_ms=1_795_000_000_000,
)


@pytest.fixture(scope="module")
def dynamodb(stack: dict[str, Any]) -> Any:
    """The tables, knowing what the events take for granted."""
    client = AwsAccess(stack["dynamodb_endpoint"], stack["access_key"]).client("dynamodb")
    store = DynamoKeyStore(
        Boto3Transport(client), table="KeysTable", audit_table="AuditTable", pause=time.sleep
    )
    store.create(HOLDER, key_hash="0" * 64, keys_per_user=10, event=created(HOLDER))
    return client


def know(client: Any, event: dict[str, Any]) -> None:
    """Let the store know the event's made-up keys, as they are at this moment."""
    transport = Boto3Transport(client)
    now_ms = time.time_ns() // 1_000_000
    for raw in keys_in(event):
        facts = KNOWN.get(raw[9:-7].rstrip("0"))
        if facts is None or not keys.is_well_formed(raw):
            continue
        if "expires" in facts:
            facts = {**facts, "expires": now_ms - 1}
        for item in items_of(raw, facts):
            transport.call("PutItem", {"TableName": "KeysTable", "Item": item})
        if facts.get("used"):
            KeyDecisions(transport, table="KeysTable").admit(
                keys.hash_of(raw), now_ms=now_ms, request=Request("read")
            )


def invoke(file: Path, stack: dict[str, Any]) -> Any:
    command = ["sam", "local", "invoke", FUNCTIONS[file.parent.name]]
    command += ["--event", str(file), *arguments(BUILD, stack["endpoint_for_containers"])]
    done = subprocess.run(
        command,
        env=environment(stack["access_key"]),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_built_function_gives_the_outcome_in_the_events_name(
    stack: dict[str, Any], dynamodb: Any, file: Path
) -> None:
    event = load(file)
    if file.parent.name == "authorizer":
        know(dynamodb, event)
    given = invoke(file, stack)
    check(file, given)


def check(file: Path, given: Any) -> None:
    outcome = file.stem.split("-", maxsplit=1)[0]
    if file.parent.name == "reconciler":
        assert given is None or "errorMessage" not in given, given
    elif file.parent.name != "authorizer":
        assert given["statusCode"] == int(outcome), given
    else:
        (statement,) = given["policyDocument"]["Statement"]
        assert statement["Effect"] == ("Deny" if outcome == "refused" else "Allow"), given
        verdicts = {"allowed": "allowed", "forbidden": "forbidden", "limited": "rate_limited"}
        assert given["context"].get("verdict") == verdicts.get(outcome), given
