"""The gate under every fault: nobody in, nobody called a stranger, and the limit held."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.errors import Fault as StoreOut
from chatgrid_authorizer.response import Gate, respond
from chatgrid_devkit.stack.ministack import Ministack
from tests.faults.conftest import BUDGET_SECONDS, lean_client, now_ms
from tests.support.servers.proxy import FAULTS, Fault, FaultProxy, at_random, clear, times
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import dynamodb, keys_table, rate_limits_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

OVERCOME = {"latency of 0.3 s"}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)


class Issuing:
    """Issues and revokes past the proxy."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.owner = str(uuid4())
        self.keys = key_service(client, table=self.table, now_ms=now_ms, keys_per_user=100)

    def issue(self, *, limit: int = 120) -> IssuedKey:
        return new_key(self.keys, self.owner, rate_limit=limit)


@pytest.fixture
def issuing(ministack: Ministack) -> Issuing:
    return Issuing(dynamodb(ministack.endpoint))


def ask(gate: Gate, raw_key: str) -> dict[str, Any]:
    event = {
        "type": "REQUEST",
        "methodArn": "arn:aws:execute-api:us-east-1:123456789012:abcdefghij/v1/GET/boards",
        "resource": "/boards",
        "httpMethod": "GET",
        "headers": {"Authorization": f"Bearer {raw_key}"},
        "multiValueHeaders": {"Authorization": [f"Bearer {raw_key}"]},
        "requestContext": {"identity": {"sourceIp": "203.0.113.7"}},
    }
    return respond(event, gate=gate)


def verdict(gate: Gate, raw_key: str) -> str:
    """What the gate says, a fault included."""
    try:
        given = ask(gate, raw_key)
    except StoreOut:
        return "fault"
    context: dict[str, str] = given["context"]
    return context.get("verdict") or context["reason"]


@each_fault
def test_the_gate_fails_in_time_while_the_store_is_out(
    make_gate: Callable[..., Gate], issuing: Issuing, proxy: FaultProxy, fault: Fault
) -> None:
    good, revoked = issuing.issue(), issuing.issue()
    issuing.keys.revoke(issuing.owner, revoked.key.id)
    unknown = keys.generate("live", entropy=os.urandom)
    gate = make_gate(keys=issuing.table)
    proxy.plan = lambda _: fault
    began = time.monotonic()
    verdicts = [verdict(gate, raw) for raw in (good.raw_key, revoked.raw_key, unknown)]
    assert time.monotonic() - began < 3 * (BUDGET_SECONDS + 0.5)
    if fault.name in OVERCOME:
        assert verdicts == ["allowed", "revoked", "unknown"]
    else:
        assert verdicts == ["fault"] * 3
    assert verdict(gate, "cgk_live_nonsense") == "malformed", "which no store is needed for"
    proxy.plan = clear
    verdicts = [verdict(gate, raw) for raw in (good.raw_key, revoked.raw_key, unknown)]
    assert verdicts == ["allowed", "revoked", "unknown"]


@each_fault
def test_one_fault_costs_at_most_its_own_request(
    make_gate: Callable[..., Gate], issuing: Issuing, proxy: FaultProxy, fault: Fault
) -> None:
    good, revoked = issuing.issue(), issuing.issue()
    issuing.keys.revoke(issuing.owner, revoked.key.id)
    gate = make_gate(keys=issuing.table)
    for raw, right in ((good.raw_key, "allowed"), (revoked.raw_key, "revoked")):
        proxy.plan = times(fault, 1)
        assert verdict(gate, raw) in {right, "fault"}
        assert verdict(gate, raw) == right


@pytest.mark.parametrize("seed", [1, 2])
def test_the_limit_holds_whatever_the_network_loses(
    make_gate: Callable[..., Gate], issuing: Issuing, proxy: FaultProxy, seed: int
) -> None:
    limit = 12
    raw = issuing.issue(limit=limit).raw_key
    quick = [fault for fault in FAULTS.values() if "hang" not in fault.name]
    proxy.plan = at_random(seed, share=0.5, faults=quick)
    gates = [make_gate(keys=issuing.table) for _ in range(3)]
    verdicts = [verdict(gates[number % 3], raw) for number in range(3 * limit)]
    proxy.plan = clear
    assert set(verdicts) <= {"allowed", "rate_limited", "fault"}
    assert 0 < verdicts.count("allowed") <= limit
    assert verdict(make_gate(keys=issuing.table), raw) == "rate_limited"


@each_fault
def test_a_users_window_fails_as_a_keys_does(
    ministack: Ministack, proxy: FaultProxy, fault: Fault
) -> None:
    table = rate_limits_table(dynamodb(ministack.endpoint))
    client = lean_client(proxy.url)
    users = UserWindows(client, table=table, limit=5, now_ms=now_ms)
    user = str(uuid4())
    try:
        proxy.plan = lambda _: fault
        if fault.name in OVERCOME:
            assert users.admit(user)[0]
        else:
            with pytest.raises(StoreOut):
                users.admit(user)
        proxy.plan = clear
        assert sum(users.admit(user)[0] for _ in range(8)) <= 5
        assert not users.admit(user)[0]
    finally:
        client.reset()


def test_a_revocation_during_an_outage_holds_as_soon_as_it_is_over(
    make_gate: Callable[..., Gate], issuing: Issuing, proxy: FaultProxy
) -> None:
    issued = issuing.issue()
    gate = make_gate(keys=issuing.table)
    assert verdict(gate, issued.raw_key) == "allowed"
    proxy.plan = lambda _: FAULTS["reset before"]
    issuing.keys.revoke(issuing.owner, issued.key.id)
    assert verdict(gate, issued.raw_key) == "fault"
    proxy.plan = clear
    assert verdict(gate, issued.raw_key) == "revoked"


def test_a_used_up_key_that_is_revoked_is_never_let_in(
    make_gate: Callable[..., Gate], issuing: Issuing
) -> None:
    """Whatever it is told, 429 or 401."""
    issued = issuing.issue(limit=1)
    knowing, fresh = make_gate(keys=issuing.table), make_gate(keys=issuing.table)
    assert [verdict(knowing, issued.raw_key) for _ in range(2)] == ["allowed", "rate_limited"]
    issuing.keys.revoke(issuing.owner, issued.key.id)
    assert verdict(fresh, issued.raw_key) == "revoked"
    assert verdict(knowing, issued.raw_key) == "rate_limited", "it need not ask until then"
