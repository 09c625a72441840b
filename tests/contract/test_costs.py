"""Requests of several costs on the real store: one request each, and exact between processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.domain.verdicts import Allowed, Limited
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request, Routes
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.containers import admitted_by
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import counting, dynamodb, keys_table, rate_limits_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.verdicts import Verdict

NOW_MS = 1_800_000_000_000
OWNER = str(uuid4())
COSTS = {"POST /exports": 10, "POST /reports": 50}

PROCESSES = 16


Container = tuple[Authenticator, Routes]


class Bench:
    """One key on the store, and containers of several deployments."""

    def __init__(self, client: DynamoDBClient, *, limit: int = 120) -> None:
        self.client = client
        self.table = keys_table(client)
        issued = new_key(
            key_service(client, table=self.table, now_ms=lambda: NOW_MS), OWNER, rate_limit=limit
        )
        self.raw_key = issued.raw_key
        self.requests = counting(client)

    def container(self, *classes: int) -> Container:
        costs = {route: cost for route, cost in COSTS.items() if cost in classes}
        keys = KeyDecisions(Boto3Transport(self.client), table=self.table, classes=classes)
        gate = key_gate(keys)
        return gate, Routes(permissions={}, costs=costs)

    def ask(self, container: Container, route: str, now_ms: int = NOW_MS) -> tuple[Verdict, int]:
        before = self.requests()
        gate, routes = container
        request = Request("read", route=route, cost=routes.declared(*route.split()).cost)
        verdict = gate.decide(f"Bearer {self.raw_key}", request=request, now_ms=now_ms)
        return verdict, self.requests() - before

    @property
    def item(self) -> dict[str, Any]:
        key = {
            "pk": items.s(items.credential_pk(hash_of(self.raw_key))),
            "sk": items.s(items.CREDENTIAL),
        }
        found: dict[str, Any] = self.client.get_item(TableName=self.table, Key=key)["Item"]
        return found


@pytest.fixture
def client(ministack: Ministack) -> DynamoDBClient:
    return dynamodb(ministack.endpoint)


def test_a_dear_request_takes_its_cost_and_one_store_request(client: DynamoDBClient) -> None:
    bench = Bench(client)
    gate = bench.container(10, 50)
    bench.ask(gate, "GET /boards")  # puts the costs in step
    verdict, requests = bench.ask(gate, "POST /exports")
    assert isinstance(verdict, Allowed)
    assert (verdict.figures.remaining, requests) == (109, 1)


def test_head_costs_what_get_costs() -> None:
    routes = Routes(permissions={}, costs={"GET /exports": 10})
    assert [routes.declared(method, "/exports").cost for method in ("GET", "HEAD", "POST")] == [
        10,
        10,
        1,
    ]


def test_a_dear_refusal_holds_for_its_cost_alone(client: DynamoDBClient) -> None:
    bench = Bench(client, limit=55)
    gate = bench.container(10, 50)
    bench.ask(gate, "POST /exports")
    refused, _ = bench.ask(gate, "POST /reports")
    assert isinstance(refused, Limited)
    assert refused.figures.remaining == 45
    assert refused.retry_after_s == 62
    again, requests = bench.ask(gate, "POST /reports")
    assert (isinstance(again, Limited), requests) == (True, 0)
    cheap, _ = bench.ask(gate, "GET /boards")
    assert isinstance(cheap, Allowed)
    later, _ = bench.ask(gate, "POST /reports", NOW_MS + 62_000)
    assert isinstance(later, Allowed)


def test_a_request_dearer_than_the_limit_is_told_no_wait(client: DynamoDBClient) -> None:
    bench = Bench(client, limit=9)
    refused, _ = bench.ask(bench.container(10), "POST /exports")
    assert isinstance(refused, Limited)
    assert refused.retry_after_s is None
    assert bench.item["used"] == items.n(0)


def test_deployments_with_other_costs_agree_after_a_few_requests(client: DynamoDBClient) -> None:
    """Costs added, removed and added again, the containers of all three alive."""
    bench = Bench(client, limit=1_000)
    plain, some, all_of_them = bench.container(), bench.container(10), bench.container(10, 50)
    admitted = 0
    for _ in range(3):
        for gate, route, cost in (
            (plain, "GET /boards", 1),
            (some, "POST /exports", 10),
            (plain, "GET /boards", 1),
            (all_of_them, "POST /reports", 50),
            (some, "POST /exports", 10),
        ):
            verdict, requests = bench.ask(gate, route)
            assert isinstance(verdict, Allowed)
            assert requests <= 5
            admitted += cost
            item = bench.item
            assert item["used"] == items.n(admitted)
            for kept in item.get("g", {"S": "0"})["S"].split(","):
                if kept != "0":
                    assert item[f"u{kept}"] == items.n(admitted + int(kept) - 1)
    for gate, route in ((plain, "GET /boards"), (some, "POST /exports")):
        assert bench.ask(gate, route)[1] == 1


def test_a_users_session_pays_costs_from_its_own_minute(client: DynamoDBClient) -> None:
    windows = UserWindows(
        Boto3Transport(client),
        table=rate_limits_table(client),
        limit=55,
        now_ms=lambda: NOW_MS,
        classes=(10, 50),
    )
    assert windows.admit("u", cost=10)[0]
    refused, state = windows.admit("u", cost=50)
    assert (refused, state.remaining) == (False, 45)
    assert windows.admit("u")[0]
    assert not windows.admit("other", cost=60)[0]
    assert windows.admit("other", cost=50)[0]


def test_16_processes_with_three_costs_fill_the_limit_and_no_more(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    bench = Bench(client, limit=1_000)
    answers = admitted_by(
        PROCESSES,
        ministack.endpoint,
        bench.table,
        hash_of(bench.raw_key),
        attempts=12,
        now_ms=NOW_MS,
        costs=(50, 10, 1, 1),
    )
    admitted = [sum(units for _, units in each) for each in answers]
    assert sum(admitted) == 1_000
    assert sum(units > 0 for units in admitted) > 1, "one process ran alone: nothing was raced"
