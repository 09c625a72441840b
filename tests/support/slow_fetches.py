"""Waiting for fetches without spending the time: a clock that only waiting moves on."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event

import pytest

from chatgrid_auth.adapters.jwt import jwks_cache


class Waiting:
    """The monotonic clock of a cache whose callers wait.

    Attributes:
        seconds: what was waited for until now, in all.
        meanwhile: what happens during a wait, told how long it may take; says how long it took.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.meanwhile: Callable[[float], float] = lambda longest: longest

    def monotonic(self) -> float:
        return self.seconds


class _Landing(Event):
    def __init__(self, waiting: Waiting) -> None:
        super().__init__()
        self._waiting = waiting

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None, "nobody waits without an end"
        if timeout > 0 and not self.is_set():
            self._waiting.seconds += self._waiting.meanwhile(timeout)
        return self.is_set()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Waiting:
    """What the callers of every cache made from now on have waited for."""
    total = Waiting()
    monkeypatch.setattr(jwks_cache, "Event", lambda: _Landing(total))
    return total
