"""Processes that make and revoke keys of a few users at once, and fail in every way there is."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.domain.errors import Fault
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.api_keys import ApiKeys
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import audit_of, dynamodb

_REQUESTS = {"get_item", "query", "update_item", "transact_write_items"}
#: How often each kind of fault happens to a request.
FAULT_SHARE = 0.015


class KilledError(BaseException):
    """The end of a process: nothing catches it, and the next one knows nothing."""


class Faulty:
    """A client that is killed, unheard or throttled now and then."""

    def __init__(self, client: Any, chance: random.Random) -> None:
        self._client = client
        self._chance = chance

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._ask(found) if name in _REQUESTS else found

    def _ask(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def ask(**parameters: Any) -> Any:
            at = self._chance.random() / FAULT_SHARE
            if at < 1:
                raise KilledError
            if at < 2:
                throttled: Any = {"Error": {"Code": "ProvisionedThroughputExceededException"}}
                raise ClientError(throttled, "Request")
            answer = found(**parameters)
            if at < 3:
                raise KilledError
            if at < 4:
                raise ReadTimeoutError(endpoint_url="lost")
            return answer

        return ask


@dataclass(frozen=True, slots=True, kw_only=True)
class Writers:
    """What all of them have in common."""

    endpoint: str
    table: str
    owners: tuple[str, ...]
    actions: int


def write(writers: Writers, *, processes: int, seed: int) -> int:
    """Let them loose; how often one of them was cut off."""
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        runs = [pool.submit(_process, writers, seed + number) for number in range(processes)]
        return sum(run.result() for run in runs)


def _process(writers: Writers, seed: int) -> int:
    chance = random.Random(seed)
    client = dynamodb(writers.endpoint)
    faulty: Any = Faulty(client, chance)
    store = DynamoKeyStore(
        Boto3Transport(faulty),
        table=writers.table,
        audit_table=audit_of(writers.table),
        pause=time.sleep,
        own_gateway_keys=False,
    )
    keys = ApiKeys(
        store,
        now_ms=lambda: time.time_ns() // 1_000_000,
        entropy=os.urandom,
        default_rate_limit=20,
        keys_per_user=100_000,
    )
    cut_off = 0
    made: list[tuple[str, str]] = []
    for number in range(writers.actions):
        actor = Actor(type=JWT, id="a user", request_id=f"{seed}-{number}")
        try:
            # Half of all keys are revoked again.
            if made and number % 3 == 2:
                with suppress(NotFound):
                    keys.revoke(*made.pop(chance.randrange(len(made))), actor=actor)
            else:
                owner = chance.choice(writers.owners)
                made.append((owner, new_key(keys, owner, actor=actor).key.id))
        except (Fault, KilledError):
            cut_off += 1
    return cut_off
