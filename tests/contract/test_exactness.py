"""Exact under real concurrency: processes that share nothing but the store."""

from __future__ import annotations

import subprocess
import sys
from uuid import uuid4

from chatgrid_auth.domain.keys import hash_of
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import dynamodb, keys_table

PROCESSES = 8
ATTEMPTS = 400
LIMIT = 1_000
NOW_MS = 1_800_000_000_000

#: One container: a gate without memory, that asks and counts. The key comes by standard input.
CONTAINER = """
import sys
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain import errors
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
endpoint, table, attempts, now_ms = sys.argv[1:]
from tests.support.aws import VARIABLES as environ
dynamodb = DynamoDB(
    region="us-east-1", credentials=credentials_from(environ), errors=errors, endpoint=endpoint
)
decisions = KeyDecisions(dynamodb, table=table)
key_hash = sys.stdin.readline().strip()
admitted = 0
for number in range(int(attempts)):
    answer = decisions.admit(key_hash, now_ms=int(now_ms) + number, request=Request("read"))
    admitted += answer.admitted
print(admitted)
"""


def test_eight_processes_admit_exactly_the_limit(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    table = keys_table(client)
    issuing = key_service(
        client, table=table, now_ms=lambda: NOW_MS, default_rate_limit=LIMIT, keys_per_user=10
    )
    issued = new_key(issuing, str(uuid4()))
    arguments = [ministack.endpoint, table, str(ATTEMPTS), str(NOW_MS)]
    containers = [
        subprocess.Popen(
            [sys.executable, "-c", CONTAINER, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for container in containers:
        assert container.stdin is not None
        container.stdin.write(hash_of(issued.raw_key) + "\n")
        container.stdin.flush()
    admitted = [int(container.communicate(timeout=120)[0]) for container in containers]
    assert sum(admitted) == LIMIT
    assert sum(count > 0 for count in admitted) > 1, "one process ran alone: nothing was raced"
