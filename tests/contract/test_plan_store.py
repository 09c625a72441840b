"""The queue and the directory of keys: in memory, as unit tests have them, and in DynamoDB."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import key_directory, plan_queue
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue, DynamoRunLease
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.services.usage_plans.ports import (
    Directory,
    LiveKey,
    PlanQueue,
    Progress,
    RunLease,
    Work,
)
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.audit import created, revoked
from tests.support.control_plane import Fuse
from tests.support.plan_store import MemoryPlanStore
from tests.support.tables.stores import audit_of, dynamodb, keys_table, moto_client

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000


class MemoryBench:
    """Everything in memory."""

    def __init__(self) -> None:
        self.store = MemoryPlanStore(Fuse(), page=3)
        self.queue: PlanQueue = self.store
        self.directory: Directory = self.store
        self.lease: RunLease = self.store

    def issue(self, key: LiveKey) -> None:
        self.store.issue(key)

    def revoke(self, key: LiveKey) -> None:
        self.store.revoke(key)


class DynamoBench:
    """The adapters over DynamoDB, and the key store that feeds them."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        transport = Boto3Transport(client)
        self.queue: PlanQueue = DynamoPlanQueue(transport, table=self.table)
        self.directory: Directory = DynamoKeyDirectory(
            transport, table=self.table, audit_table=audit_of(self.table)
        )
        self.lease: RunLease = DynamoRunLease(transport, table=self.table)
        self.keys = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )

    def issue(self, key: LiveKey) -> None:
        issued = ApiKey(
            id=key.key_id,
            owner=key.owner,
            name="key",
            prefix="cgk_live_0000",
            scopes=("read",),
            environment="live",
            rate_limit=120,
            created_at_ms=NOW_MS,
            expires_at_ms=key.expires_at_ms,
        )
        self.keys.create(issued, key_hash=key.key_hash, keys_per_user=1000, event=created(issued))

    def revoke(self, key: LiveKey) -> None:
        assert self.keys.revoke(
            key.owner, key.key_id, event=revoked(key.owner, key.key_id, at_ms=NOW_MS)
        )


Bench = MemoryBench | DynamoBench


@pytest.fixture(params=["memory", "moto", "ministack"])
def bench(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, ministack: Ministack
) -> Iterator[Bench]:
    """Each store in turn, with short pages."""
    monkeypatch.setattr(key_directory, "_PAGE", 3)
    match request.param:
        case "memory":
            yield MemoryBench()
        case "moto":
            with moto_client() as moto:
                yield DynamoBench(moto)
        case _:
            yield DynamoBench(dynamodb(ministack.endpoint))


def fresh(number: int = 0, *, expires_at_ms: int | None = None) -> LiveKey:
    return LiveKey(
        key_id=uuid7(now_ms=NOW_MS + number, entropy=os.urandom),
        owner=str(uuid4()),
        key_hash=os.urandom(32).hex(),
        expires_at_ms=expires_at_ms,
    )


def provision(key: LiveKey) -> Work:
    return Work(key_id=key.key_id, action="provision", owner=key.owner, key_hash=key.key_hash)


def pending(bench: Bench, *, first_owner: str | None = None) -> list[Work]:
    """What waits, wherever the reading begins; the oldest keys first."""
    found = bench.queue.pending(first_owner=first_owner or str(uuid4()))
    return sorted(found, key=lambda work: work.key_id)


def everything_live(bench: Bench) -> list[LiveKey]:
    """All pages; of uses, ``tests/contract/test_upkeep.py`` tells."""
    found: list[LiveKey] = []
    cursor: str | None = None
    for _ in range(200):
        page, cursor = bench.directory.live(cursor)
        found += [replace(key, uses={}) for key in page]
        if cursor is None:
            return found
    raise AssertionError("the pages never end")


# The queue


def test_issuing_leaves_work_and_the_oldest_key_comes_first(bench: Bench) -> None:
    keys = [fresh(number) for number in range(3)]
    for key in reversed(keys):
        bench.issue(key)

    assert pending(bench) == [provision(key) for key in keys]


def test_revoking_replaces_the_work_that_waits(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)
    bench.queue.reserve(provision(key), value="v" * 32)

    bench.revoke(key)

    assert pending(bench) == [replace(provision(key), action="retire")]


def test_the_first_value_written_down_holds(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)

    assert bench.queue.reserve(provision(key), value="a" * 32) == "a" * 32
    assert bench.queue.reserve(provision(key), value="b" * 32) == "a" * 32
    assert pending(bench) == [replace(provision(key), value="a" * 32)]


