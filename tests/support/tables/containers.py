"""Containers that share nothing but the store: processes with a gate without memory.

Run as a module, it is one of them. It asks for one key again and again, and prints of each answer
when it came (Unix seconds) and how many units were admitted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain import errors
from chatgrid_auth.services.gate.requests import Request
from tests.support.aws import VARIABLES

Answers = list[tuple[float, int]]


def admitted_by(
    processes: int,
    endpoint: str,
    table: str,
    key_hash: str,
    *,
    attempts: int,
    now_ms: int,
    costs: Sequence[int] = (1,),
) -> list[Answers]:
    """What each of so many processes was answered.

    Args:
        attempts: how often each asks for every cost.
        now_ms: their clock's first reading; each attempt is a millisecond later.
        costs: of one attempt's requests, one after the other.
    """
    arguments = [endpoint, table, str(attempts), str(now_ms), *map(str, costs)]
    containers = [
        subprocess.Popen(
            [sys.executable, "-m", __name__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for container in containers:
        assert container.stdin is not None
        container.stdin.write(key_hash + "\n")
        container.stdin.flush()
    printed = [container.communicate(timeout=240)[0].splitlines() for container in containers]
    assert not any(container.returncode for container in containers), "one could not go on"
    return [[(float(at), int(units)) for at, units in map(str.split, lines)] for lines in printed]


def _ask(endpoint: str, table: str, attempts: str, now_ms: str, *costs: str) -> None:
    credentials = credentials_from(VARIABLES)
    # A slow machine is not what is tested: what is sent twice counts twice.
    patient = RetryPolicy(connect=30, reply=30, budget=60)
    store = DynamoDB(
        region="us-east-1",
        credentials=credentials,
        errors=errors,
        endpoint=endpoint,
        retry_policy=patient,
    )
    units = [int(cost) for cost in costs]
    classes = tuple(sorted({cost for cost in units if cost > 1}))
    decisions = KeyDecisions(store, table=table, classes=classes)
    key_hash = sys.stdin.readline().strip()
    for number in range(int(attempts)):
        for cost in units:
            request = Request("read", cost=cost)
            answer = decisions.admit(key_hash, now_ms=int(now_ms) + number, request=request)
            assert answer is not None, "the key is not there"
            sys.stdout.write(f"{time.time()} {cost * answer.admitted}\n")


if __name__ == "__main__":
    _ask(*sys.argv[1:])
