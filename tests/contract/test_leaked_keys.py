"""A leaked key is refused on the next request, told of once, and looked for at a constant price."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import pytest

from chatgrid_auth.adapters.audit_table.chain import AuditChain
from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.key_changes.revocations import Revocations
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.leaks.exposed_keys import DynamoExposedKeys
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.actors import SYSTEM, Actor
from chatgrid_auth.domain.verdicts import Allowed, Refused
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.leaks.acting import LeakResponse, Leaks
from chatgrid_auth.services.leaks.reports import Sighting, hashes_of
from chatgrid_auth.services.rotation import Rotations
from tests.support.tables.key_gate import key_gate
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, counting, keys_table
from tests.support.tokens import token_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
DAY_MS = 86_400_000
URL = "https://github.com/octocat/Hello-World/blob/main/.env"
DISABLED, REVOKED = "API key is disabled", "API key has been revoked"


class Bench:
    """One key, and a gate that has admitted it."""

    def __init__(self, client: DynamoDBClient, response: LeakResponse = "disable") -> None:
        self.table, self.now_ms = keys_table(client), NOW_MS
        audit_table = audit_of(self.table)
        transport = Boto3Transport(client)
        chain = AuditChain(transport, table=audit_table, pause=time.sleep)
        store = DynamoExposedKeys(
            transport,
            table=self.table,
            chain=chain,
            revocations=Revocations(transport, table=self.table, chain=chain),
        )
        self.leaks = Leaks(store, response=response, now_ms=lambda: self.now_ms)
        self.keys = key_service(client, table=self.table, now_ms=lambda: self.now_ms)
        keeping = DynamoKeyStore(
            Boto3Transport(client), table=self.table, audit_table=audit_table, pause=time.sleep
        )
        self.rotations = Rotations(
            keeping.rotations, now_ms=lambda: self.now_ms, entropy=os.urandom
        )
        self.gate = key_gate(KeyDecisions(transport, table=self.table))
        self.owner = str(uuid4())
        issued = new_key(self.keys, self.owner)
        self.key, self.raw = issued.key, issued.raw_key
        self.trail = AuditTrail(transport, table=audit_table)
        self.requests = counting(client)

    def decide(self, raw: str | None = None) -> Any:
        request = Request("read", permission=None, source="203.0.113.7", route="GET /boards")
        return self.gate.decide(f"Bearer {raw or self.raw}", request=request, now_ms=self.now_ms)

    def report(self, *raws: str, url: str | None = URL) -> frozenset[str]:
        hashes = hashes_of(raws or (self.raw,))
        sightings = [Sighting(secret_hash=one, url=url) for one in hashes]
        return self.leaks.act(sightings, actor=Actor(type=SYSTEM, request_id="request-1"))

    def actions(self) -> list[str]:
        return [entry.document["action"] for entry in self.trail.entries(self.owner)]

    def last(self) -> Any:
        return next(iter(self.trail.entries(self.owner, descending=True))).document


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def refusal(verdict: Any) -> str:
    assert isinstance(verdict, Refused)
    return verdict.message


@pytest.mark.parametrize("response", ["disable", "revoke", "report"])
@pytest.mark.parametrize("what", ["key", "token"])
def test_nobody_ends_a_publishable_key_by_reporting_what_its_page_shows(
    client: DynamoDBClient, response: LeakResponse, what: str
) -> None:
    """Anybody may read it there: it is no secret, and nothing has leaked."""
    bench = Bench(client, response)
    facts = {"kind": "publishable", "scopes": ["read"], "allowed_origins": ["https://a.example"]}
    issued = new_key(bench.keys, bench.owner, **facts)
    before = bench.actions()
    bench.report(issued.raw_key if what == "key" else token_of(issued.raw_key))
    shown = bench.keys.get(bench.owner, issued.key.id)
    assert (shown.enabled, shown.disabled_reason) == (True, None)
    assert bench.actions() == before


def test_a_leaked_key_is_refused_on_the_next_request(bench: Bench) -> None:
    assert isinstance(bench.decide(), Allowed)
    assert bench.report() == {keys.hash_of(bench.raw)}
    assert refusal(bench.decide()) == DISABLED
    shown = bench.keys.get(bench.owner, bench.key.id)
    assert (shown.enabled, shown.disabled_reason) == (False, "exposed")


def test_the_audit_log_tells_of_it_once_however_often_it_is_reported(bench: Bench) -> None:
    for _ in range(3):
        bench.report()
    assert bench.actions() == ["api_key.created", "api_key.exposed"]
    entry = bench.last()
    assert entry["changes"] == {
        "enabled": {"from": True, "to": False},
        "disabled_reason": {"from": None, "to": "exposed"},
        "exposed_url": {"from": None, "to": URL},
    }
    assert entry["actor"]["type"] == "system"
    assert entry["request_id"] == "request-1"
    assert keys.hash_of(bench.raw) not in str(entry)
    assert bench.trail.verify(bench.owner).first_broken_seq is None


def test_a_revoked_key_is_ours_and_left_alone(bench: Bench) -> None:
    bench.keys.revoke(bench.owner, bench.key.id)
    assert bench.report() == {keys.hash_of(bench.raw)}
    assert bench.actions() == ["api_key.created", "api_key.revoked"]
    assert refusal(bench.decide()) == REVOKED


def test_a_former_secret_in_its_grace_counts_like_the_current_one(bench: Bench) -> None:
    rotated = bench.rotations.rotate(bench.owner, bench.key.id, grace_seconds=3600)
    assert bench.report(bench.raw)
    assert refusal(bench.decide(bench.raw)) == DISABLED
    assert refusal(bench.decide(rotated.raw_key)) == DISABLED


def test_a_later_secret_counts_under_its_own_hash(bench: Bench) -> None:
    rotated = bench.rotations.rotate(bench.owner, bench.key.id, grace_seconds=0)
    assert bench.report(rotated.raw_key) == {keys.hash_of(rotated.raw_key)}
    assert refusal(bench.decide(rotated.raw_key)) == DISABLED


def test_a_former_secret_whose_grace_is_over_leaves_its_key_alone(bench: Bench) -> None:
    rotated = bench.rotations.rotate(bench.owner, bench.key.id, grace_seconds=60)
    bench.now_ms += 61_000
    assert bench.report(bench.raw) == {keys.hash_of(bench.raw)}
    assert isinstance(bench.decide(rotated.raw_key), Allowed)
    assert "api_key.exposed" not in bench.actions()


def test_a_reported_token_disables_its_key_and_no_other(bench: Bench) -> None:
    other = new_key(bench.keys, bench.owner)
    token = token_of(bench.raw)
    assert len(bench.report(token)) == 1
    assert refusal(bench.decide()) == DISABLED
    assert isinstance(bench.decide(other.raw_key), Allowed)
    assert token not in str(bench.last())


def test_a_token_of_a_secret_that_has_ended_changes_nothing(bench: Bench) -> None:
    token = token_of(bench.raw)
    rotated = bench.rotations.rotate(bench.owner, bench.key.id, grace_seconds=0)
    assert bench.report(token)
    assert isinstance(bench.decide(rotated.raw_key), Allowed)


def test_an_expired_key_is_disabled_since_it_may_live_again(client: DynamoDBClient) -> None:
    bench = Bench(client)
    issued = new_key(bench.keys, bench.owner, expires_at_ms=NOW_MS + DAY_MS)
    bench.now_ms += 2 * DAY_MS
    bench.report(issued.raw_key)
    assert bench.keys.get(bench.owner, issued.key.id).disabled_reason == "exposed"


def test_where_leaks_are_only_reported_the_key_goes_on(client: DynamoDBClient) -> None:
    bench = Bench(client, "report")
    for _ in range(3):
        bench.report()
    assert isinstance(bench.decide(), Allowed)
    assert bench.actions() == ["api_key.created", "api_key.exposed"]
    assert bench.last()["changes"] == {"exposed_url": {"from": None, "to": URL}}
    rotated = bench.rotations.rotate(bench.owner, bench.key.id, grace_seconds=0)
    bench.report(rotated.raw_key, url=None)
    assert bench.actions().count("api_key.exposed") == 2, "another secret is another leak"


def test_where_leaked_keys_are_revoked_it_is_for_good(client: DynamoDBClient) -> None:
    bench = Bench(client, "revoke")
    for _ in range(2):
        bench.report()
    assert refusal(bench.decide()) == REVOKED
    assert bench.actions() == ["api_key.created", "api_key.revoked"], "one entry for each deed"
    assert bench.last()["changes"] == {
        "revocation_reason": {"from": None, "to": "key_compromise"},
        "exposed_url": {"from": None, "to": URL},
    }


def test_a_key_revoked_as_leaked_says_so_without_a_url_too(client: DynamoDBClient) -> None:
    bench = Bench(client, "revoke")
    bench.report(url=None)
    assert bench.last()["changes"]["exposed_url"] == {"from": None, "to": None}


@pytest.mark.parametrize("response", ["disable", "revoke"])
def test_what_is_public_of_a_key_makes_no_token_that_ends_it(
    client: DynamoDBClient, response: LeakResponse
) -> None:
    """Nor what a holder of an older token knows: where the key lies, not its next secret's tag."""
    bench = Bench(client, response)
    key = bench.key
    public = [key.id, key.prefix, key.owner, UUID(key.id).hex, f"{key.owner}{key.id}"]
    made_up = [token_of(text) for text in public]
    padded = UUID(key.id).bytes.ljust(32, b"\0")
    places = [padded.hex(), padded[::-1].hex(), (UUID(key.id).bytes * 2).hex()]
    tag = keys.tag_of(keys.hash_of(bench.raw))
    made_up += [token_of(bench.raw, home=place, tag=tag) for place in places]
    assert bench.report(*made_up) == frozenset()

    rotated = bench.rotations.rotate(bench.owner, key.id, grace_seconds=0)
    bench.report(*(token_of(bench.raw, tag=other) for other in (tag, "AAAAAA", "#\0cur ")))
    assert isinstance(bench.decide(rotated.raw_key), Allowed)


def test_a_thousand_made_up_keys_cost_one_request_a_hundred(bench: Bench) -> None:
    made_up = [keys.generate("live", entropy=os.urandom) for _ in range(1_000)]
    before = bench.requests()
    assert bench.report(*made_up) == frozenset()
    assert bench.requests() - before == 10
