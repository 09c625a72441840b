from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from chatgrid_auth.adapters.dynamodb import lean_client
from tests.support.aws import VARIABLES


def test_after_a_snapshot_the_connection_and_the_clock_are_begun_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hooks: list[Any] = []
    lambdas_own: Any = ModuleType("snapshot_restore_py")
    lambdas_own.register_after_restore = hooks.append
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", lambdas_own)
    lean_client.dynamodb(VARIABLES)
    assert hooks == []
    client = lean_client.dynamodb({**VARIABLES, "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start"})
    client.clock.offset_seconds = 5.0
    (renew,) = hooks
    renew()
    assert client.clock.offset_seconds == 0.0