def test_a_whole_key_is_noted_with_the_moment_it_may_be_used(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)

    bench.queue.mark_ready(provision(key), value="c" * 32, ready_at_ms=NOW_MS + 5)

    noted = replace(provision(key), value="c" * 32, ready_at_ms=NOW_MS + 5)
    assert pending(bench) == [noted]


def test_work_that_was_replaced_meanwhile_cannot_be_marked_or_taken_out(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)
    read = pending(bench)[0]
    bench.revoke(key)

    with pytest.raises(ConditionFailed):
        bench.queue.reserve(read, value="a" * 32)
    with pytest.raises(ConditionFailed):
        bench.queue.mark_ready(read, value="a" * 32, ready_at_ms=NOW_MS)
    with pytest.raises(ConditionFailed):
        bench.queue.remove(read)
    assert [work.action for work in pending(bench)] == ["retire"]


def test_work_that_is_gone_is_never_brought_back_by_a_mark(bench: Bench) -> None:
    key = fresh()

    with pytest.raises(ConditionFailed):
        bench.queue.reserve(provision(key), value="a" * 32)
    with pytest.raises(ConditionFailed):
        bench.queue.mark_ready(provision(key), value="a" * 32, ready_at_ms=NOW_MS)
    assert pending(bench) == []


def test_taking_work_out_twice_is_as_good_as_once(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)

    bench.queue.remove(provision(key))
    bench.queue.remove(provision(key))

    assert pending(bench) == []


def test_added_work_never_displaces_work_that_waits(bench: Bench) -> None:
    key, orphan = fresh(), fresh(1)
    bench.issue(key)

    assert not bench.queue.add(replace(provision(key), action="retire"))
    left = Work(key_id=orphan.key_id, action="retire", owner=orphan.owner, key_hash=None)
    assert bench.queue.add(left)
    assert pending(bench) == [provision(key), left]


def test_the_sweeps_and_the_runs_own_entries_are_no_work(bench: Bench) -> None:
    bench.directory.advance(Progress())
    assert bench.lease.take(now_ms=NOW_MS, until_ms=NOW_MS + 1)

    assert pending(bench) == []


# The lease


def test_one_run_holds_the_lease_until_returned_or_ended(bench: Bench) -> None:
    lease = bench.lease
    assert lease.take(now_ms=NOW_MS, until_ms=NOW_MS + 50)
    assert not lease.take(now_ms=NOW_MS + 49, until_ms=NOW_MS + 99)
    assert lease.take(now_ms=NOW_MS + 50, until_ms=NOW_MS + 99)
    lease.give_back(until_ms=NOW_MS + 50)  # the first one's, which has ended
    assert not lease.take(now_ms=NOW_MS + 60, until_ms=NOW_MS + 99)
    lease.give_back(until_ms=NOW_MS + 99)
    assert lease.take(now_ms=NOW_MS + 60, until_ms=NOW_MS + 99)


# The directory


def test_every_live_key_is_seen_once_and_no_revoked_one(bench: Bench) -> None:
    keys = [fresh(number, expires_at_ms=NOW_MS + 60_000 if number else None) for number in range(8)]
    for key in keys:
        bench.issue(key)
    bench.revoke(keys[3])
    assert bench.directory.assign(keys[5].key_hash, value="e" * 32)

    expected = [*keys[:3], keys[4], replace(keys[5], usage_key="e" * 32), *keys[6:]]
    assert sorted(everything_live(bench), key=lambda key: key.key_id) == expected


def test_a_live_credential_is_pointed_and_turned_away(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)

    assert bench.directory.assign(key.key_hash, value="a" * 32)
    bench.directory.unassign(key.key_hash, value="b" * 32)
    assert everything_live(bench) == [replace(key, usage_key="a" * 32)]
    bench.directory.unassign(key.key_hash, value="a" * 32)
    assert everything_live(bench) == [key]


def test_a_revoked_or_unknown_credential_is_never_pointed_nor_made(bench: Bench) -> None:
    key = fresh()
    bench.issue(key)
    bench.revoke(key)

    assert not bench.directory.assign(key.key_hash, value="a" * 32)
    assert not bench.directory.assign(fresh().key_hash, value="a" * 32)
    bench.directory.unassign(fresh().key_hash, value="a" * 32)
    assert everything_live(bench) == []


def test_records_are_told_from_what_is_revoked_unknown_or_anothers(bench: Bench) -> None:
    kept, revoked = fresh(expires_at_ms=NOW_MS + 60_000), fresh(1)
    bench.issue(kept)
    bench.issue(revoked)
    bench.revoke(revoked)

    found = bench.directory.recorded(
        [
            (kept.owner, kept.key_id),
            (revoked.owner, revoked.key_id),
            (revoked.owner, kept.key_id),
            (str(uuid4()), str(uuid4())),
        ]
    )

    assert found == {kept.key_id: kept}


