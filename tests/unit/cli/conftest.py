"""An operator at a stack in memory, for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from chatgrid_cli import commands
from tests.support.cli import Operator


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with mock_aws():
        someone = Operator()
        monkeypatch.setattr(commands, "find", lambda _: someone.stack())
        yield someone
