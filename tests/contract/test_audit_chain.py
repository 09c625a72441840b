"""What is done and the entry that tells of it are written together, once, in one chain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.audit_table.inventory import AuditInventory
from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.dynamodb.transactions import put
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.domain.audit import AuditEvent, Entry
from chatgrid_auth.domain.errors import Cancelled, StoreUnavailable
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

OWNER = "alice"
NOW_MS = 1_800_000_000_000


def event(owner: str = OWNER, at_ms: int = NOW_MS) -> AuditEvent:
    return AuditEvent(
        action=audit.CREATED,
        owner=owner,
        target_id="0195b6f0-0000-7000-8000-000000000001",
        actor=Actor(type=JWT, id=owner),
        at_ms=at_ms,
    )


class Bench:
    """A chain, and the table whose writes it goes with."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.audit_table = audit_of(self.table)
        self.anchored: list[Entry] = []
        self.chain = self.chain_through(client)
        self.trail = AuditTrail(Boto3Transport(client), table=self.audit_table)

    def chain_through(self, client: Any) -> AuditChain:
        return AuditChain(
            Boto3Transport(client),
            table=self.audit_table,
            pause=lambda _: None,
            anchor=self.anchored.append,
        )

    def write(self, sk: str, *, condition: str | None = "attribute_not_exists(pk)") -> Any:
        item = {"pk": {"S": "thing"}, "sk": {"S": sk}}
        return put(self.table, item, condition=condition)

    def things(self) -> int:
        return self.client.scan(TableName=self.table)["Count"]

    def stored(self, seq: int) -> dict[str, Any]:
        return {"pk": {"S": layout.pk(OWNER)}, "sk": {"S": layout.sk(seq)}}

    def broken(self) -> int | None:
        return self.trail.verify(OWNER).first_broken_seq


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_each_write_goes_with_an_entry_and_the_chain_holds(bench: Bench) -> None:
    for at in range(3):
        bench.chain.transact([bench.write(str(at))], event(at_ms=NOW_MS + at))
    found = [entry.document for entry in bench.trail.entries(OWNER)]
    assert [entry["seq"] for entry in found] == [1, 2, 3]
    assert found == [entry.document for entry in bench.anchored]
    assert bench.trail.verify(OWNER) == audit.Verification(entries=3, first_broken_seq=None)


def test_a_write_that_is_refused_leaves_no_entry(bench: Bench) -> None:
    bench.chain.transact([bench.write("0")], event())
    with pytest.raises(Cancelled) as refused:
        bench.chain.transact([bench.write("1"), bench.write("0")], event())
    assert [refused.value.refused(at) for at in (0, 1)] == [False, True]
    assert (bench.things(), bench.trail.verify(OWNER).entries) == (1, 1)
    assert len(bench.anchored) == 1


class Overtaken:
    """A client in front of whose first transactions another writer's come."""

    def __init__(self, bench: Bench, *, times: int) -> None:
        self._bench = bench
        self._times = times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bench.client, name)

    def transact_write_items(self, **parameters: Any) -> Any:
        if self._times:
            self._times -= 1
            self._bench.chain.transact([self._bench.write(f"other-{self._times}")], event())
        return self._bench.client.transact_write_items(**parameters)


def test_whoever_loses_a_number_takes_the_next_one(bench: Bench) -> None:
    bench.chain_through(Overtaken(bench, times=3)).transact([bench.write("mine")], event())
    assert bench.trail.verify(OWNER) == audit.Verification(entries=4, first_broken_seq=None)
    assert (bench.things(), bench.anchored[-1].head.seq) == (4, 4)


def test_chains_of_owners_know_nothing_of_each_other(bench: Bench) -> None:
    for owner in ("alice", "bob", "alice"):
        bench.chain.transact([bench.write(f"{owner}{len(bench.anchored)}")], event(owner))
    assert [entry.head.seq for entry in bench.anchored] == [1, 1, 2]
    page = bench.trail.page("bob", limit=10, after=None, descending=True)
    assert [entry["actor"]["id"] for entry in page.items] == ["bob"]
    inventory = AuditInventory(Boto3Transport(bench.client), table=bench.audit_table)
    assert inventory.owners() == ["alice", "bob"]
    assert len(list(inventory.every_entry())) == 3


