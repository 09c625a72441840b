"""What made a key lies with it, and what it made is found, as the store itself keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.audit_table import chain
from chatgrid_auth.adapters.dynamodb import transactions
from chatgrid_auth.domain.actors import API_KEY, Actor
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.key_errors import MakerRevoked, NotFound
from tests.contract.test_key_store import Bench, owner

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import ApiKey


def by(key: ApiKey) -> Actor:
    return Actor(type=API_KEY, id=key.owner, key_id=key.id)


def test_a_key_tells_for_good_what_made_it(client: DynamoDBClient) -> None:
    bench, user = Bench(client), owner()
    first = bench.issue(user).key
    second = bench.issue(user, actor=by(first)).key
    assert bench.keys.get(user, first.id).created_by.type == "operator"
    found = bench.keys.get(user, second.id).created_by
    assert (found.type, found.key_id) == ("api_key", first.id)


def test_all_that_a_key_made_goes_with_it(client: DynamoDBClient) -> None:
    bench, user = Bench(client), owner()
    other, leaked = bench.issue(user).key, bench.issue(user).key
    child = bench.issue(user, actor=by(leaked)).key
    grandchild = bench.issue(user, actor=by(child)).key
    bench.keys.revoke(user, child.id)
    assert bench.keys.revoke(user, leaked.id, descendants=True) == (leaked.id, grandchild.id)
    assert [key.id for key in bench.walk(user, limit=10, descending=False)] == [other.id]
    with pytest.raises(NotFound):
        bench.keys.revoke(user, leaked.id, descendants=True)


def test_a_revoked_key_makes_no_other_and_counts_none(client: DynamoDBClient) -> None:
    bench, user = Bench(client), owner()
    maker = bench.issue(user).key
    bench.keys.revoke(user, maker.id)
    before = bench.items()
    with pytest.raises(MakerRevoked):
        bench.issue(user, actor=by(maker))
    assert sorted(map(str, bench.items())) == sorted(map(str, before))


def test_a_key_held_up_makes_none_behind_the_last_look(
    client: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Creations under way hold up the transaction that lets its key make no more."""
    bench, user = Bench(client), owner()
    leaked = bench.issue(user).key
    child = bench.issue(user, actor=by(leaked)).key
    whole, held_up = transactions.transact, iter([True, False, True])

    def busy(*arguments: Any, **options: Any) -> None:
        if next(held_up, False):
            raise StoreUnavailable("TransactWriteItems", "TransactionCanceled")
        whole(*arguments, **options)

    monkeypatch.setattr(chain, "transact", busy)
    assert bench.keys.revoke(user, leaked.id, descendants=True) == (leaked.id, child.id)
    for maker in (leaked, child):
        with pytest.raises(MakerRevoked):
            bench.issue(user, actor=by(maker))


def test_another_users_key_is_no_maker_here(client: DynamoDBClient) -> None:
    bench = Bench(client)
    maker = bench.issue(owner()).key
    with pytest.raises(MakerRevoked):
        bench.issue(owner(), actor=by(maker))
