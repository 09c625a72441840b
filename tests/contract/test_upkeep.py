"""Time tells of itself, once for each notice, and ends only keys that nobody has used."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.inventory import AuditInventory
from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.verdicts import Allowed, Refused
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.rotation import Rotations
from chatgrid_auth.services.usage_plans.ports import RunSummary
from chatgrid_events.thin_events import is_of_an_entry, thin_events
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
AFTER_DAYS = 90


class Bench:
    """Keys that grow old, a gate that they pass, and the sweep that looks after them."""

    def __init__(self, client: DynamoDBClient, *, after_days: int = AFTER_DAYS) -> None:
        self.client, self.table, self.now_ms = client, keys_table(client), NOW_MS
        self.audit_table = audit_of(self.table)
        transport = Boto3Transport(client)
        self.directory = DynamoKeyDirectory(
            transport,
            table=self.table,
            audit_table=self.audit_table,
            dormant_after_days=after_days,
        )
        keeping = DynamoKeyStore(
            Boto3Transport(client), table=self.table, audit_table=self.audit_table, pause=time.sleep
        )
        self.keys = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        self.changes = KeyChanges(
            keeping.changes, now_ms=lambda: self.now_ms, default_rate_limit=120
        )
        self.rotations = Rotations(
            keeping.rotations, now_ms=lambda: self.now_ms, entropy=os.urandom
        )
        self.gate = key_gate(KeyDecisions(transport, table=self.table))
        self.trail = AuditTrail(transport, table=self.audit_table)
        self.owner = str(uuid4())

    def new_key(self, **facts: Any) -> tuple[str, str]:
        issued = new_key(self.keys, self.owner, **facts)
        return issued.key.id, issued.raw_key

    def use(self, raw: str) -> Any:
        request = Request("read", source="203.0.113.7", route="GET /boards")
        return self.gate.decide(f"Bearer {raw}", request=request, now_ms=self.now_ms)

    def sweep(self, *, between: Any = None) -> RunSummary:
        summary = RunSummary()
        page, _ = self.directory.live(None)
        if between is not None:
            between()
        self.directory.look_after(page, summary, now_ms=self.now_ms, check=lambda: None)
        return summary

    def after(self, days: float) -> RunSummary:
        """The sweep at that many days from the beginning."""
        self.now_ms = NOW_MS + round(days * DAY_MS)
        return self.sweep()

    def events(self) -> list[tuple[str, Any]]:
        """What EventBridge is told, out of what the table's stream gives."""
        found = []
        for item in self.client.scan(TableName=self.audit_table)["Items"]:
            keys = {name: item[name] for name in ("pk", "sk")}
            record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": item}}
            if is_of_an_entry(record):
                found += thin_events(record, bus="bus")
        return [(one["DetailType"], one["Detail"]) for one in found]

    def kinds(self) -> list[str]:
        return sorted(kind for kind, _ in self.events() if kind.split(".")[1] != "created")

    def reason(self, key_id: str) -> str | None:
        reason: str | None = self.keys.get(self.owner, key_id).disabled_reason
        return reason


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_an_expiry_is_told_at_14_7_and_1_days_once(bench: Bench) -> None:
    bench.new_key(expires_at_ms=NOW_MS + 30 * DAY_MS)
    told = [(day, bench.after(day).noticed) for day in (15, 16, 16.5, 22, 23, 28, 29, 29.9, 31)]
    assert [day for day, noticed in told if noticed] == [16, 23, 29]
    assert bench.kinds() == ["api_key.expiring"] * 3


def test_an_expiry_that_is_moved_is_told_of_anew(bench: Bench) -> None:
    key_id, _ = bench.new_key(expires_at_ms=NOW_MS + 30 * DAY_MS)
    assert bench.after(16).noticed == 1
    bench.changes.change(bench.owner, key_id, {"expires_at": NOW_MS + 60 * DAY_MS})
    assert bench.after(17).noticed == 0
    assert bench.after(46).noticed == 1


def test_a_short_lived_key_is_not_told_of_days_it_never_had(bench: Bench) -> None:
    bench.new_key(expires_at_ms=NOW_MS + 3_600_000)
    assert bench.sweep().noticed == 0
    bench.new_key(expires_at_ms=NOW_MS + 10 * DAY_MS)
    assert bench.sweep().noticed == 0
    assert bench.after(3).noticed == 1


def test_after_an_outage_only_the_nearest_day_is_told(bench: Bench) -> None:
    bench.new_key(expires_at_ms=NOW_MS + 30 * DAY_MS)
    assert bench.after(29.5).noticed == 1
    (told,) = [detail for kind, detail in bench.events() if kind == "api_key.expiring"]
    assert json.loads(told)["days"] == 1


def test_an_unused_key_is_warned_twice_and_then_disabled(bench: Bench) -> None:
    key_id, raw = bench.new_key()
    days = (75.0, 76, 80, 87, 88, 89.9, 90)
    told = [
        (day, summary.noticed, summary.dormant) for day in days for summary in [bench.after(day)]
    ]
    assert [one for one in told if any(one[1:])] == [(76, 1, 0), (87, 1, 0), (90, 0, 1)]
    assert bench.reason(key_id) == "dormant"
    refused = bench.use(raw)
    assert isinstance(refused, Refused)
    assert refused.message == "API key is disabled"
    assert bench.kinds() == ["api_key.disabled", *["api_key.dormant"] * 3]
    assert bench.after(91).dormant == 0


