"""Keys in DynamoDB: whole or not at all, exact lists, final revocation, none of the raw key."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.credentials import ApiKey, IssuedKey
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.key_errors import KeyLimitReached, NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from tests.support.audit import created, revoked
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000


class Bench:
    """Keys over one store, with a clock that goes forward one millisecond a reading."""

    def __init__(self, client: DynamoDBClient, *, keys_per_user: int = 1_000) -> None:
        self.client = client
        self.table = keys_table(client)
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self.now_ms = NOW_MS
        self.keys = ApiKeys(
            self.store,
            now_ms=self.tick,
            entropy=os.urandom,
            default_rate_limit=120,
            keys_per_user=keys_per_user,
        )

    def tick(self) -> int:
        self.now_ms += 1
        return self.now_ms

    def issue(self, owner: str, **facts: object) -> IssuedKey:
        return new_key(self.keys, owner, **{"scopes": ["read", "write"], **facts})

    def walk(self, owner: str, *, limit: int, descending: bool) -> list[ApiKey]:
        found: list[ApiKey] = []
        while True:
            after = found[-1].id if found else None
            page = self.keys.list(owner, limit=limit, after=after, descending=descending)
            found += page.items
            if not page.has_more:
                return found

    def items(self) -> list[dict[str, object]]:
        return self.client.scan(TableName=self.table, ConsistentRead=True)["Items"]  # type: ignore[return-value]


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


@pytest.fixture
def make_bench(client: DynamoDBClient) -> Callable[..., Bench]:
    return lambda **settings: Bench(client, **settings)


def owner() -> str:
    return str(uuid4())


def test_an_issued_key_is_read_back_as_it_was_made(bench: Bench) -> None:
    user = owner()
    issued = bench.issue(
        user, name="Ä key", scopes=["admin", "read"], environment="test", rate_limit=7
    ).key
    assert bench.keys.get(user, issued.id) == issued
    assert bench.walk(user, limit=50, descending=True) == [issued]
    assert issued.scopes == ("read", "admin")
    assert (issued.rate_limit, issued.environment, issued.last_used_at_ms) == (7, "test", None)


def test_the_raw_key_is_nowhere_in_the_store(bench: Bench) -> None:
    issued = bench.issue(owner())
    stored = repr(bench.items())
    assert issued.raw_key not in stored
    assert issued.raw_key[13:] not in stored
    assert hash_of(issued.raw_key) in stored


def test_a_key_without_a_limit_of_its_own_gets_the_default(bench: Bench) -> None:
    assert bench.issue(owner()).key.rate_limit == 120


def test_a_revoked_key_is_gone_from_lists_and_cannot_be_revoked_again(bench: Bench) -> None:
    user = owner()
    kept, revoked = bench.issue(user).key, bench.issue(user).key
    bench.keys.revoke(user, revoked.id)
    assert bench.walk(user, limit=50, descending=False) == [kept]
    with pytest.raises(NotFound):
        bench.keys.get(user, revoked.id)
    with pytest.raises(NotFound):
        bench.keys.revoke(user, revoked.id)


def test_somebody_elses_key_is_as_absent_as_none(bench: Bench) -> None:
    mine, theirs = owner(), owner()
    key = bench.issue(theirs).key
    assert bench.walk(mine, limit=50, descending=True) == []
    for key_id in (key.id, str(uuid4())):
        with pytest.raises(NotFound):
            bench.keys.get(mine, key_id)
        with pytest.raises(NotFound):
            bench.keys.revoke(mine, key_id)
    assert bench.keys.get(theirs, key.id) == key


def test_a_user_holds_no_more_keys_than_allowed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(keys_per_user=2)
    user = owner()
    first = bench.issue(user).key
    bench.issue(user)
    before = len(bench.items())
    with pytest.raises(KeyLimitReached):
        bench.issue(user)
    assert len(bench.items()) == before, "a refused key leaves something behind"
    bench.issue(owner())  # another user's count is another count
    bench.keys.revoke(user, first.id)
    bench.issue(user)
    with pytest.raises(KeyLimitReached):
        bench.issue(user)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_pages_give_every_key_once_in_order_of_creation(
    bench: Bench, limit: int, *, descending: bool
) -> None:
    user = owner()
    made = [bench.issue(user).key for _ in range(6)]
    bench.issue(owner())
    expected = made[::-1] if descending else made
    assert bench.walk(user, limit=limit, descending=descending) == expected


@pytest.mark.parametrize("descending", [True, False])
def test_keys_that_exist_throughout_are_given_once_whatever_comes_and_goes(
    bench: Bench, *, descending: bool
) -> None:
    user = owner()
    made = [bench.issue(user).key for _ in range(30)]
    stay, go = made[::2], made[1::2]
    found: list[str] = []
    after = None
    while True:
        page = bench.keys.list(user, limit=4, after=after, descending=descending)
        found += [key.id for key in page.items]
        if not page.has_more:
            break
        after = found[-1]
        if go:  # also the one that the cursor stands on
            bench.keys.revoke(user, go.pop(len(go) // 2).id)
        bench.issue(user)
    assert len(found) == len(set(found))
    assert {key.id for key in stay} <= set(found)


def test_revoking_leaves_work_for_the_usage_plans(bench: Bench) -> None:
    user = owner()
    key = bench.issue(user).key

    def work() -> list[object]:
        return [item["action"] for item in bench.items() if item["pk"] == {"S": "PLANS"}]

    assert work() == [{"S": "provision"}]
    bench.keys.revoke(user, key.id)
    assert work() == [{"S": "retire"}]


def test_without_gateway_keys_of_their_own_keys_leave_no_work(bench: Bench) -> None:
    store = DynamoKeyStore(
        Boto3Transport(bench.client),
        table=bench.table,
        audit_table=audit_of(bench.table),
        pause=lambda _: None,
        own_gateway_keys=False,
    )
    user = owner()
    for imported in (False, True):
        key = ApiKey(
            id=str(uuid4()),
            owner=user,
            name="key",
            prefix="cgk_live_0000",
            scopes=("read",),
            environment="live",
            rate_limit=120,
            created_at_ms=NOW_MS,
        )
        store.create(
            key,
            key_hash=os.urandom(32).hex(),
            keys_per_user=5,
            imported=imported,
            event=created(key),
        )
        assert store.revoke(user, key.id, event=revoked(user, key.id, at_ms=NOW_MS))

    assert [item for item in bench.items() if item["pk"] == {"S": "PLANS"}] == []


def test_a_missing_table_is_a_fault_and_not_an_absent_key(bench: Bench) -> None:
    store = DynamoKeyStore(
        Boto3Transport(bench.client),
        table="not-there",
        audit_table=audit_of("not-there"),
        pause=lambda _: None,
    )
    with pytest.raises(StoreUnavailable):
        store.get(owner(), str(uuid4()))
    with pytest.raises(StoreUnavailable):
        store.revoke(owner(), "k", event=revoked("u", "k", at_ms=NOW_MS))
    with pytest.raises(StoreUnavailable):
        store.page(owner(), limit=1, after=None, descending=True)
