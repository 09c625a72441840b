"""Brakes for self-service, as the store itself holds them: creations, and what is left of keys."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.key_errors import CreationLimitReached, KeyLimitReached
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from tests.contract.test_key_store import Bench, owner
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def braked(bench: Bench, *, an_hour: int, keys_per_user: int = 1_000) -> Bench:
    bench.keys = ApiKeys(
        bench.store,
        now_ms=bench.tick,
        entropy=os.urandom,
        default_rate_limit=120,
        keys_per_user=keys_per_user,
        creations_per_hour=an_hour,
    )
    return bench


def test_revoked_keys_count_among_those_that_were_made_in_an_hour(client: DynamoDBClient) -> None:
    bench, user = braked(Bench(client), an_hour=3), owner()
    for _ in range(3):
        bench.keys.revoke(user, bench.issue(user).key.id)
    before = bench.items()
    with pytest.raises(CreationLimitReached) as reached:
        bench.issue(user)
    assert sorted(map(str, bench.items())) == sorted(map(str, before))
    assert bench.issue(owner()).key.name == "key"
    bench.now_ms += reached.value.retry_after_s * 1_000
    bench.issue(user)


def test_the_number_of_keys_is_held_beside_the_creations(client: DynamoDBClient) -> None:
    bench, user = braked(Bench(client), an_hour=9, keys_per_user=2), owner()
    first = bench.issue(user).key
    bench.issue(user)
    with pytest.raises(KeyLimitReached):
        bench.issue(user)
    bench.keys.revoke(user, first.id)
    bench.issue(user)


@pytest.mark.parametrize("client", ["ministack"], indirect=True)
def test_creations_at_once_never_exceed_the_hours_number(client: DynamoDBClient) -> None:
    bench, user = braked(Bench(client), an_hour=4), owner()

    def attempt(_: int) -> bool:
        try:
            bench.issue(user)
        except CreationLimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(12)))
    assert sum(outcomes) == 4
    assert len(bench.walk(user, limit=50, descending=False)) == 4


def test_a_revoked_keys_remains_have_an_end_and_a_living_key_none(
    client: DynamoDBClient,
) -> None:
    bench, user = Bench(client), owner()
    bench.store = DynamoKeyStore(
        Boto3Transport(client),
        table=bench.table,
        audit_table=audit_of(bench.table),
        pause=lambda _: None,
        revoked_retention_days=31,
    )
    braked(bench, an_hour=0)
    issued, other = bench.issue(user), bench.issue(user)
    bench.keys.revoke(user, issued.key.id)
    end_s = bench.now_ms // 1_000 + 31 * 86_400
    ends = {
        item["pk"]["S"] + item["sk"]["S"]: int(item["expires_on"]["N"])  # type: ignore[index]
        for item in bench.items()
        if "expires_on" in item
    }
    assert ends == {
        f"KEY#{hash_of(issued.raw_key)}#": end_s,
        f"USER#{user}REVOKED#{issued.key.id}": end_s,
    }
    assert bench.keys.get(user, other.key.id).id == other.key.id