def test_the_audit_log_says_that_the_system_disabled_it(bench: Bench) -> None:
    bench.new_key()
    for day in (76, 87, 90):
        bench.after(day)
    entry = next(iter(bench.trail.entries(bench.owner, descending=True))).document
    assert entry["action"] == "api_key.disabled"
    assert entry["actor"]["type"] == "system"
    assert entry["changes"]["disabled_reason"] == {"from": None, "to": "dormant"}
    assert bench.trail.verify(bench.owner).first_broken_seq is None


def test_a_key_that_was_never_warned_is_not_disabled(bench: Bench) -> None:
    """As where dormancy is turned on over keys that are old already."""
    key_id, _ = bench.new_key()
    assert (bench.after(300).noticed, bench.reason(key_id)) == (1, None)
    assert bench.after(302.9).dormant == 0
    assert bench.after(303).dormant == 1


def test_a_use_starts_the_time_again(bench: Bench) -> None:
    key_id, raw = bench.new_key()
    bench.after(76)
    bench.now_ms = NOW_MS + 80 * DAY_MS
    assert isinstance(bench.use(raw), Allowed)
    for day in (90.0, 120, 155.9):
        assert bench.after(day).noticed == 0
    assert bench.after(156).noticed == 1
    assert bench.reason(key_id) is None


def test_a_key_that_is_used_between_look_and_write_is_spared(bench: Bench) -> None:
    key_id, raw = bench.new_key()
    bench.use(raw)
    for day in (76, 87):
        bench.after(day)
    bench.now_ms = NOW_MS + 91 * DAY_MS
    assert bench.sweep(between=lambda: bench.use(raw)).dormant == 0
    assert bench.reason(key_id) is None
    assert isinstance(bench.use(raw), Allowed)


def test_a_first_use_between_look_and_write_spares_the_key(bench: Bench) -> None:
    key_id, raw = bench.new_key()
    for day in (76, 87):
        bench.after(day)
    bench.now_ms = NOW_MS + 91 * DAY_MS
    assert bench.sweep(between=lambda: bench.use(raw)).dormant == 0
    assert bench.reason(key_id) is None


def test_a_secret_that_came_between_look_and_write_spares_the_key(bench: Bench) -> None:
    key_id, _ = bench.new_key()
    for day in (76, 87):
        bench.after(day)
    bench.now_ms = NOW_MS + 91 * DAY_MS

    def rotate() -> None:
        bench.use(bench.rotations.rotate(bench.owner, key_id, grace_seconds=0).raw_key)

    assert bench.sweep(between=rotate).dormant == 0
    assert bench.reason(key_id) is None


def test_enabling_a_dormant_key_starts_its_time_again(bench: Bench) -> None:
    key_id, _ = bench.new_key()
    for day in (76.0, 87, 90):
        bench.after(day)
    bench.now_ms = NOW_MS + 100 * DAY_MS
    bench.changes.change(bench.owner, key_id, {"enabled": True})
    for day in (101.0, 175.9):
        summary = bench.after(day)
        assert (summary.noticed, summary.dormant) == (0, 0)
    assert bench.after(176).noticed == 1


def test_what_is_disabled_or_expired_is_not_called_dormant(bench: Bench) -> None:
    key_id, _ = bench.new_key()
    bench.changes.change(bench.owner, key_id, {"enabled": False})
    bench.new_key(expires_at_ms=NOW_MS + DAY_MS)
    for day in (76, 87, 90):
        assert bench.after(day).noticed == 0
    assert bench.reason(key_id) == "manual"


def test_no_key_is_ever_dormant_where_that_is_off(client: DynamoDBClient) -> None:
    bench = Bench(client, after_days=0)
    bench.new_key()
    assert (bench.after(3_000).noticed, bench.after(3_010).dormant) == (0, 0)


def test_two_sweeps_that_meet_give_a_notice_once(bench: Bench) -> None:
    bench.new_key(expires_at_ms=NOW_MS + 30 * DAY_MS)
    bench.now_ms = NOW_MS + 16 * DAY_MS
    page, _ = bench.directory.live(None)
    other = RunSummary()

    def meanwhile() -> None:
        # Between this sweep's look and its write.
        if not other.noticed:
            other.noticed = -1
            bench.directory.look_after(page, other, now_ms=bench.now_ms, check=lambda: None)

    calls = iter(range(100))
    summary = RunSummary()
    bench.directory.look_after(
        page,
        summary,
        now_ms=bench.now_ms,
        check=lambda: meanwhile() if next(calls) == 1 else None,
    )
    assert (other.noticed, summary.noticed) == (0, 0), "the other one gave it"
    assert bench.kinds() == ["api_key.expiring"]


def test_notices_lie_in_no_owners_chain(bench: Bench) -> None:
    bench.new_key(expires_at_ms=NOW_MS + 30 * DAY_MS)
    bench.after(16)
    inventory = AuditInventory(Boto3Transport(bench.client), table=bench.audit_table)
    assert inventory.owners() == [bench.owner]
    assert [entry.document["action"] for entry in inventory.every_entry()] == ["api_key.created"]
    assert bench.trail.verify(bench.owner).entries == 1
