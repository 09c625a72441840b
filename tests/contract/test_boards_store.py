"""Boards in DynamoDB, the same in memory (for unit tests), in moto and in ministack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import EndpointConnectionError

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_boards.store import Board, BoardStore
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.memory.boards_table import MemoryTransport
from tests.support.tables.stores import dynamodb, keys_table, moto_client

NOW_MS = 1_800_000_000_000


@pytest.fixture(params=["memory", "moto", "ministack"])
def store(request: pytest.FixtureRequest) -> Iterator[BoardStore]:
    if request.param == "memory":
        yield BoardStore(MemoryTransport(), table="boards")
    elif request.param == "moto":
        with moto_client() as client:
            yield BoardStore(Boto3Transport(client), table=keys_table(client))
    else:
        ministack: Ministack = request.getfixturevalue("ministack")
        client = dynamodb(ministack.endpoint)
        yield BoardStore(Boto3Transport(client), table=keys_table(client))


def board(owner: str = "ada", *, now_ms: int = NOW_MS, **facts: Any) -> Board:
    made = Board(
        id=uuid7(now_ms=now_ms, entropy=os.urandom),
        owner=owner,
        name="Plan",
        created_at_ms=now_ms,
        updated_at_ms=now_ms,
    )
    return replace(made, **facts)


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"name": "naïve \N{ROCKET}" * 20, "view_mode": "docs"},
        {"is_public": True, "public_access_level": "edit"},
        {"viewport_x": -12.25, "viewport_y": 1e9, "viewport_zoom": 0.1},
        {"viewport_x": 1e-99, "viewport_y": 123_456_789.123_456_78},
        {"viewport_x": 2**53 - 1.0, "viewport_y": -1e-7},
    ],
)
def test_a_board_reads_back_as_it_was_kept(store: BoardStore, facts: dict[str, Any]) -> None:
    kept = board(**facts)
    store.create(kept)
    assert store.get("ada", kept.id) == kept
    assert store.page("ada", limit=1, after=None, descending=True).items == [kept]


def test_a_board_is_never_kept_over_another(store: BoardStore) -> None:
    kept = board()
    store.create(kept)
    with pytest.raises(ConditionFailed):
        store.create(replace(kept, name="Other"))
    assert store.get("ada", kept.id) == kept


def test_a_board_sent_again_is_kept_once(
    store: BoardStore,
) -> None:
    """It is sent again because an answer was lost."""
    kept = board()
    store.create(kept)
    store.create(kept)
    assert store.page("ada", limit=2, after=None, descending=True).items == [kept]


def test_a_change_touches_what_it_names(store: BoardStore) -> None:
    kept = board(is_public=True)
    store.create(kept)
    changes = {"name": "Other", "viewport_zoom": 2.5, "public_access_level": None}
    changed = store.update("ada", kept.id, changes, now_ms=NOW_MS + 5)
    assert changed == replace(kept, name="Other", viewport_zoom=2.5, updated_at_ms=NOW_MS + 5)
    assert store.get("ada", kept.id) == changed


def test_a_change_does_not_bring_a_deleted_board_back(store: BoardStore) -> None:
    kept = board()
    store.create(kept)
    store.delete("ada", kept.id)
    with pytest.raises(NotFound):
        store.update("ada", kept.id, {"name": "Other"}, now_ms=NOW_MS)
    with pytest.raises(NotFound):
        store.get("ada", kept.id)
    with pytest.raises(NotFound):
        store.delete("ada", kept.id)


def test_anothers_board_does_not_exist(store: BoardStore) -> None:
    theirs = board("grace")
    store.create(theirs)
    for act in (
        lambda: store.get("ada", theirs.id),
        lambda: store.update("ada", theirs.id, {"name": "stolen"}, now_ms=NOW_MS),
        lambda: store.delete("ada", theirs.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert store.page("ada", limit=5, after=None, descending=True).items == []
    assert store.get("grace", theirs.id) == theirs


@pytest.mark.parametrize("descending", [False, True])
def test_pages_follow_each_other_whatever_happens_to_where_one_ended(
    store: BoardStore, descending: bool
) -> None:
    kept = [board(now_ms=NOW_MS + number) for number in range(7)]
    for each in kept:
        store.create(each)
    store.create(board("grace"))
    expected = [each.id for each in (reversed(kept) if descending else kept)]
    first = store.page("ada", limit=3, after=None, descending=descending)
    assert ([each.id for each in first.items], first.has_more) == (expected[:3], True)
    store.delete("ada", expected[2])
    second = store.page("ada", limit=3, after=expected[2], descending=descending)
    assert ([each.id for each in second.items], second.has_more) == (expected[3:6], True)
    third = store.page("ada", limit=3, after=expected[5], descending=descending)
    assert ([each.id for each in third.items], third.has_more) == (expected[6:], False)
    last = store.page("ada", limit=3, after=expected[6], descending=descending)
    assert (last.items, last.has_more) == ([], False)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("edge", [0, 2**128 - 1])
def test_the_ends_of_the_order_are_places_too(
    store: BoardStore, descending: bool, edge: int
) -> None:
    kept = board()
    store.create(kept)
    page = store.page("ada", limit=3, after=str(UUID(int=edge)), descending=descending)
    reachable = descending is (edge > 0)
    assert page.items == ([kept] if reachable else [])


class Unreachable:
    """A transport whose DynamoDB cannot be reached."""

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        raise StoreUnavailable(operation, EndpointConnectionError.__name__)


def test_a_fault_is_never_taken_for_a_missing_board() -> None:
    store = BoardStore(Unreachable(), table="boards")
    for act in (
        lambda: store.get("ada", board().id),
        lambda: store.delete("ada", board().id),
        lambda: store.update("ada", board().id, {"name": "x"}, now_ms=NOW_MS),
        lambda: store.page("ada", limit=1, after=None, descending=True),
    ):
        with pytest.raises(StoreUnavailable):
            act()