def test_a_sweep_is_remembered_until_it_is_over(bench: Bench) -> None:
    assert bench.directory.progress() is None
    bench.directory.advance(Progress())
    assert bench.directory.progress() == Progress()
    bench.directory.advance(Progress(cursor="somewhere"))
    assert bench.directory.progress() == Progress(cursor="somewhere")
    suspects = frozenset({fresh().key_id, fresh().key_id})
    bench.directory.advance(Progress(cursor="further", suspects=suspects))
    assert bench.directory.progress() == Progress(cursor="further", suspects=suspects)
    bench.directory.finish()
    assert bench.directory.progress() is None


# What only DynamoDB can do


def test_an_owner_with_much_work_hides_no_other_wherever_the_reading_begins(
    client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_queue, "MOST_OF_ONE_OWNER", 5)
    bench = DynamoBench(client)
    busy = [str(uuid4()) for _ in range(2)]
    keys = [replace(fresh(number), owner=busy[number % 2]) for number in range(16)]
    keys += [fresh(number) for number in range(20, 27)]
    for key in keys:
        bench.issue(key)
    seen = [*keys[:10], *keys[16:]]

    for first_owner in [*busy, *(key.owner for key in keys[16:]), str(uuid4())]:
        found = pending(bench, first_owner=first_owner)
        assert [work.key_id for work in found] == [key.key_id for key in seen]


def test_reading_is_bounded_and_begins_with_another_owner_each_time(
    client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan_queue, "MOST_OF_ONE_OWNER", 2)
    monkeypatch.setattr(plan_queue, "MOST_PAGES", 3)
    bench = DynamoBench(client)
    owners = sorted(str(uuid4()) for _ in range(5))
    for owner in owners:
        for number in range(9):
            bench.issue(replace(fresh(number), owner=owner))
    asked: list[str] = []

    def note(**_: object) -> None:
        asked.append("Query")

    client.meta.events.register("before-call.dynamodb.Query", note)

    for at, owner in enumerate(owners):
        asked.clear()
        found = bench.queue.pending(first_owner=owner)
        seen = list(dict.fromkeys(work.owner for work in found))
        # The page that shows that nobody comes after the last owner is one of the three.
        assert seen == [*owners, *owners][at : at + 3][: len(seen)]
        assert len(seen) >= 2
        assert len(found) == 2 * len(seen)
        assert len(asked) == 3


def test_records_that_dynamodb_leaves_for_later_are_asked_for_again(client: DynamoDBClient) -> None:
    bench = DynamoBench(client)
    keys = [fresh(number) for number in range(3)]
    for key in keys:
        bench.issue(key)
    transport = Boto3Transport(client)

    class OneAtATime(Boto3Transport):
        def call(self, operation: str, payload: dict[str, Any], /) -> dict[str, Any]:
            (asked,) = payload["RequestItems"].values()
            first, *rest = asked["Keys"]
            answer = transport.call(
                operation, {"RequestItems": {bench.table: {**asked, "Keys": [first]}}}
            )
            left = {bench.table: {"Keys": rest}} if rest else {}
            return {**answer, "UnprocessedKeys": left}

    directory = DynamoKeyDirectory(
        OneAtATime(client), table=bench.table, audit_table=audit_of(bench.table)
    )

    found = directory.recorded([(key.owner, key.key_id) for key in keys])
    assert found == {key.key_id: key for key in keys}


def test_records_that_dynamodb_leaves_unprocessed_are_a_fault_not_absent(
    client: DynamoDBClient,
) -> None:
    class Busy(Boto3Transport):
        def call(self, operation: str, payload: dict[str, Any], /) -> dict[str, Any]:
            return {"Responses": {}, "UnprocessedKeys": payload["RequestItems"]}

    directory = DynamoKeyDirectory(Busy(client), table="keys", audit_table=audit_of("keys"))

    with pytest.raises(StoreUnavailable):
        directory.recorded([(str(uuid4()), str(uuid4()))])


def test_the_named_key_lies_where_the_authorizer_reads_it(client: DynamoDBClient) -> None:
    bench = DynamoBench(client)
    key = fresh()
    bench.issue(key)
    bench.directory.assign(key.key_hash, value="a" * 32)

    item = client.get_item(
        TableName=bench.table, Key={"pk": {"S": f"KEY#{key.key_hash}"}, "sk": {"S": "#"}}
    )["Item"]

    assert item["gw"] == {"S": "a" * 32}
