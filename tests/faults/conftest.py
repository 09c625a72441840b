"""Functions whose stores are behind a proxy, with the patience of a test."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import botocore.endpoint
import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.adapters.dynamodb import lean_client as functions_client
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import errors
from chatgrid_auth.http_api.edge import ContractMiddleware
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer.response import Gate
from chatgrid_devkit.stack.ministack import Ministack
from tests.faults.bench import Bench
from tests.support.aws import OURS, VARIABLES
from tests.support.servers.proxy import FaultProxy
from tests.support.tables.stores import dynamodb
from tests.support.tokens import derived

#: What a call may take here: less than in production, and well above what a busy machine needs.
REPLY_SECONDS = 0.8
EDGE_SECONDS = 4.0
BUDGET_SECONDS = 2.0


@pytest.fixture
def proxy(ministack: Ministack) -> Iterator[FaultProxy]:
    """A proxy in front of the embedded AWS; its plan passes everything on at first."""
    with FaultProxy(lambda: ministack.endpoint) as running:
        yield running


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Points functions at an endpoint, their retries as many but quicker than in production."""

    def point(endpoint: str) -> None:
        for name, value in VARIABLES.items():
            monkeypatch.setenv(name, value)
        for service in ("DYNAMODB", "API_GATEWAY"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", endpoint)
        quick = RetryPolicy(
            connect=REPLY_SECONDS,
            reply=REPLY_SECONDS,
            budget=2 * REPLY_SECONDS,
            attempts=functions_client.PATIENCE.attempts,
            backoff=0.001,
        )
        monkeypatch.setattr(functions_client, "PATIENCE", quick)
        clock = SimpleNamespace(sleep=lambda _: None, time=time.time)
        monkeypatch.setattr(botocore.endpoint, "time", clock)
        monkeypatch.setattr(
            ContractMiddleware.__init__, "__kwdefaults__", {"seconds": EDGE_SECONDS}
        )

    return point


@pytest.fixture
def connect() -> Iterator[Callable[[], DynamoDB]]:
    """Makes what functions behind the API ask DynamoDB with."""
    made: list[DynamoDB] = []

    def make() -> DynamoDB:
        made.append(functions_client.dynamodb(os.environ))
        return made[-1]

    yield make
    for client in made:
        client.reset()


@pytest.fixture
def bench(
    ministack: Ministack,
    proxy: FaultProxy,
    impatient: Callable[[str], None],
    connect: Callable[[], DynamoDB],
) -> Iterator[Bench]:
    """Functions behind the proxy, and the store as it is without it."""
    impatient(proxy.url)
    with Bench(
        proxy,
        store=dynamodb(ministack.endpoint),
        functions_store=connect(),
    ) as made:
        yield made


@pytest.fixture
def make_gate(proxy: FaultProxy) -> Iterator[Callable[..., Gate]]:
    """Makes authorizers behind the proxy, each a container of its own."""
    clients: list[DynamoDB] = []

    def make(*, keys: str, users: str = "", tokens: Callable[[], Any] = lambda: None) -> Gate:
        client = lean_client(proxy.url)
        clients.append(client)
        return Gate(
            authenticator=Authenticator(
                keys=KeyDecisions(client, table=keys),
                users=UserWindows(client, table=users, limit=200, now_ms=now_ms),
                tokens=tokens,
                derived=derived,
                key_tier="standard-tier",
                jwt_tier="web-tier",
                limited_tier="limited-tier",
            ),
            now_ms=now_ms,
            elapsed_ms=lambda: 0.0,
            store_waited_ms=lambda: 0.0,
            log=lambda _: None,
            metrics_namespace="ChatGrid/test",
            routes=Routes(permissions={}),
        )

    yield make
    for client in clients:
        client.reset()


def lean_client(endpoint: str) -> DynamoDB:
    """The authorizer's own client, as patient as a test."""
    return DynamoDB(
        errors=errors,
        region="us-east-1",
        credentials=OURS,
        endpoint=endpoint,
        retry_policy=RetryPolicy(connect=REPLY_SECONDS, reply=REPLY_SECONDS, budget=BUDGET_SECONDS),
        entropy=os.urandom,
    )


def now_ms() -> int:
    return time.time_ns() // 1_000_000
