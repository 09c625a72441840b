"""Credits on the real store: exact, refilled once, given back, and never in the owner's way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited
from chatgrid_auth.limit_settings import RouteLimit
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.metered import MeteredGate
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.containers import admitted_by
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import (
    audit_of,
    counting,
    dynamodb,
    keys_table,
    rate_limits_table,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import ApiKey
    from chatgrid_auth.domain.verdicts import Told, Verdict

#: The first of a month, in the afternoon.
NOW_MS = 1_796_133_600_000
DAY_MS = 86_400_000
OWNER = str(uuid4())
PROCESSES = 16


class Bench:
    """One key with credits, containers, and its owner."""

    def __init__(self, client: DynamoDBClient, **facts: Any) -> None:
        self.client = client
        self.now_ms = NOW_MS
        self.table, self.windows = keys_table(client), rate_limits_table(client)
        self.issuing = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        issued = new_key(self.issuing, OWNER, **facts)
        self.raw_key, self.id = issued.raw_key, issued.key.id
        store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self.changes = KeyChanges(store.changes, now_ms=lambda: self.now_ms, default_rate_limit=120)
        self.requests = counting(client)
        self.container = self.new_container()

    def new_container(self, *classes: int) -> Authenticator:
        transport = Boto3Transport(self.client)
        return key_gate(KeyDecisions(transport, table=self.table, classes=classes))

    def metered(self, **limits: Any) -> MeteredGate:
        windows = CountedWindows(
            Boto3Transport(self.client), table=self.windows, now_ms=lambda: self.now_ms
        )
        given = {"owner_limit": 0, "routes": {}, **limits}
        return MeteredGate(self.new_container(), windows=windows, limited_tier="limited", **given)

    def ask(
        self, gate: Authenticator | MeteredGate | None = None, scope: str = "read", **facts: Any
    ) -> Verdict:
        request = Request(scope, **{"route": "GET /boards", **facts})
        chosen = gate or self.container
        return chosen.decide(f"Bearer {self.raw_key}", request=request, now_ms=self.now_ms)

    def patch(self, **said: Any) -> ApiKey:
        return self.changes.change(OWNER, self.id, {"credits": said or None})

    @property
    def left(self) -> int:
        held = self.issuing.get(OWNER, self.id).credits
        assert held is not None
        return held.remaining


def beyond(verdict: Verdict) -> Told:
    assert isinstance(verdict, Allowed | Limited)
    assert verdict.beyond is not None
    return verdict.beyond


@pytest.fixture
def client(ministack: Ministack) -> DynamoDBClient:
    return dynamodb(ministack.endpoint)


def test_credits_are_spent_one_by_one_in_the_one_request(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 3})
    bench.ask()  # meets the policy
    before = bench.requests()
    verdict = bench.ask()
    assert (beyond(verdict).credits_left, beyond(verdict).spent) == (1, 1)
    assert bench.requests() - before == 1
    bench.ask()
    refused = bench.ask()
    assert isinstance(refused, Limited)
    assert refused.retry_after_s is None
    assert (beyond(refused).refused_by, beyond(refused).credits_left) == ("credits", 0)
    assert bench.left == 0


def test_hammering_without_credits_asks_once_in_five_seconds(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 0})
    assert isinstance(bench.ask(), Limited)
    before = bench.requests()
    for _ in range(20):
        assert isinstance(bench.ask(), Limited)
    assert bench.requests() == before
    bench.patch(remaining=1)
    bench.now_ms += 5_000
    assert isinstance(bench.ask(), Allowed)


def test_a_refill_that_is_due_sets_credits_once_for_all_missed(client: DynamoDBClient) -> None:
    refill = {"amount": 5, "interval": "day"}
    bench = Bench(client, credits_said={"remaining": 1, "refill": refill})
    bench.ask()
    refused = bench.ask()
    assert isinstance(refused, Limited)
    assert refused.retry_after_s == (DAY_MS - NOW_MS % DAY_MS) // 1_000
    bench.now_ms += 3 * DAY_MS
    shown = bench.issuing.get(OWNER, bench.id).credits
    assert shown is not None
    assert (shown.remaining, shown.next_at_ms) == (5, NOW_MS - NOW_MS % DAY_MS + 4 * DAY_MS)
    other = bench.new_container()
    left = [beyond(bench.ask(gate)).credits_left for gate in (bench.container, other)]
    assert left == [4, 3]


def test_a_change_ends_a_refill_that_was_due_before(client: DynamoDBClient) -> None:
    """What is set after the boundary stays set: the old refill does not come on top."""
    refill = {"amount": 5, "interval": "week"}
    bench = Bench(client, credits_said={"remaining": 1, "refill": refill})
    bench.now_ms += 8 * DAY_MS
    changed = bench.patch(remaining=2)
    assert changed.credits is not None
    assert changed.credits.next_at_ms is not None
    assert changed.credits.next_at_ms > bench.now_ms
    assert [isinstance(bench.ask(), Allowed) for _ in range(3)] == [True, True, False]


def test_amount_and_end_of_credits_hold_on_the_next_request(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 9})
    bench.ask()
    bench.patch(remaining=1)
    assert beyond(bench.ask()).credits_left == 0
    bench.changes.change(OWNER, bench.id, {"credits": None})
    bench.now_ms += 5_000
    verdict = bench.ask()
    assert isinstance(verdict, Allowed)
    assert verdict.beyond is None


def test_what_is_added_comes_on_top_of_what_is_spent_meanwhile(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 9})
    look = bench.changes._store.look

    def spent_meanwhile(owner: str, key_id: str) -> Any:
        seen = look(owner, key_id)
        bench.ask()
        return seen

    bench.changes._store.look = spent_meanwhile  # type: ignore[method-assign]
    bench.patch(add=5)
    assert bench.left == 13


def test_both_used_up_says_credits_with_the_later_wait(client: DynamoDBClient) -> None:
    soon = {"amount": 5, "interval": "day", "next_at": NOW_MS + 10_000}
    bench = Bench(client, rate_limit=2, credits_said={"remaining": 2, "refill": soon})
    bench.ask()
    bench.ask()
    refused = bench.ask()
    assert isinstance(refused, Limited)
    assert (beyond(refused).refused_by, refused.retry_after_s) == ("credits", 62)
    bench.now_ms += 62_000
    assert isinstance(bench.ask(), Allowed)


def test_a_refused_request_of_any_kind_spends_no_credit(client: DynamoDBClient) -> None:
    bench = Bench(client, rate_limit=1, credits_said={"remaining": 50})
    assert isinstance(bench.ask(), Allowed)
    assert isinstance(bench.ask(scope="write"), Forbidden)
    assert isinstance(bench.ask(), Limited)
    assert isinstance(bench.ask(bench.new_container(5), cost=5), Limited)
    bench.changes.disable(OWNER, bench.id)
    bench.ask(bench.new_container())
    assert bench.left == 49


@pytest.mark.parametrize(
    "limits",
    [
        {"owner_limit": 1},
        {"routes": {"GET /boards": RouteLimit(1, 3_600)}},
    ],
)
def test_what_a_later_limit_refuses_gives_the_credit_back(
    client: DynamoDBClient, limits: dict[str, Any]
) -> None:
    bench = Bench(client, credits_said={"remaining": 50})
    gate = bench.metered(**limits)
    assert beyond(bench.ask(gate)).credits_left == 49
    refused = bench.ask(gate)
    assert isinstance(refused, Limited)
    assert beyond(refused).credits_left == 49
    assert bench.left == 49
    before = bench.requests()
    assert isinstance(bench.ask(gate), Limited)
    assert bench.requests() == before


def test_credits_changed_meanwhile_are_never_added_to(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 50})
    verdict = bench.ask()
    give_back = beyond(verdict).give_back
    assert give_back is not None
    bench.patch(remaining=7)
    give_back()
    assert bench.left == 7


def test_looking_after_keys_spends_no_credit_and_needs_none(client: DynamoDBClient) -> None:
    bench = Bench(client, scopes=["admin"], credits_said={"remaining": 0})
    about_keys: dict[str, Any] = {
        "scope": "admin",
        "route": "GET /me/api-keys",
        "spares_credits": True,
    }
    bench.ask(**about_keys)
    before = bench.requests()
    verdict = bench.ask(**about_keys)
    assert isinstance(verdict, Allowed)
    assert (beyond(verdict).credits_left, beyond(verdict).spent) == (0, 0)
    assert bench.requests() - before == 1
    plain = Bench(client, scopes=["admin"])
    before = plain.requests()
    assert isinstance(plain.ask(**about_keys), Allowed)
    assert plain.requests() - before == 1


def test_16_processes_spend_a_thousand_credits_and_no_more(ministack: Ministack) -> None:
    bench = Bench(
        dynamodb(ministack.endpoint), rate_limit=60_000, credits_said={"remaining": 1_000}
    )
    answers = admitted_by(
        PROCESSES,
        ministack.endpoint,
        bench.table,
        hash_of(bench.raw_key),
        attempts=100,
        now_ms=NOW_MS,
    )
    admitted = [sum(units for _, units in each) for each in answers]
    assert sum(admitted) == 1_000
    assert sum(count > 0 for count in admitted) > 1, "one process ran alone: nothing was raced"
    assert bench.left == 0
