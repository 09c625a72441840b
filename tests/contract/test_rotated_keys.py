"""The gate over keys that have several secrets: one home, one budget, one request each."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import counting, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.verdicts import Verdict

NOW_MS = 1_800_000_000_000
OWNER = str(uuid4())
REVOKED = "API key has been revoked"


class Bench:
    """One key with its first secret, rotated by hand as the store would be left."""

    def __init__(self, client: DynamoDBClient, **facts: object) -> None:
        self.client = client
        self.table = keys_table(client)
        self.now_ms = NOW_MS
        self.issuing = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        issued = new_key(self.issuing, OWNER, **facts)
        self.key, self.first = issued.key, issued.raw_key
        self.home = keys.hash_of(self.first)
        self.requests = counting(client)
        self.container = self.new_container()

    def new_container(self) -> Authenticator:
        return key_gate(KeyDecisions(Boto3Transport(self.client), table=self.table))

    def write(self, expression: str, names: dict[str, str], values: dict[str, Any]) -> None:
        given = {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        Boto3Transport(self.client).call(
            "UpdateItem",
            {
                "TableName": self.table,
                "Key": {"pk": items.s(items.credential_pk(self.home)), "sk": items.s("#")},
                "UpdateExpression": expression,
                **{name: part for name, part in given.items() if part},
            },
        )

    def rotate(self, old: str, *, until_ms: int, expires_at_ms: int = items.NEVER_MS) -> str:
        """A new secret; the old one passes until then."""
        new = keys.generate("live", entropy=os.urandom)
        alias: dict[str, Any] = {
            "pk": {"S": items.credential_pk(keys.hash_of(new))},
            "sk": {"S": items.CREDENTIAL},
            items.HOME: {"B": bytes.fromhex(self.home)},
        }
        self.client.put_item(TableName=self.table, Item=alias)
        tag = keys.tag_of(keys.hash_of(new))
        self.write(
            "SET #new = :end, #old = :until, cur = :tag",
            {"#new": items.until(tag), "#old": items.until(keys.tag_of(keys.hash_of(old)))},
            {":end": items.n(expires_at_ms), ":until": items.n(until_ms), ":tag": {"S": tag}},
        )
        return new

    def name_policy(self, version: int | None, metadata: dict[str, str] | None = None) -> None:
        """Make a policy the one that holds."""
        if version is None:
            return self.write("REMOVE v", {}, {})
        key = {
            "pk": {"S": items.credential_pk(self.home)},
            "sk": {"S": items.policy_sk(version)},
        }
        notes = {name: {"S": value} for name, value in (metadata or {}).items()}
        self.client.put_item(TableName=self.table, Item={**key, "metadata": {"M": notes}})
        return self.write("SET v = :v", {}, {":v": items.n(version)})

    def ask(self, credential: str, *, scope: str = "read") -> tuple[Verdict, int]:
        """A verdict, and how many store requests it took."""
        before = self.requests()
        verdict = self.container.decide(
            f"Bearer {credential}", request=Request(scope), now_ms=self.now_ms
        )
        return verdict, self.requests() - before

    def allowed(self, credential: str) -> tuple[Allowed, int]:
        verdict, requests = self.ask(credential)
        assert isinstance(verdict, Allowed)
        return verdict, requests

    def refusal(self, credential: str) -> str:
        verdict, _ = self.ask(credential)
        assert isinstance(verdict, Refused)
        return verdict.message


def told(verdict: Allowed) -> Any:
    """What backends are told of the owner's notes."""
    notes = verdict.caller.metadata
    return None if notes is None else json.loads(notes)


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client, rate_limit=6)


def test_both_secrets_cost_one_request_once_the_new_one_was_met(bench: Bench) -> None:
    new = bench.rotate(bench.first, until_ms=NOW_MS + 60_000)
    assert [bench.allowed(new)[1] for _ in range(3)] == [2, 1, 1]
    assert [bench.allowed(bench.first)[1] for _ in range(2)] == [1, 1]


def test_after_many_rotations_the_newest_secret_is_still_one_hop_from_home(bench: Bench) -> None:
    secret = bench.first
    for _ in range(4):
        secret = bench.rotate(secret, until_ms=NOW_MS)
    assert bench.allowed(secret)[1] == 2


def test_secrets_share_one_budget_one_id_and_have_their_own_last_use(bench: Bench) -> None:
    new = bench.rotate(bench.first, until_ms=NOW_MS + 60_000)
    for credential in (new, bench.first) * 3:
        verdict, _ = bench.allowed(credential)
        assert (verdict.caller.key_id, verdict.caller.user_id) == (bench.key.id, OWNER)
        bench.now_ms += 1
    assert isinstance(bench.ask(new)[0], Limited)
    assert isinstance(bench.ask(bench.first)[0], Limited)
    assert bench.issuing.get(OWNER, bench.key.id).last_used_at_ms == NOW_MS + 5


def test_a_former_secret_is_told_from_the_current_one(bench: Bench) -> None:
    assert bench.allowed(bench.first)[0].caller.former is False
    second = bench.rotate(bench.first, until_ms=NOW_MS + 60_000)
    third = bench.rotate(second, until_ms=NOW_MS + 60_000)
    told = [bench.allowed(secret)[0].caller.former for secret in (bench.first, second, third)]
    assert told == [True, True, False]


def test_an_old_secret_passes_until_its_grace_ends_and_then_is_revoked(bench: Bench) -> None:
    new = bench.rotate(bench.first, until_ms=NOW_MS + 1_000)
    bench.now_ms = NOW_MS + 999
    assert bench.allowed(bench.first)[0].caller.expires_at_ms == NOW_MS + 1_000
    bench.now_ms = NOW_MS + 1_000
    assert bench.refusal(bench.first) == REVOKED
    assert bench.allowed(new)[0].caller.expires_at_ms is None


