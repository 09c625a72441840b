"""An operator's view: every key once, whoever owns it, and what the gate would say, uncounted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.glances import KeyGlances
from chatgrid_auth.adapters.keys_table.key_inventory import Holder, KeyInventory
from chatgrid_auth.adapters.rate_limits_table.glances import UserGlances, WindowGlances
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import keys_table, rate_limits_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import IssuedKey

NOW_MS = 1_800_000_000_000


class Shop:
    """Keys of several owners, and ways to look at them."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.keys = key_service(
            client, table=self.table, now_ms=lambda: NOW_MS, default_rate_limit=3
        )
        self.inventory = KeyInventory(client, table=self.table)
        transport = Boto3Transport(client)
        self.gate = KeyDecisions(transport, table=self.table)
        self.preview = KeyGlances(transport, table=self.table)

    def issue(self, owner: str, *, expires_at_ms: int | None = None) -> IssuedKey:
        return new_key(self.keys, owner, scopes=["write"], expires_at_ms=expires_at_ms)

    def items(self) -> list[object]:
        found = self.client.scan(TableName=self.table, ConsistentRead=True)["Items"]
        return sorted(found, key=str)


@pytest.fixture
def shop(client: DynamoDBClient) -> Shop:
    return Shop(client)


def test_every_key_of_every_owner_is_given_once(shop: Shop) -> None:
    assert shop.inventory.is_empty()
    assert list(shop.inventory.every_key(revoked=True)) == []
    owners = [str(uuid4()) for _ in range(3)]
    made = [shop.issue(owner) for owner in owners for _ in range(2)]
    gone = shop.issue(owners[0])
    shop.keys.revoke(owners[0], gone.key.id)
    assert not shop.inventory.is_empty()
    found = {stored.key.id: stored for stored in shop.inventory.every_key()}
    assert found.keys() == {issued.key.id for issued in made}
    assert all(found[issued.key.id].key == issued.key for issued in made)
    assert all(found[issued.key.id].hash == hash_of(issued.raw_key) for issued in made)
    with_revoked = {s.key.id: s.revoked_at_ms for s in shop.inventory.every_key(revoked=True)}
    assert with_revoked == {**dict.fromkeys(found), gone.key.id: NOW_MS}


def test_every_key_is_given_once_however_many_pages_it_takes(shop: Shop) -> None:
    owner = str(uuid4())
    made = {shop.issue(owner).key.id for _ in range(7)}

    def shorten(params: dict[str, object], **_: object) -> None:
        params["Limit"] = 2

    for operation in ("Scan", "Query"):
        shop.client.meta.events.register(f"provide-client-params.dynamodb.{operation}", shorten)
    for pool in (shop.inventory.every_key(revoked=True), shop.inventory.keys_of(owner)):
        found = [stored.key.id for stored in pool]
        assert len(found) == 7
        assert set(found) == made
    assert not shop.inventory.is_empty()


def test_an_owners_list_is_its_own_with_revoked_keys_on_request(shop: Shop) -> None:
    mine, theirs = str(uuid4()), str(uuid4())
    kept, gone = shop.issue(mine).key, shop.issue(mine).key
    shop.issue(theirs)
    shop.keys.revoke(mine, gone.id)
    assert [s.key for s in shop.inventory.keys_of(mine)] == [kept]
    living, ended = [s.key for s in shop.inventory.keys_of(mine, revoked=True)]
    assert living == kept
    assert replace(ended, revoked_at_ms=None, revocation_reason=None) == gone
    assert ended.revocation_reason == "unspecified"


def test_a_key_is_found_by_its_id_with_its_last_use(shop: Shop) -> None:
    issued = shop.issue(str(uuid4()))
    shop.gate.admit(hash_of(issued.raw_key), now_ms=NOW_MS + 5, request=Request("read"))
    for owner in (None, issued.key.owner):
        found = shop.inventory.find(issued.key.id, owner=owner)
        assert found is not None
        assert found.key.last_used_at_ms == NOW_MS + 5
    assert shop.inventory.find(issued.key.id, owner=str(uuid4())) is None
    assert shop.inventory.find(str(uuid4())) is None


def test_holders_are_told_for_known_hashes_only(shop: Shop) -> None:
    issued = [shop.issue(str(uuid4())) for _ in range(3)]
    hashes = [hash_of(each.raw_key) for each in issued]
    found = shop.inventory.holders([*hashes, "0" * 64])
    assert found == {
        key_hash: Holder(owner=each.key.owner, key_id=each.key.id)
        for key_hash, each in zip(hashes, issued, strict=True)
    }


def test_every_id_comes_with_its_keys_hash_even_when_revoked(shop: Shop) -> None:
    assert shop.inventory.hashes_by_id() == {}
    issued = [shop.issue(str(uuid4())) for _ in range(3)]
    shop.keys.revoke(issued[0].key.owner, issued[0].key.id)
    hashes = {each.key.id: hash_of(each.raw_key) for each in issued}
    assert shop.inventory.hashes_by_id() == hashes


def test_a_preview_says_what_the_gate_then_says_and_changes_nothing(shop: Shop) -> None:
    owner = str(uuid4())
    good, late = shop.issue(owner), shop.issue(owner, expires_at_ms=NOW_MS + 1)
    gone = shop.issue(owner)
    shop.keys.revoke(owner, gone.key.id)
    questions = [
        *[(hash_of(good.raw_key), "write")] * 4,  # a limit of three
        (hash_of(good.raw_key), "admin"),
        (hash_of(late.raw_key), "read"),
        (hash_of(gone.raw_key), "read"),
        ("0" * 64, "read"),
    ]
    admitted = []
    for key_hash, scope in questions:
        before = shop.items()
        seen = shop.preview.admit(key_hash, now_ms=NOW_MS + 1, request=Request(scope))
        assert shop.items() == before
        decided = shop.gate.admit(key_hash, now_ms=NOW_MS + 1, request=Request(scope))
        assert (seen is None) == (decided is None)
        if seen is None or decided is None:
            continue
        assert seen.admitted == decided.admitted
        assert seen.reading.remaining - decided.reading.remaining == int(decided.admitted)
        admitted.append(decided.admitted)
    assert admitted == [True, True, True, False, False, False, False]


def test_a_users_preview_counts_nothing(client: DynamoDBClient) -> None:
    table, user, transport = rate_limits_table(client), str(uuid4()), Boto3Transport(client)
    glances = WindowGlances(transport, table=table, now_ms=lambda: NOW_MS)
    preview = UserGlances(glances, limit=1)
    counted = UserWindows(transport, table=table, limit=1, now_ms=lambda: NOW_MS)
    for _ in range(2):
        admitted, reading = preview.admit(user)
        assert (admitted, reading.remaining) == (True, 1)
    assert counted.admit(user)[0]
    admitted, reading = preview.admit(user)
    assert (admitted, reading.remaining) == (False, 0)
    assert client.scan(TableName=table)["Count"] == 1
