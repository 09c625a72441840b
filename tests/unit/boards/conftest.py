"""The boards function over a table in memory."""

from __future__ import annotations

from uuid import uuid4

import pytest

from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_boards.store import BoardStore
from chatgrid_boards.wiring import Settings, compose
from tests.support.http_api import Api, key_caller, lazily
from tests.support.memory.boards_table import MemoryTransport


@pytest.fixture
def table() -> MemoryTransport:
    return MemoryTransport()


@pytest.fixture
def api(table: MemoryTransport) -> Api:
    """The function, called by the holder of a write key of a user of its own."""
    settings = Settings(
        boards_table="boards",
        allowed_origin="https://app.example.com",
        # A name of its own: a logger holds on to the standard output that it met first.
        telemetry=Telemetry(service=f"boards-{uuid4()}", namespace="Test", level="INFO"),
    )
    store = BoardStore(table, table="boards")
    return Api(lazily(lambda: compose(settings, store=store)), key_caller(scope="write"))
