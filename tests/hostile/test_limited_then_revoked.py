"""A key that is hammered over its limit can be taken away, and nothing keeps it alive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from tests.support.stack.api import Api

HAMMERS = 4
#: How long a refusal may be given from memory, and how long the hammering goes on afterwards.
REMEMBERED_SECONDS = 5.0
AFTERWARDS_SECONDS = 1.5


@dataclass(frozen=True, slots=True)
class Tried:
    """One request: when it was sent, on the clock of this process, and its status."""

    sent_s: float
    status: int


class Hammer:
    """Sends requests with one key from several threads until it is told to stop."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(HAMMERS)]
        self.tried: list[Tried] = []

    def _run(self) -> None:
        while not self._stop.is_set():
            sent_s = time.monotonic()
            status = self._api.ask("GET", "/boards").status_code
            self.tried.append(Tried(sent_s, status))

    def __enter__(self) -> Hammer:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def until(condition: Callable[[], bool], *, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def test_a_hammered_key_that_is_revoked_ends_in_five_seconds(
    as_user: Callable[..., Api],
) -> None:
    """It is over its limit when it is revoked."""
    owner = as_user(str(uuid4()))
    made = owner.create_key(scopes=["read"], rate_limit=3)
    with Hammer(owner.holding(made["raw_key"])) as hammer:
        until(lambda: sum(one.status == 429 for one in hammer.tried) >= 20)
        revoked = owner.ask("DELETE", f"/me/api-keys/{made['id']}")
        revoked_s = time.monotonic()
        assert revoked.status_code == 200, revoked.text
        end_s = revoked_s + REMEMBERED_SECONDS + AFTERWARDS_SECONDS
        until(lambda: time.monotonic() > end_s)
    before = [one.status for one in hammer.tried if one.sent_s < revoked_s]
    after = [one for one in hammer.tried if one.sent_s >= revoked_s]
    assert sum(status == 200 for status in before) == 3
    assert {one.status for one in after} <= {401, 429}
    late = [one.status for one in after if one.sent_s >= revoked_s + REMEMBERED_SECONDS]
    assert len(late) > HAMMERS
    assert set(late) == {401}
