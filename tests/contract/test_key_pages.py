"""Filtered lists in DynamoDB: each key once, the revoked with their reason, bounded work."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import key_pages
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.key_filters import KeyFilters
from tests.support.tables.key_service import new_key
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Shop:
    """One owner's keys."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.owner = str(uuid4())
        self.table = keys_table(client)
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self._now_ms = 1_800_000_000_000
        self.keys = ApiKeys(
            self.store,
            now_ms=self._tick,
            entropy=os.urandom,
            default_rate_limit=120,
            keys_per_user=1_000,
        )

    def _tick(self) -> int:
        self._now_ms += 1
        return self._now_ms

    def make(self, **facts: Any) -> ApiKey:
        return new_key(self.keys, self.owner, **facts).key

    def walk(self, *, limit: int, descending: bool = True, **filters: Any) -> list[ApiKey]:
        found: list[ApiKey] = []
        after = None
        while True:
            page = self.keys.list(
                self.owner,
                limit=limit,
                after=after,
                descending=descending,
                filters=KeyFilters(**filters),
            )
            assert len(page.items) <= limit
            found += page.items
            after = page.last_id
            if not page.has_more:
                return found


@pytest.fixture
def shop(client: DynamoDBClient) -> Shop:
    return Shop(client)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_walking_with_any_filter_gives_each_key_once(
    shop: Shop, limit: int, descending: bool
) -> None:
    made = [
        shop.make(name=f"{'CI' if number % 3 else 'Web'} {number}", environment=environment)
        for number, environment in enumerate(["live", "test"] * 6)
    ]
    ended = {made[number].id for number in (0, 4, 5, 11)}
    for one in ended:
        shop.keys.revoke(shop.owner, one, reason="superseded")
    expected = sorted((key.id for key in made), reverse=descending)
    for status, ids in {
        "all": {key.id for key in made},
        "revoked": ended,
        "active": {key.id for key in made} - ended,
    }.items():
        for environment, name in ((None, None), ("test", None), (None, "ci"), ("live", "WEB")):
            found = shop.walk(
                limit=limit,
                descending=descending,
                status=status,
                environment=environment,
                name=name,
            )
            wanted = {
                key.id
                for key in made
                if key.id in ids
                and environment in {None, key.environment}
                and (name is None or name.lower() in key.name.lower())
            }
            assert [key.id for key in found] == [one for one in expected if one in wanted]
            assert {key.id for key in found if key.revoked_at_ms is not None} == wanted & ended


def test_a_prefix_finds_the_key_that_was_seen_somewhere(shop: Shop) -> None:
    wanted, _ = shop.make(), shop.make()
    assert [key.id for key in shop.walk(limit=5, prefix=wanted.prefix)] == [wanted.id]
    assert len(shop.walk(limit=5, prefix="cgk_live_")) == 2


def test_a_revocation_keeps_its_time_and_its_reason(shop: Shop) -> None:
    key = shop.make()
    shop.keys.revoke(shop.owner, key.id, reason="key_compromise")
    (ended,) = shop.walk(limit=5, status="revoked")
    assert ended.revocation_reason == "key_compromise"
    assert ended.revoked_at_ms is not None
    assert ended.revoked_at_ms > key.created_at_ms


def test_a_revocation_that_was_cut_off_is_listed_as_one(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = shop.make()

    def cut_off(*_: object) -> None:
        raise StoreUnavailable("TransactWriteItems", "Gone")

    with monkeypatch.context() as broken:
        broken.setattr(shop.store._writers().revocations.pending._chain, "transact", cut_off)
        shop.keys.revoke(shop.owner, key.id, reason="superseded")
    for _ in range(2):
        (ended,) = shop.walk(limit=5, status="revoked")
        assert (ended.id, ended.revocation_reason) == (key.id, "superseded")
    assert shop.walk(limit=5) == []


def test_a_request_looks_at_a_bounded_number_of_keys(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not find in them the next request goes on to look for."""
    monkeypatch.setattr(key_pages, "_MOST_EXAMINED", 4)
    monkeypatch.setattr(key_pages, "MOST_AT_ONCE", 2)
    wanted = shop.make(name="needle")
    for _ in range(6):
        shop.make(name="hay")
    first = shop.keys.list(
        shop.owner, limit=5, after=None, descending=True, filters=KeyFilters(name="needle")
    )
    assert (first.items, first.has_more) == ([], True)
    assert [key.id for key in shop.walk(limit=5, name="needle")] == [wanted.id]


def test_a_page_that_ends_at_a_megabyte_hides_no_key(shop: Shop) -> None:
    made = [shop.make().id for _ in range(5)]
    for key_id in made[:4]:
        shop.client.update_item(
            TableName=shop.table,
            Key={"pk": {"S": f"USER#{shop.owner}"}, "sk": {"S": f"KEY#{key_id}"}},
            UpdateExpression="SET filler = :f",
            ExpressionAttributeValues={":f": {"S": "x" * 380_000}},
        )
    page = shop.keys.list(shop.owner, limit=50, after=None, descending=False, filters=KeyFilters())
    assert [key.id for key in page.items] == made
    assert not page.has_more
