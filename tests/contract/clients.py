"""Fixtures that start fault servers and make lean clients of them."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.domain import errors
from tests.support.servers.fault_server import FaultServer, Step


def credentials(name: str = "AKIDEXAMPLE") -> Credentials:
    return Credentials(access_key_id=name, secret_access_key="a-secret", session_token="a-token")


class Pauses:
    """Stands in for sleep, and remembers."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


class Serve(Protocol):
    """Starts a server for the rest of the test."""

    def __call__(self, *steps: Step, tls: ssl.SSLContext | None = None) -> FaultServer: ...


class Connect(Protocol):
    """Makes a client of a server, or of the ``endpoint`` among its settings.

    It is closed when the test ends.
    """

    def __call__(self, server: FaultServer | None, **settings: object) -> DynamoDB: ...


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda *steps, tls=None: stack.enter_context(FaultServer(*steps, tls=tls))


@pytest.fixture
def connect(serve: Serve) -> Iterator[Connect]:
    made = []

    def make(server: FaultServer | None, **settings: object) -> DynamoDB:
        usual = {
            "region": "eu-central-1",
            "credentials": FixedCredentials(credentials()),
            "errors": errors,
            "endpoint": server.url if server else None,
            "sleep": Pauses(),
            "entropy": lambda size: b"\xff" * size,
        }
        made.append(DynamoDB(**(usual | settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.reset()
