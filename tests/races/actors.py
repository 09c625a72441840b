"""Processes with threads in them that create, use, list and revoke the same keys at once."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.key_errors import KeyLimitReached, NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_changes.changing import KeyChanges
from tests.races.history import (
    ADMITTED,
    FAULT,
    FULL,
    LIMITED,
    NOT_FOUND,
    OK,
    REVOKED,
    UNKNOWN,
    Event,
)
from tests.support.aws import OURS
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import change_service, new_key
from tests.support.tables.stores import audit_of, dynamodb

PROCESSES = 4
THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Arena:
    """What all actors of a race have in common."""

    endpoint: str
    table: str
    owner: str
    most_keys: int = 5
    shared: dict[str, str] = field(default_factory=dict, repr=False)  # key id → hash
    actions: int = 0
    weights: dict[str, int] = field(default_factory=dict)


def changes_of(arena: Arena) -> KeyChanges:
    """The service that changes keys, as a function has it."""
    return change_service(
        dynamodb(arena.endpoint), table=arena.table, now_ms=now_ms, pause=time.sleep
    )


def service(arena: Arena) -> ApiKeys:
    """The service as a function has it."""
    store = DynamoKeyStore(
        Boto3Transport(dynamodb(arena.endpoint)),
        table=arena.table,
        audit_table=audit_of(arena.table),
        pause=time.sleep,
    )
    return ApiKeys(
        store,
        now_ms=now_ms,
        entropy=os.urandom,
        default_rate_limit=20,
        keys_per_user=arena.most_keys,
    )


def gate(arena: Arena) -> tuple[KeyDecisions, DynamoDB]:
    """The authorizer's way to the store; a connection of its own."""
    client = DynamoDB(
        errors=errors,
        region="us-east-1",
        credentials=OURS,
        endpoint=arena.endpoint,
    )
    return KeyDecisions(client, table=arena.table), client


def authenticator(arena: Arena) -> tuple[Authenticator, DynamoDB]:
    """What an authorizer decides with, for keys and their tokens; a connection of its own."""
    decisions, client = gate(arena)
    made = key_gate(decisions)
    return made, client


@contextmanager
def processes() -> Iterator[ProcessPoolExecutor]:
    """Those that races run in, started anew, not forked: nothing but the store is shared."""
    context = get_context("spawn")
    together = context.Barrier(PROCESSES, timeout=60)
    with ProcessPoolExecutor(PROCESSES, context, _meet_at, (together,)) as pool:
        yield pool


_barriers: list[Barrier] = []  # in the processes: where they meet before a race


def _meet_at(together: Barrier) -> None:
    _barriers.append(together)


def race(arena: Arena, pool: ProcessPoolExecutor, *, seed: int) -> list[Event]:
    """Let all actors loose; what they saw."""
    seeds = [seed * 1_000 + number for number in range(PROCESSES)]
    runs = [pool.submit(_process, arena, own) for own in seeds]
    return [event for run in runs for event in run.result(timeout=120)]


def _process(arena: Arena, seed: int) -> list[Event]:
    # Each runs one of a race's parts, and none runs two of them.
    _barriers[0].wait()
    keys = service(arena)
    known = dict(arena.shared)
    together = threading.Barrier(THREADS, timeout=60)

    def thread(number: int) -> list[Event]:
        decisions, client = gate(arena)
        actor = Actor(arena, keys, decisions, known, random.Random(seed * 10 + number))
        together.wait()
        try:
            for _ in range(arena.actions):
                actor.act()
        finally:
            client.reset()
        return actor.events

    with ThreadPoolExecutor(THREADS) as pool:
        return [event for events in pool.map(thread, range(THREADS)) for event in events]


class Actor:
    """Does one thing after another, and writes down what it saw."""

    def __init__(
        self,
        arena: Arena,
        keys: ApiKeys,
        decisions: KeyDecisions,
        known: dict[str, str],
        choices: random.Random,
    ) -> None:
        self.events: list[Event] = []
        self._arena = arena
        self._keys = keys
        self._decisions = decisions
        self._known = known
        self._choices = choices

    def act(self) -> None:
        """Do one thing."""
        weights = self._arena.weights
        what = self._choices.choices(list(weights), list(weights.values()))[0]
        key = self._choices.choice(list(self._known))
        began = time.monotonic()
        walked: tuple[str, ...] = ()
        try:
            if what == "create":
                result, key = self._create()
            elif what == "walk":
                walked = self._walk()
                result, key = OK, ""
            else:
                step: Callable[[str], str] = getattr(self, f"_{what}")
                result = step(key)
        except Fault:
            result = FAULT
        self.events.append(Event(what, began, time.monotonic(), result, key, walked))

    def _create(self) -> tuple[str, str]:
        try:
            issued = new_key(self._keys, self._arena.owner)
        except KeyLimitReached:
            return FULL, ""
        self._known[issued.key.id] = hash_of(issued.raw_key)
        return OK, issued.key.id

    def _revoke(self, key: str) -> str:
        try:
            self._keys.revoke(self._arena.owner, key)
        except NotFound:
            return NOT_FOUND
        return OK

    def _get(self, key: str) -> str:
        try:
            self._keys.get(self._arena.owner, key)
        except NotFound:
            return NOT_FOUND
        return OK

    def _use(self, key: str) -> str:
        answer = self._decisions.admit(self._known[key], now_ms=now_ms(), request=Request("read"))
        if answer is None:
            return UNKNOWN
        if answer.admitted:
            return ADMITTED
        return LIMITED if answer.fault is None else REVOKED

    def _walk(self) -> tuple[str, ...]:
        found: list[str] = []
        descending = self._choices.random() < 0.5
        while True:
            page = self._keys.list(
                self._arena.owner,
                limit=3,
                after=found[-1] if found else None,
                descending=descending,
            )
            found += [key.id for key in page.items]
            if not page.has_more:
                return tuple(found)


def now_ms() -> int:
    return time.time_ns() // 1_000_000
