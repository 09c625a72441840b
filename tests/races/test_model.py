"""Keys, one step after another, as a model in a few lines says: the base of all races."""

from __future__ import annotations

import os
from math import inf
from typing import Any
from uuid import uuid4

from hypothesis import settings, stateful
from hypothesis import strategies as st

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.key_errors import (
    KeyConflict,
    KeyDisabled,
    KeyLimitReached,
    NotFound,
    PreviousSecretActive,
)
from chatgrid_auth.domain.keys import hash_of, prefix_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.rotation import Rotations
from tests.support.tables import books
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import change_service, key_service, new_key
from tests.support.tables.stores import audit_of, keys_table

MOST_KEYS = 4
LIMIT = 3
#: Further apart than any window.
LATER_MS = 70_000


class Modelled:
    """What the model knows of a key."""

    def __init__(self, raw_key: str) -> None:
        #: Hash and end of each secret, the current one last.
        self.secrets: list[tuple[str, float]] = [(hash_of(raw_key), inf)]
        self.prefix = prefix_of(raw_key)
        self.limit = LIMIT
        self.used = 0
        self.revoked = False
        self.enabled = True
        self.metadata: dict[str, str] = {}

    def has_former(self, now_ms: int) -> bool:
        """Whether a secret before the current one still passes."""
        return any(until > now_ms for _, until in self.secrets[:-1])

    def fault(self, which: int, now_ms: int) -> str | None:
        """What a request with one of its secrets is refused for."""
        if self.revoked:
            return "revoked"
        if not self.enabled:
            return "disabled"
        return None if self.secrets[which][1] > now_ms else "ended"


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
        store = DynamoKeyStore(
            Boto3Transport(self._client),
            table=self._table,
            audit_table=audit_of(self._table),
            pause=lambda _: None,
        )
        self._rotations = Rotations(store.rotations, now_ms=self._tick, entropy=os.urandom)
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

    @stateful.rule(key_id=known, on=st.booleans())
    def switch(self, key_id: str, *, on: bool) -> None:
        key = self._model[key_id]
        done = self._does(lambda: self._changes.change(self._owner, key_id, {"enabled": on}))
        assert done is not key.revoked
        key.enabled = on if done else key.enabled

    @stateful.rule(key_id=known, value=st.sampled_from(["one", "two", None]))
    def describe(self, key_id: str, value: str | None) -> None:
        key, said = self._model[key_id], {"metadata": {"stage": value}}
        done = self._does(lambda: self._changes.change(self._owner, key_id, said))
        assert done is not key.revoked
        if done:
            key.metadata = {} if value is None else {"stage": value}

    @stateful.rule(key_id=known, grace_s=st.sampled_from([0, 60, 600]), force=st.booleans())
    def rotate(self, key_id: str, grace_s: int, *, force: bool) -> None:
        key = self._model[key_id]
        expected: type[Exception] | None = None
        if key.revoked:
            expected = NotFound
        elif not key.enabled:
            expected = KeyDisabled
        elif key.has_former(self._now_ms + 1) and not force:
            expected = PreviousSecretActive
        at_ms = self._now_ms + 1  # as the service is told
        refused: type[Exception] | None = None
        try:
            issued = self._rotations.rotate(self._owner, key_id, grace_seconds=grace_s, force=force)
        except (NotFound, KeyConflict) as error:
            refused = type(error)
        assert refused is expected
        if refused is not None:
            return
        key.secrets = [(secret, min(until, at_ms)) for secret, until in key.secrets[:-1]] + [
            (key.secrets[-1][0], at_ms + grace_s * 1_000),
            (hash_of(issued.raw_key), inf),
        ]
        key.prefix = prefix_of(issued.raw_key)

    @stateful.rule(key_id=known)
    def end(self, key_id: str) -> None:
        key, at_ms = self._model[key_id], self._now_ms + 1
        has_former = key.has_former(at_ms)
        done = self._does(lambda: self._rotations.end_previous(self._owner, key_id))
        assert done is (has_former and not key.revoked)
        if done:
            former = [(secret, min(until, at_ms)) for secret, until in key.secrets[:-1]]
            key.secrets = [*former, key.secrets[-1]]

    @stateful.rule(key_id=known)
    def get(self, key_id: str) -> None:
        key, now_ms = self._model[key_id], self._tick()
        try:
            shown = self._keys.get(self._owner, key_id)
        except NotFound:
            assert key.revoked
            return
        assert not key.revoked
        assert (shown.rate_limit, shown.enabled) == (key.limit, key.enabled)
        assert (dict(shown.metadata), shown.prefix) == (key.metadata, key.prefix)
        assert (shown.previous_secret is not None) is key.has_former(now_ms)

    @stateful.rule(key_id=known)
    def of_somebody_else(self, key_id: str) -> None:
        stranger = str(uuid4())
        assert not self._does(lambda: self._keys.get(stranger, key_id))
        assert not self._does(lambda: self._keys.revoke(stranger, key_id))

    @stateful.rule(key_id=known, which=st.integers(0, 2))
    def use(self, key_id: str, which: int) -> None:
        key, now_ms = self._model[key_id], self._tick()
        which = -1 - which % len(key.secrets)
        answer = self._decisions.admit(
            key.secrets[which][0], now_ms=now_ms, request=Request("read")
        )
        fault = key.fault(which, now_ms)
        assert answer is not None
        assert answer.fault == fault
        assert answer.admitted is (fault is None and key.used < key.limit)
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
TestKeys.settings = settings(max_examples=20, stateful_step_count=30)
