"""Requests that come again, over a real table: one key, one secret that works, right books."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.domain.key_errors import StillRunning
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.idempotency import Answered
from chatgrid_auth.services.repeatable import KEPT_MS, RUNS_MS
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.naming_client import NOW_MS, Client
from tests.support.tables.secrets import use
from tests.support.tables.stores import dynamodb

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def test_a_lost_secret_is_replaced_again_and_again_until_one_is_used(
    client: DynamoDBClient,
) -> None:
    user = Client(client)
    given = [user.create() for _ in range(4)]
    assert len({one.key.id for one in given}) == 1
    assert user.passing(*(one.raw_key for one in given)) == [False, False, False, True]
    assert user.keys.get(user.owner, given[0].key.id).prefix == given[-1].key.prefix
    use(client, user.table, given[-1].raw_key or "", at_ms=NOW_MS)
    after = user.create()
    assert (after.raw_key, after.replayed) == (None, True)
    assert user.passing(given[-1].raw_key) == [True]
    assert user.wrong_books() == []


def test_a_repeated_rotation_leaves_the_former_secret_its_grace(client: DynamoDBClient) -> None:
    user = Client(client)
    first = user.create()
    rotated = [user.rotate(first.key.id) for _ in range(3)]
    assert user.passing(first.raw_key, *(one.raw_key for one in rotated)) == [
        True,
        False,
        False,
        True,
    ]
    # Somebody else's secret is none that this request may replace, nor is the creation's own.
    assert (user.create().raw_key, user.wrong_books()) == (None, [])
    user.now_ms += KEPT_MS // 2
    assert user.rotate(first.key.id).raw_key is not None
    assert user.wrong_books() == []


def test_a_disabled_keys_secret_is_replaced_and_a_revoked_keys_is_not(
    client: DynamoDBClient,
) -> None:
    user = Client(client)
    first = user.create()
    client.update_item(
        TableName=user.table,
        Key={"pk": {"S": f"KEY#{hash_of(first.raw_key or '')}"}, "sk": {"S": "#"}},
        UpdateExpression="SET #off = :manual REMOVE lvl",
        ExpressionAttributeNames={"#off": "off"},
        ExpressionAttributeValues={":manual": {"S": "manual"}},
    )
    assert user.create().raw_key is not None
    user.keys.revoke(user.owner, first.key.id)
    gone = user.create()
    assert (gone.key.id, gone.raw_key, gone.replayed) == (first.key.id, None, True)
    assert user.wrong_books() == []


def test_whoever_lost_the_claim_creates_nothing(client: DynamoDBClient) -> None:
    user = Client(client)
    taken: list[Answered] = []
    create = user.store.create

    def slow(*parts: Any, **more: Any) -> None:
        if not taken:
            user.now_ms += RUNS_MS + 1
            user.store.create = create  # type: ignore[method-assign]
            taken.append(user.create())
        create(*parts, **more)

    user.store.create = slow  # type: ignore[method-assign]
    with pytest.raises(StillRunning):
        user.create()
    listed = user.keys.list(user.owner, limit=10, after=None, descending=False).items
    assert [key.id for key in listed] == [taken[0].key.id]
    assert user.passing(taken[0].raw_key) == [True]
    assert user.wrong_books() == []


def at_once(user: Client, together: Barrier) -> str | None:
    """One of the eight, over connections of its own; the secret that it was answered with."""
    user.now_ms = time.time_ns() // 1_000_000
    together.wait()
    while True:
        try:
            return user.create().raw_key
        except StillRunning:  # 409: the client asks again
            user.now_ms = time.time_ns() // 1_000_000


def test_eight_identical_creations_at_once_make_one_key_with_one_secret(
    ministack: Ministack,
) -> None:
    user = Client(dynamodb(ministack.endpoint))
    together = Barrier(8, timeout=60)
    with ThreadPoolExecutor(8) as pool:
        runs = [
            pool.submit(
                at_once,
                Client(dynamodb(ministack.endpoint), table=user.table, owner=user.owner),
                together,
            )
            for _ in range(8)
        ]
        secrets = [run.result(timeout=120) for run in runs]
    user.now_ms = time.time_ns() // 1_000_000
    assert len(user.keys.list(user.owner, limit=10, after=None, descending=False).items) == 1
    assert len(set(secrets)) == 8
    assert sum(user.passing(*secrets)) == 1
    assert user.wrong_books() == []


def test_a_secret_used_between_look_and_write_is_not_replaced(client: DynamoDBClient) -> None:
    user = Client(client)
    first = user.create()
    reissue = user.store.rotations.reissue

    def late(*parts: Any, **more: Any) -> bool:
        use(client, user.table, first.raw_key or "", at_ms=NOW_MS)
        return reissue(*parts, **more)

    user.store.rotations.reissue = late  # type: ignore[method-assign]
    assert user.create().raw_key is None
    assert user.passing(first.raw_key) == [True]
    assert user.wrong_books() == []
