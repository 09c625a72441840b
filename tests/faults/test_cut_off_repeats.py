"""Named requests cut off at each step: the same request again makes good what was lost, once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.services.idempotency import Answered
from chatgrid_auth.services.repeatable import RUNS_MS
from tests.support.tables import books
from tests.support.tables.cut_off import MOST, WAYS, CutOff, KilledError
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.naming_client import Client
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture
def store() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as client:
        yield client


def cut_off(user: Client, action: Callable[[Client], Answered], *, at: int, way: str) -> bool:
    """Do it in a process that is cut off at one of its requests; whether it came to that."""
    client: Any = CutOff(user.client, at=at, way=way)
    other = Client(client, table=user.table, owner=user.owner)
    other.now_ms = user.now_ms
    with contextlib.suppress(KilledError, StoreUnavailable):
        action(other)
    user.now_ms += RUNS_MS + 1
    happened: bool = client.happened
    return happened


def actions_told(user: Client) -> list[str]:
    log = AuditTrail(Boto3Transport(user.client), table=audit_of(user.table))
    assert log.verify(user.owner).first_broken_seq is None
    return [one.document["action"] for one in log.entries(user.owner)]


class Story(NamedTuple):
    """A named request after what came before it, and what holds once it was made good.

    Attributes:
        before: makes what the request finds; what it answers is the keys' story until then.
        ask: the request.
        steps: fewer than it takes.
        passing: which of the secrets pass in the end, in the order in which they were given.
        told: how often the audit log tells of an action: at least, and at most.
        replays: whether the same request was answered before.
    """

    before: Callable[[Client], list[Answered]]
    ask: Callable[[Client, list[Answered]], Answered]
    steps: int
    passing: list[bool]
    told: dict[str, tuple[int, int]]
    replays: bool


def rotated(user: Client, earlier: list[Answered]) -> Answered:
    return user.rotate(earlier[0].key.id)


def created(user: Client, _: list[Answered]) -> Answered:
    return user.create()


def after_a_creation(user: Client) -> list[Answered]:
    return [user.create()]


def after_a_rotation(user: Client) -> list[Answered]:
    first = user.create()
    return [first, user.rotate(first.key.id)]


def _ask(story: Story, earlier: list[Answered], user: Client) -> Answered:
    return story.ask(user, earlier)


STORIES = {
    "creation": Story(lambda _: [], created, 4, [True], {"created": (1, 1)}, replays=False),
    "replacement": Story(
        after_a_creation,
        created,
        6,
        [False, True],
        {"created": (1, 1), "secret_reissued": (1, 2)},
        replays=True,
    ),
    # The former passes for its grace, the new one is the one that was answered.
    "rotation": Story(
        after_a_creation, rotated, 6, [True, True], {"rotated": (1, 1)}, replays=False
    ),
    "repeated rotation": Story(
        after_a_rotation, rotated, 6, [True, False, True], {"rotated": (1, 1)}, replays=True
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_request_cut_off_anywhere_is_made_good_by_its_repeat(
    store: DynamoDBClient, story: Story, way: str
) -> None:
    """One key, one change, one secret of it that passes, which is the one that was answered."""
    for at in range(1, MOST):
        user = Client(store)
        earlier = story.before(user)
        action = partial(_ask, story, earlier)
        happened = cut_off(user, action, at=at, way=way)
        given = [*earlier, story.ask(user, earlier)]
        assert user.passing(*(one.raw_key for one in given)) == story.passing
        listed = user.keys.list(user.owner, limit=10, after=None, descending=False).items
        assert [key.id for key in listed] == [given[-1].key.id]
        assert given[0].key.id == given[-1].key.id
        assert given[-1].replayed >= story.replays
        assert books.errors_in(books.swept(user.client, user.table)) == []
        told = actions_told(user)
        for deed, (least, most) in story.told.items():
            assert least <= told.count(f"api_key.{deed}") <= most
        if not happened:
            assert at > story.steps
            return
    raise AssertionError(f"it took {MOST} requests")
