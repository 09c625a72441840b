"""Keys, one step after another, as a model in a few lines says: the base of all races."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from hypothesis import settings, stateful
from hypothesis import strategies as st

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.errors import KeyLimitReached, NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables import books
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import change_service, key_service, new_key
from tests.support.tables.stores import keys_table

MOST_KEYS = 4
LIMIT = 3
#: Further apart than any window.
LATER_MS = 70_000


class Modelled:
    """What the model knows of a key."""

    def __init__(self, raw_key: str) -> None:
        self.hash = hash_of(raw_key)
        self.limit = LIMIT
        self.used = 0
        self.revoked = False


class Keys(stateful.RuleBasedStateMachine):
    """The service and the gate on one store, against a dictionary."""

    known: stateful.Bundle[str] = stateful.Bundle("known")

    def __init__(self) -> None:
        super().__init__()
        self._moto = in_process_dynamodb()
        self._client = self._moto.__enter__()
        self._table = keys_table(self._client)
        self._now_ms = 1_800_000_000_000
        self._owner = str(uuid4())
        self._model: dict[str, Modelled] = {}
        self._keys = key_service(
            self._client,
            table=self._table,
            now_ms=self._tick,
            default_rate_limit=LIMIT,
            keys_per_user=MOST_KEYS,
        )
        self._changes = change_service(
            self._client, table=self._table, now_ms=self._tick, default_rate_limit=LIMIT
        )
        self._decisions = KeyDecisions(Boto3Transport(self._client), table=self._table)

    def teardown(self) -> None:
        try:
            assert books.errors_in(books.contents(self._client, self._table)) == []
        finally:
            self._moto.__exit__(None, None, None)

    def _tick(self) -> int:
        self._now_ms += 1
        return self._now_ms

    def _alive(self) -> list[str]:
        return [key_id for key_id, key in self._model.items() if not key.revoked]

    @stateful.rule(target=known)
    def create(self) -> Any:
        full = len(self._alive()) >= MOST_KEYS
        try:
            issued = new_key(self._keys, self._owner)
        except KeyLimitReached:
            assert full
            return stateful.multiple()
        assert not full
        self._model[issued.key.id] = Modelled(issued.raw_key)
        return issued.key.id

    @stateful.rule(key_id=known)
    def revoke(self, key_id: str) -> None:
        assert self._does(lambda: self._keys.revoke(self._owner, key_id)) is not (
            self._model[key_id].revoked
        )
        self._model[key_id].revoked = True

    @stateful.rule(key_id=known, limit=st.integers(1, 2 * LIMIT))
    def change_limit(self, key_id: str, limit: int) -> None:
        key = self._model[key_id]
        done = self._does(lambda: self._changes.change(self._owner, key_id, {"rate_limit": limit}))
        assert done is not key.revoked
        key.limit = limit if done else key.limit

    @stateful.rule(key_id=known)
    def get(self, key_id: str) -> None:
        assert self._does(lambda: self._keys.get(self._owner, key_id)) is not (
            self._model[key_id].revoked
        )

    @stateful.rule(key_id=known)
    def of_somebody_else(self, key_id: str) -> None:
        stranger = str(uuid4())
        assert not self._does(lambda: self._keys.get(stranger, key_id))
        assert not self._does(lambda: self._keys.revoke(stranger, key_id))

    @stateful.rule(key_id=known)
    def use(self, key_id: str) -> None:
        key = self._model[key_id]
        answer = self._decisions.admit(key.hash, now_ms=self._tick(), request=Request("read"))
        assert answer is not None
        assert answer.fault == ("revoked" if key.revoked else None)
        assert answer.admitted is (not key.revoked and key.used < key.limit)
        key.used += answer.admitted

    @stateful.rule(limit=st.integers(1, 5), descending=st.booleans())
    def walk(self, limit: int, *, descending: bool) -> None:
        found: list[str] = []
        while True:
            after = found[-1] if found else None
            page = self._keys.list(self._owner, limit=limit, after=after, descending=descending)
            found += [key.id for key in page.items]
            if not page.has_more:
                break
        assert found == sorted(self._alive(), reverse=descending)
        assert found == (self._alive()[::-1] if descending else self._alive())

    @stateful.rule()
    def wait(self) -> None:
        self._now_ms += LATER_MS
        for key in self._model.values():
            key.used = 0

    def _does(self, action: Any) -> bool:
        try:
            action()
        except NotFound:
            return False
        return True


TestKeys = Keys.TestCase
TestKeys.settings = settings(max_examples=12, stateful_step_count=30)