def test_pages_walk_the_chain_in_both_directions(bench: Bench) -> None:
    for at in range(5):
        bench.chain.transact([bench.write(str(at))], event())
    for descending, wanted in ((True, [5, 4, 3, 2, 1]), (False, [1, 2, 3, 4, 5])):
        walked: list[int] = []
        while True:
            after = walked[-1] if walked else None
            page = bench.trail.page(OWNER, limit=2, after=after, descending=descending)
            walked += [entry["seq"] for entry in page.items]
            if not page.has_more:
                break
        assert walked == wanted


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_a_removed_item_is_found_with_its_number(bench: Bench, seq: int) -> None:
    for at in range(3):
        bench.chain.transact([bench.write(str(at))], event())
    bench.client.delete_item(TableName=bench.audit_table, Key=bench.stored(seq))
    assert bench.broken() == seq
    bench.chain.transact([bench.write("later")], event())
    assert bench.broken() == seq, "a new entry hid it"


def test_a_removed_or_restored_head_is_found_and_stops_nobody(bench: Bench) -> None:
    for at in range(3):
        bench.chain.transact([bench.write(str(at))], event())
    place = {"pk": {"S": layout.pk(OWNER)}, "sk": {"S": layout.HEAD}}
    old = {**place, "seq": {"N": "2"}, "hash": {"S": "0" * 64}}
    bench.client.put_item(TableName=bench.audit_table, Item=old)
    assert bench.broken() == 2
    bench.client.delete_item(TableName=bench.audit_table, Key=place)
    assert bench.broken() == 4
    bench.client.put_item(TableName=bench.audit_table, Item=old)
    bench.chain.transact([bench.write("later")], event())
    assert bench.trail.verify(OWNER).entries == 4


def test_a_chain_beyond_the_bound_is_not_read_and_never_called_broken(bench: Bench) -> None:
    """A fault, also where the head, which tells how long it is, is lost or says too little."""
    transport = Boto3Transport(bench.client)
    bounded = AuditTrail(transport, table=bench.audit_table, most_entries=2)
    for sk in ("1", "2"):
        bench.chain.transact([bench.write(sk)], event())
    assert bounded.verify(OWNER).first_broken_seq is None
    bench.chain.transact([bench.write("3")], event())
    with pytest.raises(StoreUnavailable, match="ChainTooLong"):
        bounded.verify(OWNER)
    head = {**bench.stored(1), "sk": {"S": layout.HEAD}}
    bench.client.delete_item(TableName=bench.audit_table, Key=head)
    with pytest.raises(StoreUnavailable, match="ChainTooLong"):
        bounded.verify(OWNER)
    assert bench.trail.verify(OWNER).first_broken_seq == 4


def test_a_long_chain_costs_one_read_to_be_refused(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Boto3Transport(bench.client)
    bounded = AuditTrail(transport, table=bench.audit_table, most_entries=1)
    for sk in ("1", "2"):
        bench.chain.transact([bench.write(sk)], event())
    asked: list[str] = []
    call = transport.call

    def noted(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        asked.append(operation)
        return call(operation, payload)

    monkeypatch.setattr(transport, "call", noted)
    with pytest.raises(StoreUnavailable):
        bounded.verify(OWNER)
    assert asked == ["GetItem"]


def test_what_is_no_entry_is_found_and_nothing_fails(bench: Bench) -> None:
    bench.chain.transact([bench.write("0")], event())
    bench.client.put_item(
        TableName=bench.audit_table, Item={**bench.stored(1), "entry": {"S": "["}}
    )
    assert bench.broken() == 1


def test_a_fault_of_the_audit_table_lets_nothing_be_written(bench: Bench) -> None:
    lost = AuditChain(Boto3Transport(bench.client), table="not-there", pause=lambda _: None)
    with pytest.raises(StoreUnavailable):
        lost.transact([bench.write("0")], event())
    assert bench.things() == 0
