"""What an owner takes away is refused at once, in however many containers, to keys and tokens."""

from __future__ import annotations

import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.domain.verdicts import Allowed
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.rotation import Rotations
from tests.races.actors import Arena, authenticator, changes_of, now_ms, service
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import audit_of, dynamodb, keys_table
from tests.support.tokens import token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from multiprocessing.synchronize import Event

    from chatgrid_devkit.stack.ministack import Ministack

PROCESSES = 8
STAYS, GOES = "192.0.2.1", "203.0.113.9"

_ended: list[Event] = []  # in the processes that ask


def be_told(ended: Event) -> None:
    """Remember what tells an asking process to end."""
    _ended.append(ended)


def ask(arena: Arena, credentials: list[str]) -> tuple[list[float], int]:
    """Ask from the address that goes: when each admitted request began, and how many were not."""
    (ended,) = _ended
    decides, client = authenticator(arena)
    admitted: list[float] = []
    refused = turn = 0
    stop = time.monotonic() + 60
    while time.monotonic() < stop and not (ended.is_set() and refused):
        began = time.monotonic()  # of the machine: the same in all processes
        turn += 1
        credential = credentials[turn % len(credentials)]
        with suppress(Fault):  # a machine that stood still for a second
            verdict = decides.decide(
                f"Bearer {credential}", request=Request("read", source=GOES), now_ms=now_ms()
            )
            if isinstance(verdict, Allowed):
                admitted.append(began)
            else:
                refused += 1
                time.sleep(0.01)  # most are refused out of memory
    client.reset()
    return admitted, refused


class Askers:
    """Processes that ask when they are told to, and until they are told to end."""

    def __init__(self, pool: ProcessPoolExecutor, ended: Event, endpoint: str) -> None:
        self.pool, self.ended, self.endpoint = pool, ended, endpoint


@pytest.fixture(scope="module")
def askers(ministack: Ministack) -> Iterator[Askers]:
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    with ProcessPoolExecutor(PROCESSES, context, be_told, (ended,)) as pool:
        yield Askers(pool, ended, ministack.endpoint)


class Owned:
    """A key, and what its owner may do with it.

    Attributes:
        asked_with: the key itself, and a token of it.
    """

    def __init__(self, endpoint: str) -> None:
        self.client = dynamodb(endpoint)
        self.arena = Arena(endpoint=endpoint, table=keys_table(self.client), owner=str(uuid4()))
        issued = new_key(
            service(self.arena), self.arena.owner, rate_limit=60_000, allowed_ips=[STAYS, GOES]
        )
        self.id, self.hash = issued.key.id, hash_of(issued.raw_key)
        self.asked_with = [issued.raw_key, token_of(issued.raw_key)]
        store = DynamoKeyStore(
            Boto3Transport(self.client),
            table=self.arena.table,
            audit_table=audit_of(self.arena.table),
            pause=time.sleep,
        )
        self.rotations = Rotations(store.rotations, now_ms=now_ms, entropy=os.urandom)

    def used(self) -> int:
        """How many requests were counted until now."""
        found = self.client.get_item(
            TableName=self.arena.table,
            Key={"pk": {"S": f"KEY#{self.hash}"}, "sk": {"S": "#"}},
            ConsistentRead=True,
        )
        return int(found["Item"]["used"]["N"])

    def change(self, **said: object) -> None:
        changes_of(self.arena).change(self.arena.owner, self.id, said)

    def revoke(self) -> None:
        service(self.arena).revoke(self.arena.owner, self.id)

    def rotate(self, grace_seconds: int = 3_600) -> None:
        self.rotations.rotate(self.arena.owner, self.id, grace_seconds=grace_seconds)

    def end_previous(self) -> None:
        self.rotations.end_previous(self.arena.owner, self.id)


#: What is taken away, by what its owner does; what comes before is done first.
TAKEN: dict[str, Callable[[Owned], None]] = {
    "the address": lambda owned: owned.change(allowed_ips=[STAYS]),
    "the key, revoked": Owned.revoke,
    "the key, disabled": lambda owned: owned.change(enabled=False),
    "the secret, rotated": lambda owned: owned.rotate(grace_seconds=0),
    "the former secret's grace": Owned.end_previous,
}
BEFORE: dict[str, Callable[[Owned], None]] = {"the former secret's grace": Owned.rotate}


@pytest.mark.parametrize("what", TAKEN)
def test_no_request_that_follows_the_answer_is_admitted(askers: Askers, what: str) -> None:
    owned = Owned(askers.endpoint)
    if what in BEFORE:
        BEFORE[what](owned)
    askers.ended.clear()
    runs = [askers.pool.submit(ask, owned.arena, owned.asked_with) for _ in range(PROCESSES)]
    counted, deadline = 0, time.monotonic() + 60
    while counted < 10 * PROCESSES:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        counted = owned.used()
    TAKEN[what](owned)
    answered = time.monotonic()
    time.sleep(0.3)
    askers.ended.set()
    seen = [run.result(timeout=90) for run in runs]
    late = [at for admitted, _ in seen for at in admitted if at > answered]
    total, refused = sum(len(admitted) for admitted, _ in seen), sum(no for _, no in seen)
    print(f"{what}: {total} admitted before the answer, {len(late)} after, {refused} refused")
    assert total >= counted
    assert all(no for _, no in seen)
    assert not late
