"""An address that is taken away is refused at once, in however many containers."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_devkit.stack.ministack import Ministack
from tests.races.actors import Arena, changes_of, gate, now_ms, service
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import dynamodb, keys_table

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

PROCESSES = 8
ROUNDS = 2
STAYS, GOES = "192.0.2.1", "203.0.113.9"

_ended: list[Event] = []  # in the processes that ask


def be_told(ended: Event) -> None:
    """Remember what tells an asking process to end."""
    _ended.append(ended)


def ask(arena: Arena, key_hash: str) -> tuple[list[float], int]:
    """Ask from the address that goes: when each admitted request began, and how many were not."""
    (ended,) = _ended
    decisions, client = gate(arena)
    admitted: list[float] = []
    refused = 0
    stop = time.monotonic() + 60
    while time.monotonic() < stop and not (ended.is_set() and refused):
        began = time.monotonic()  # of the machine: the same in all processes
        with suppress(Fault):  # a machine that stood still for a second
            found = decisions.admit(key_hash, now_ms=now_ms(), request=Request("read", source=GOES))
            assert found is not None
            if found.admitted:
                admitted.append(began)
            else:
                refused += 1
                time.sleep(0.01)  # most are refused out of memory
    client.reset()
    return admitted, refused


def test_no_request_that_follows_the_answer_is_admitted(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    with ProcessPoolExecutor(PROCESSES, context, be_told, (ended,)) as pool:
        for _ in range(ROUNDS):
            ended.clear()
            arena = Arena(
                endpoint=ministack.endpoint,
                table=keys_table(client),
                owner=str(uuid4()),
                most_keys=5,
                shared={},
                actions=0,
                weights={},
            )
            issued = new_key(
                service(arena), arena.owner, rate_limit=60_000, allowed_ips=[STAYS, GOES]
            )
            key_hash = hash_of(issued.raw_key)
            runs = [pool.submit(ask, arena, key_hash) for _ in range(PROCESSES)]
            counted, deadline = 0, time.monotonic() + 60
            while counted < 10 * PROCESSES:
                assert time.monotonic() < deadline
                time.sleep(0.02)
                key = {"pk": {"S": f"KEY#{key_hash}"}, "sk": {"S": "#"}}
                found = client.get_item(TableName=arena.table, Key=key, ConsistentRead=True)
                counted = int(found["Item"]["used"]["N"])
            said = {"allowed_ips": [STAYS]}
            changes_of(arena).change(arena.owner, issued.key.id, said)
            answered = time.monotonic()
            time.sleep(0.3)
            ended.set()
            seen = [run.result(timeout=90) for run in runs]
            assert sum(len(admitted) for admitted, _ in seen) >= counted
            assert all(refused for _, refused in seen)
            late = [at for admitted, _ in seen for at in admitted if at > answered]
            assert not late
