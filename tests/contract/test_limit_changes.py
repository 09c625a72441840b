"""A key's limit, changed while the key is used: exact from the answer on, in record and window."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.errors import StoreThrottled
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables import books
from tests.support.tables.key_service import change_service, key_service, new_key
from tests.support.tables.stores import keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000


class Bench:
    """One owner's keys, and the gate that lets them in, at a time of the test's choosing."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.owner = str(uuid4())
        self.now_ms = NOW_MS
        self.keys = key_service(
            client, table=self.table, now_ms=self.clock, default_rate_limit=10, keys_per_user=10
        )
        self.changes = change_service(client, table=self.table, now_ms=self.clock)
        self._decisions = KeyDecisions(Boto3Transport(client), table=self.table)

    def clock(self) -> int:
        return self.now_ms

    def issue(self, *, rate_limit: int | None = None) -> IssuedKey:
        return new_key(self.keys, self.owner, rate_limit=rate_limit)

    def admitted(self, raw_key: str, *, of: int) -> int:
        return sum(self.admits(raw_key) for _ in range(of))

    def admits(self, raw_key: str) -> bool:
        answer = self._decisions.admit(
            hash_of(raw_key), now_ms=self.now_ms, request=Request("read")
        )
        assert answer is not None
        return answer.admitted


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_a_raised_limit_can_be_used_at_once(bench: Bench) -> None:
    issued = bench.issue()
    assert bench.admitted(issued.raw_key, of=12) == 10
    bench.changes.change(bench.owner, issued.key.id, {"rate_limit": 15})
    assert bench.admitted(issued.raw_key, of=12) == 5
    assert bench.keys.get(bench.owner, issued.key.id).rate_limit == 15
    assert books.errors_in(books.contents(bench.client, bench.table)) == []


def test_a_lowered_limit_holds_at_once(bench: Bench) -> None:
    issued = bench.issue()
    assert bench.admitted(issued.raw_key, of=6) == 6
    bench.changes.change(bench.owner, issued.key.id, {"rate_limit": 4})
    assert not bench.admits(issued.raw_key)
    bench.now_ms += 70_000
    assert bench.admitted(issued.raw_key, of=12) == 4
    assert books.errors_in(books.contents(bench.client, bench.table)) == []


def test_a_key_that_is_not_there_has_no_limit_to_change(bench: Bench) -> None:
    revoked = bench.issue()
    bench.keys.revoke(bench.owner, revoked.key.id)
    others = bench.issue()
    for owner, key_id in (
        (bench.owner, revoked.key.id),
        (bench.owner, str(uuid4())),
        (str(uuid4()), others.key.id),
    ):
        with pytest.raises(NotFound):
            bench.changes.change(owner, key_id, {"rate_limit": 4})
    assert bench.admitted(others.raw_key, of=12) == 10


@pytest.mark.parametrize("busy_moments", [1, 3, None])
def test_a_request_in_between_is_counted_and_the_change_made_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, busy_moments: int | None
) -> None:
    given = 10 if busy_moments else 50  # a key that is out of requests is busy no more
    issued = bench.issue(rate_limit=given)
    left = busy_moments
    write = bench.client.update_item

    def after_a_request(**parameters: Any) -> Any:
        nonlocal left
        changes = "lim = " in parameters["UpdateExpression"]
        if changes and (left is None or left > 0):
            left = None if left is None else left - 1
            bench.now_ms += 1_000
            bench.admits(issued.raw_key)
        return write(**parameters)

    monkeypatch.setattr(bench.client, "update_item", after_a_request)
    if busy_moments is None:
        with pytest.raises(StoreThrottled):
            bench.changes.change(bench.owner, issued.key.id, {"rate_limit": 20})
        assert bench.keys.get(bench.owner, issued.key.id).rate_limit == given
    else:
        bench.changes.change(bench.owner, issued.key.id, {"rate_limit": 20})
        assert bench.admitted(issued.raw_key, of=30) == 20 - busy_moments
    assert books.errors_in(books.contents(bench.client, bench.table)) == []
