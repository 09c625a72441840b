"""Unit tests run without the network: whoever opens a socket fails."""

from __future__ import annotations

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # Unix sockets stay: an asyncio event loop wakes itself through one.
    disable_socket(allow_unix_socket=True)
