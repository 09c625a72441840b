"""Owners' budgets and routes' limits: further windows, in order, and told of by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.domain import context
from chatgrid_auth.domain.verdicts import Allowed, Limited, Refused
from chatgrid_auth.guard import inspect
from chatgrid_auth.limit_settings import RouteLimit
from chatgrid_auth.services.gate.refusals import Refusals
from chatgrid_devkit.stack.ministack import Ministack
from tests.contract.test_credits import OWNER, Bench, beyond
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import dynamodb

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.verdicts import Verdict

HOURLY = {"POST /exports": RouteLimit(2, 3_600)}
EXPORTS = {"route": "POST /exports"}


@pytest.fixture
def client(ministack: Ministack) -> DynamoDBClient:
    return dynamodb(ministack.endpoint)


def answered(verdict: Verdict, *, now_ms: int) -> Any:
    """What the guard makes of a verdict, after API Gateway has made strings of its context."""
    assert isinstance(verdict, Allowed | Limited)
    told = {name: str(value) for name, value in context.write(verdict).items()}
    event = {
        "httpMethod": "GET",
        "resource": "/boards",
        "requestContext": {"authorizer": told},
    }
    return inspect(event, allow_origin="*", required_scope=lambda *_: "read", now_s=now_ms / 1_000)


def test_an_owners_keys_share_one_budget(client: DynamoDBClient) -> None:
    bench = Bench(client)
    gate = bench.metered(owner_limit=3)
    assert [isinstance(bench.ask(gate), Allowed) for _ in range(2)] == [True, True]
    bench.raw_key = new_key(bench.issuing, OWNER).raw_key
    assert isinstance(bench.ask(gate), Allowed)
    refused = bench.ask(gate)
    assert isinstance(refused, Limited)
    assert (beyond(refused).refused_by, refused.retry_after_s) == ("owner", 62)
    bench.now_ms += 62_000
    assert isinstance(bench.ask(gate), Allowed)


def test_one_more_request_only_where_a_limit_applies(client: DynamoDBClient) -> None:
    bench = Bench(client)
    gate = bench.metered(routes=HOURLY)
    bench.ask(gate, **EXPORTS)
    for facts, requests in (({}, 1), (EXPORTS, 2)):
        before = bench.requests()
        assert isinstance(bench.ask(gate, **facts), Allowed)
        assert bench.requests() - before == requests


def test_a_routes_limit_is_each_keys_own_and_counts_requests(client: DynamoDBClient) -> None:
    bench = Bench(client)
    gate = bench.metered(routes=HOURLY)
    assert [isinstance(bench.ask(gate, **EXPORTS), Allowed) for _ in range(3)] == [
        True,
        True,
        False,
    ]
    assert isinstance(bench.ask(gate, route="GET /exports"), Allowed)
    bench.raw_key = new_key(bench.issuing, OWNER).raw_key
    assert isinstance(bench.ask(gate, **EXPORTS), Allowed)


def test_looking_after_keys_passes_an_owners_budget_by(client: DynamoDBClient) -> None:
    bench = Bench(client, scopes=["admin"])
    gate = bench.metered(owner_limit=1)
    bench.ask(gate)
    assert isinstance(bench.ask(gate), Limited)
    about_keys: dict[str, Any] = {"scope": "admin", "route": "GET /me/api-keys"}
    assert isinstance(bench.ask(gate, **about_keys, spares_credits=True), Allowed)
    ending: dict[str, Any] = {"route": "DELETE /me/api-key", "spares_credits": True}
    assert isinstance(bench.ask(gate, **ending, unlimited=True), Allowed)


def test_hammering_at_budget_and_credits_leaves_the_owner_its_keys(
    client: DynamoDBClient,
) -> None:
    """Four containers use up all that a leaked key shares with its owner, and go on asking."""
    bench = Bench(client, rate_limit=60_000, credits_said={"remaining": 10})
    door = Bench(client, scopes=["admin"], credits_said={"remaining": 0})
    door.table, door.windows = bench.table, bench.windows
    door.raw_key = new_key(
        bench.issuing, OWNER, scopes=["admin"], credits_said={"remaining": 0}
    ).raw_key
    ended = Event()

    def hammer() -> list[Verdict]:
        gate, heard = bench.metered(owner_limit=20), []
        while not ended.is_set():
            # As if each request met another container, which remembers nothing.
            gate._refusals = gate._authenticator._refusals = Refusals(capacity=1, kept_ms=0)
            heard.append(bench.ask(gate))
        return heard

    looked_after = []
    with ThreadPoolExecutor(4) as pool:
        hammering = [pool.submit(hammer) for _ in range(4)]
        gate = door.metered(owner_limit=20)
        while not isinstance(bench.ask(bench.metered(owner_limit=20)), Limited):
            pass
        for _ in range(10):
            for route in (
                "GET /me/api-keys",
                "PATCH /me/api-keys/{id}",
                "DELETE /me/api-keys/{id}",
            ):
                about_keys: dict[str, Any] = {"route": route, "spares_credits": True}
                looked_after.append(door.ask(gate, scope="admin", **about_keys))
        bench.changes.disable(OWNER, bench.id)
        refused = bench.ask(bench.metered(owner_limit=20))
        bench.issuing.revoke(OWNER, bench.id)
        ended.set()
        told = [asked.result() for asked in hammering]
    assert all(isinstance(verdict, Allowed) for verdict in looked_after)
    assert isinstance(refused, Refused)
    assert refused.reason == "disabled"
    heard = [verdict for each in told for verdict in each]
    assert sum(isinstance(verdict, Allowed) for verdict in heard) <= 10
    assert sum(isinstance(verdict, Limited) for verdict in heard) > 10


def test_headers_name_all_limits_and_show_the_closest(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 10})
    gate = bench.metered(owner_limit=50, routes=HOURLY)
    headers = answered(bench.ask(gate, **EXPORTS), now_ms=bench.now_ms).headers
    assert headers["X-RateLimit-Limit"] == "2"
    assert headers["X-RateLimit-Remaining"] == "1"
    assert headers["X-Credits-Remaining"] == "9"
    assert headers["RateLimit-Policy"] == (
        '"default";q=120;w=60, "owner";q=50;w=60, "route:POST /exports";q=2;w=3600'
    )
    assert headers["RateLimit"].startswith('"default";r=119;t=')
    assert headers["RateLimit"].count(";r=") == 3


def test_a_refusal_tells_its_limit_and_those_that_were_asked(client: DynamoDBClient) -> None:
    bench = Bench(client, rate_limit=1)
    gate = bench.metered(owner_limit=50, routes=HOURLY)
    bench.ask(gate, **EXPORTS)
    admission = answered(bench.ask(gate, **EXPORTS), now_ms=bench.now_ms)
    assert admission.status == 429
    assert '"details":[{"code":"limit_exceeded","path":"default"' in admission.body
    assert admission.headers["RateLimit"].count(";r=") == 1
    assert admission.headers["RateLimit-Policy"].count(";q=") == 3
    assert admission.headers["Retry-After"] == "62"


def test_a_lack_of_credits_has_a_code_of_its_own(client: DynamoDBClient) -> None:
    bench = Bench(client, credits_said={"remaining": 0})
    admission = answered(bench.ask(), now_ms=bench.now_ms)
    assert admission.body == (
        '{"object":"error","status":429,"code":"credits_exhausted","message":"Credits exhausted",'
        '"details":[{"code":"limit_exceeded","path":"credits",'
        '"message":"No credits are left for this request"}]}'
    )
    assert "Retry-After" not in admission.headers
    assert admission.headers["X-Credits-Remaining"] == "0"
