"""Exact under real concurrency: processes that share nothing but the store."""

from __future__ import annotations

from uuid import uuid4

from chatgrid_auth.domain.keys import hash_of
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.containers import admitted_by
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import dynamodb, keys_table

PROCESSES = 8
ATTEMPTS = 400
LIMIT = 1_000
NOW_MS = 1_800_000_000_000


def test_eight_processes_admit_exactly_the_limit(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    table = keys_table(client)
    issuing = key_service(
        client, table=table, now_ms=lambda: NOW_MS, default_rate_limit=LIMIT, keys_per_user=10
    )
    issued = new_key(issuing, str(uuid4()))
    answers = admitted_by(
        PROCESSES,
        ministack.endpoint,
        table,
        hash_of(issued.raw_key),
        attempts=ATTEMPTS,
        now_ms=NOW_MS,
    )
    admitted = [sum(units for _, units in each) for each in answers]
    assert sum(admitted) == LIMIT
    assert sum(count > 0 for count in admitted) > 1, "one process ran alone: nothing was raced"
