"""A busy key gets another secret: nobody notices but who looks, and one budget holds for both."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.awslite.http_connection import HttpConnection
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.verdicts import Allowed, Limited
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.rotation import Rotations
from tests.races.actors import Arena, authenticator, now_ms, service
from tests.support.servers.conflicting_dynamodb import conflicting_dynamodb
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import audit_of, dynamodb, keys_table

if TYPE_CHECKING:
    from collections.abc import Iterator

THREADS = 4
#: Requests a second on the one key, as far as the machine lets them.
RATE = 200
LIMIT = 1_000
REQUESTS = 1_200


@pytest.fixture
def arena() -> Iterator[Arena]:
    with conflicting_dynamodb() as endpoint:
        yield Arena(
            endpoint=endpoint,
            table=keys_table(dynamodb(endpoint)),
            owner=str(uuid4()),
        )


def test_rotating_a_busy_key_refuses_nobody_and_costs_no_second_request(
    arena: Arena, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never more than the limit either, over both secrets together."""
    store = DynamoKeyStore(
        Boto3Transport(dynamodb(arena.endpoint)),
        table=arena.table,
        audit_table=audit_of(arena.table),
        pause=time.sleep,
    )
    rotations = Rotations(store.rotations, now_ms=now_ms, entropy=os.urandom)
    issued = new_key(service(arena), arena.owner, rate_limit=LIMIT)
    secrets = [issued.raw_key]
    sent: Counter[int] = Counter()
    exchange = HttpConnection.exchange

    def counted(self: HttpConnection, *arguments: Any, **named: Any) -> Any:
        sent[threading.get_ident()] += 1
        return exchange(self, *arguments, **named)

    monkeypatch.setattr(HttpConnection, "exchange", counted)
    began = time.monotonic()

    def container(number: int) -> list[tuple[str, bool]]:
        """Ask for one thread's share of the requests, with each secret that there is in turn."""
        decides, client = authenticator(arena)
        verdicts: list[tuple[str, bool]] = []
        for turn in range(number, REQUESTS, THREADS):
            ahead = turn / RATE - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)
            before = sent[threading.get_ident()]
            known = list(secrets)
            verdict = decides.decide(
                f"Bearer {known[turn // THREADS % len(known)]}",
                request=Request("read"),
                now_ms=now_ms(),
            )
            reason = getattr(verdict, "reason", type(verdict).__name__)
            verdicts.append((reason, sent[threading.get_ident()] > before))
        client.reset()
        return verdicts

    with ThreadPoolExecutor(THREADS) as pool:
        runs = [pool.submit(container, number) for number in range(THREADS)]
        while time.monotonic() < began + REQUESTS / RATE / 4:
            time.sleep(0.01)
        rotated = rotations.rotate(arena.owner, issued.key.id)
        secrets.append(rotated.raw_key)
        verdicts = [verdict for run in runs for verdict in run.result(120)]
    seconds = time.monotonic() - began
    asked = sum(1 for _, store_asked in verdicts if store_asked)
    own = sum(sent.values())  # boto3 has connections of its own
    print(f"{len(verdicts) / seconds:.0f} requests a second; {own / asked:.3f} of the store each")
    names = Counter(reason for reason, _ in verdicts)
    assert set(names) == {Allowed.__name__, Limited.__name__}
    assert names[Allowed.__name__] == LIMIT
    assert seconds < 60
    # Beyond one each: each container meets the alias once, and sweeps up now and then.
    assert own <= asked * 1.02 + 2 * THREADS
