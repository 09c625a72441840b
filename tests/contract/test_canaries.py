"""A canary is answered like a key that was never there, and its owner is told of whoever came."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table import canary_notices
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.key_errors import KeyIsCanary
from chatgrid_auth.domain.verdicts import Refused
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.key_changes.changing import KeyChanges
from chatgrid_auth.services.key_rules import InvalidKey
from chatgrid_auth.services.rotation import Rotations
from chatgrid_authorizer import decision_log, response
from chatgrid_authorizer.decision_log import Measured
from chatgrid_authorizer.event import MethodRequest
from chatgrid_events.thin_events import is_of_an_entry, thin_events
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service
from tests.support.tables.stores import audit_of, counting, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000


class Trap:
    """A canary, and a gate that counts what it asks the store."""

    def __init__(
        self,
        client: DynamoDBClient,
        *,
        per_minute: int = 0,
        costs: tuple[int, ...] = (),
        **facts: Any,
    ) -> None:
        self.client, self.now_ms = client, NOW_MS
        self.table = keys_table(client)
        self.keys = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        self.owner = str(uuid4())
        issued = self.keys.issue(
            self.owner,
            name="in the backup",
            scopes=["admin"],
            environment="live",
            rate_limit=None,
            kind="canary",
            **facts,
        )
        self.key, self.raw = issued.key, issued.raw_key
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=time.sleep,
        )
        self.requests = counting(client)
        self.gate = key_gate(
            KeyDecisions(Boto3Transport(client), table=self.table, classes=costs),
            failed_attempts_per_minute=per_minute,
        )

    def ask(self, raw: str, scope: str = "read") -> tuple[Refused, int]:
        """The refusal, and how many store requests it cost."""
        before = self.requests()
        request = Request(scope, source="203.0.113.7", route="GET /boards")
        verdict = self.gate.decide(f"Bearer {raw}", request=request, now_ms=self.now_ms)
        assert isinstance(verdict, Refused)
        return verdict, self.requests() - before

    def shown(self, raw: str) -> tuple[Any, int]:
        """What API Gateway is told, without what only logs tell, and what it cost."""
        verdict, cost = self.ask(raw)
        answer = response.policy(verdict, method_arn="arn:aws:execute-api:r:a:i/v1/GET/boards")
        del answer["context"]["reason"]
        return answer, cost

    def lines(self, source: str, later_ms: int) -> list[tuple[int, str]]:
        """What a container that has told nothing yet logs of it, twice."""
        now_ms = NOW_MS + later_ms
        asked = Request("read", source=source, route="GET /boards/{id}")
        request = MethodRequest(
            method_arn="arn",
            authorization=None,
            method="GET",
            resource="/boards/{id}",
            request_id="r-1",
            judged=asked,
        )
        verdict = self.gate.decide(f"Bearer {self.raw}", request=asked, now_ms=now_ms)
        measured = Measured(now_ms=now_ms, took_ms=1.0, store_ms=0.0, cold_start=False)
        decision_log._told.clear()
        called = decision_log.named(verdict)
        return [(now_ms, decision_log.line(verdict, called, request, measured)) for _ in range(2)]

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """What EventBridge is told, out of what the audit table's stream gives, in their order."""
        found = []
        for item in self.client.scan(TableName=audit_of(self.table))["Items"]:
            keys = {name: item[name] for name in ("pk", "sk")}
            record = {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": item}}
            if is_of_an_entry(record):
                found += thin_events(record, bus="bus")
        told = [(one["DetailType"], json.loads(one["Detail"])) for one in found]
        return sorted(
            (one for one in told if one[0] != "api_key.created"),
            key=lambda one: (one[1]["created_at"], one[1]["source_ip"]),
        )

    def home(self) -> dict[str, Any]:
        key = {"pk": items.credential_pk(keys.hash_of(self.raw)), "sk": items.CREDENTIAL}
        where: Any = {name: items.s(value) for name, value in key.items()}
        found: Any = self.client.get_item(TableName=self.table, Key=where)
        item: dict[str, Any] = found["Item"]
        return item


@pytest.fixture
def trap(client: DynamoDBClient) -> Trap:
    return Trap(client)


def unknown() -> str:
    return keys.generate("live", entropy=os.urandom)


@pytest.mark.parametrize("per_minute", [0, 2])
def test_a_canary_hears_what_an_unknown_key_does_at_its_price(
    client: DynamoDBClient, per_minute: int
) -> None:
    """Also from the memories of refusals, of the container and of a failing address."""
    trap, other = Trap(client, per_minute=per_minute), unknown()
    for later_ms in (0, 1, 4_999, 5_000, 5_001, 60_000, 70_000):
        trap.now_ms = NOW_MS + later_ms
        assert trap.shown(trap.raw) == trap.shown(other)


RULES: dict[str, Any] = {
    "allowed_ips": ["192.0.2.1"],
    "permissions": ["a:b"],
    "metadata": {"a": "b"},
}
DUE: dict[str, Any] = {"remaining": 0, "refill": {"amount": 5, "interval": "day"}}


@pytest.mark.parametrize("costs", [(), (10,)])
def test_no_rule_or_credit_of_a_canary_shows(client: DynamoDBClient, costs: tuple[int]) -> None:
    """For any other key each would mean another text, or another request of the store."""
    trap = Trap(client, costs=costs, credits_said=DUE, **RULES)
    other = unknown()
    for later_ms in (0, 5_001, 3 * 86_400_000):  # the last when a refill is due
        trap.now_ms = NOW_MS + later_ms
        assert trap.shown(trap.raw) == trap.shown(other)


def test_what_logs_are_told_names_the_canary_and_its_owner(trap: Trap) -> None:
    for _ in range(2):
        verdict, _ = trap.ask(trap.raw)
        assert (verdict.reason, verdict.key_id, verdict.user_id) == (
            "canary",
            trap.key.id,
            trap.owner,
        )


def test_a_canary_stays_one_whatever_is_changed_of_it(trap: Trap) -> None:
    changes = KeyChanges(trap.store.changes, now_ms=lambda: trap.now_ms, default_rate_limit=120)
    became = changes.change(trap.owner, trap.key.id, {"name": "b", "metadata": {"where": "s3"}})
    assert (became.kind, became.name, became.enabled) == ("canary", "b", True)
    assert items.LEVEL not in trap.home()
    for said in ({"enabled": False}, {"scopes": ["read"]}, {"expires_at": None}):
        with pytest.raises(InvalidKey):
            changes.change(trap.owner, trap.key.id, said)
    trap.now_ms += 5_000
    assert trap.shown(trap.raw) == trap.shown(unknown())


def test_no_canary_gets_another_secret(trap: Trap) -> None:
    rotations = Rotations(trap.store.rotations, now_ms=lambda: trap.now_ms, entropy=os.urandom)
    with pytest.raises(KeyIsCanary):
        rotations.rotate(trap.owner, trap.key.id)


def test_a_revoked_canary_is_as_unknown_as_before(trap: Trap) -> None:
    trap.keys.revoke(trap.owner, trap.key.id)
    assert json.dumps(trap.shown(trap.raw)) == json.dumps(trap.shown(unknown()))


def test_eventbridge_is_told_once_a_minute_and_address(trap: Trap) -> None:
    """Whatever containers log, however often the log delivers it; a /64 is one address."""
    said = [("203.0.113.7", 0), ("203.0.113.7", 1_000), ("198.51.100.9", 2), ("2001:db8::1", 3)]
    said += [("2001:db8::2", 4), ("203.0.113.7", 60_000)]
    batches = [trap.lines(*one) for one in said]
    for lines in [*batches, *batches]:
        canary_notices.give(Boto3Transport(trap.client), lines, table=audit_of(trap.table))
    events = trap.events()
    assert [(kind, told["source_ip"], told["created_at"][-10:]) for kind, told in events] == [
        ("api_key.canary_used", "203.0.113.7", "00:00.000Z"),
        ("api_key.canary_used", "198.51.100.9", "00:00.002Z"),
        ("api_key.canary_used", "2001:db8::1", "00:00.003Z"),
        ("api_key.canary_used", "203.0.113.7", "01:00.000Z"),
    ]
    assert events[0][1] == {
        "notice_id": f"{trap.key.id}#api_key.canary_used#{NOW_MS}#203.0.113.7",
        "user_id": trap.owner,
        "key_id": trap.key.id,
        "source_ip": "203.0.113.7",
        "route": "GET /boards/{id}",
        "request_id": "r-1",
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    assert trap.raw not in json.dumps(events)


def test_what_is_told_of_one_batch_is_bounded(trap: Trap) -> None:
    """The log has them all, and the table keeps what is told for good."""
    (_, line), _ = trap.lines("203.0.113.7", 0)
    many = [(NOW_MS, line.replace("203.0.113.7", f"10.0.{n // 250}.{n % 250}")) for n in range(400)]
    canary_notices.give(Boto3Transport(trap.client), many, table=audit_of(trap.table))
    assert len(trap.events()) == 100