def test_an_ended_grace_is_refused_on_the_very_next_request(bench: Bench) -> None:
    bench.rotate(bench.first, until_ms=NOW_MS + 60_000)
    bench.allowed(bench.first)
    bench.write("REMOVE #old", {"#old": items.until(keys.tag_of(bench.home))}, {})
    assert bench.refusal(bench.first) == REVOKED


def test_an_ended_secret_is_remembered_for_good_and_costs_nothing_more(bench: Bench) -> None:
    bench.rotate(bench.first, until_ms=NOW_MS)
    assert bench.ask(bench.first)[1] == 1
    bench.now_ms += 3_600_000
    verdict, requests = bench.ask(bench.first)
    assert isinstance(verdict, Refused)
    assert (verdict.reason, verdict.key_id, requests) == ("ended", bench.key.id, 0)


def test_a_refusal_names_the_first_of_revoked_disabled_expired_and_ended(bench: Bench) -> None:
    new = bench.rotate(bench.first, until_ms=NOW_MS, expires_at_ms=NOW_MS + 10_000)
    assert bench.refusal(bench.first) == REVOKED
    bench.now_ms = NOW_MS + 10_000
    assert bench.refusal(new) == bench.refusal(bench.first) == "API key has expired"
    off = ({"#off": items.OFF}, {":off": {"S": items.MANUAL}})
    bench.write("SET #off = :off REMOVE lvl", *off)
    bench.container = bench.new_container()
    assert bench.refusal(new) == bench.refusal(bench.first) == "API key is disabled"
    bench.write("SET #off = :off", {"#off": items.OFF}, {":off": {"S": items.REVOKED}})
    bench.container = bench.new_container()
    assert bench.refusal(new) == bench.refusal(bench.first) == REVOKED


def test_an_alias_whose_home_is_gone_is_an_unknown_key(bench: Bench) -> None:
    new = bench.rotate(bench.first, until_ms=NOW_MS)
    key = {"pk": {"S": items.credential_pk(bench.home)}, "sk": {"S": items.CREDENTIAL}}
    bench.client.delete_item(TableName=bench.table, Key=key)
    assert bench.refusal(new) == "Missing or invalid token"


def test_an_alias_whose_home_is_gone_has_no_holder(bench: Bench) -> None:
    new = keys.hash_of(bench.rotate(bench.first, until_ms=NOW_MS))
    key = {"pk": {"S": items.credential_pk(bench.home)}, "sk": {"S": items.CREDENTIAL}}
    bench.client.delete_item(TableName=bench.table, Key=key)
    assert KeyInventory(bench.client, table=bench.table).holders([new]) == {}


def test_an_operator_is_told_of_the_home_whatever_secret_is_asked_about(bench: Bench) -> None:
    new = keys.hash_of(bench.rotate(bench.first, until_ms=NOW_MS))
    preview = KeyGlances(Boto3Transport(bench.client), table=bench.table)
    found = preview.admit(new, now_ms=bench.now_ms, request=Request("read"))
    assert found is not None
    assert (found.admitted, found.key_id) == (True, bench.key.id)
    inventory = KeyInventory(bench.client, table=bench.table)
    assert {holder.key_id for holder in inventory.holders([new, bench.home]).values()} == {
        bench.key.id
    }


def test_a_policy_costs_three_requests_when_new_and_one_afterwards(bench: Bench) -> None:
    bench.name_policy(1, {"team": "billing"})
    found = [bench.allowed(bench.first) for _ in range(3)]
    assert [requests for _, requests in found] == [3, 1, 1]
    assert [told(verdict) for verdict, _ in found] == [{"team": "billing"}] * 3


def test_a_changed_policy_holds_on_the_very_next_request(bench: Bench) -> None:
    bench.name_policy(1, {"team": "billing"})
    bench.allowed(bench.first)
    bench.name_policy(2, {"team": "sales"})
    assert told(bench.allowed(bench.first)[0]) == {"team": "sales"}
    bench.name_policy(None)
    assert told(bench.allowed(bench.first)[0]) is None
    bench.name_policy(3, {"team": "care"})
    assert told(bench.allowed(bench.first)[0]) == {"team": "care"}


def test_rotated_secrets_share_what_is_remembered_of_the_policy(bench: Bench) -> None:
    bench.name_policy(1, {"team": "billing"})
    new = bench.rotate(bench.first, until_ms=NOW_MS + 60_000)
    bench.allowed(bench.first)
    assert [bench.allowed(new)[1] for _ in range(2)] == [2, 1]


def test_a_missing_scope_reads_a_new_policy_once(bench: Bench) -> None:
    bench.name_policy(1, {"team": "billing"})
    for expected in (3, 1, 1):
        verdict, requests = bench.ask(bench.first, scope="admin")
        assert isinstance(verdict, Forbidden)
        assert requests == expected


def test_a_missing_policy_is_a_fault_and_lets_nobody_in(bench: Bench) -> None:
    bench.write("SET v = :v", {}, {":v": items.n(7)})
    with pytest.raises(StoreUnavailable):
        bench.ask(bench.first)


def test_a_refill_that_no_policy_tells_of_is_a_fault_for_everybody(bench: Bench) -> None:
    bench.write("SET due = :zero", {}, {":zero": items.n(0)})
    with pytest.raises(StoreUnavailable):
        bench.ask(bench.first)
