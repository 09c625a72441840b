"""Named requests killed at each step: the same request again makes good what was lost, once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.services.idempotency import Answered
from chatgrid_auth.services.repeatable import RUNS_MS
from tests.support.tables import books
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.naming_client import Client
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

REQUESTS = {
    "get_item",
    "put_item",
    "delete_item",
    "query",
    "update_item",
    "transact_write_items",
}
#: More requests than any of these takes.
MOST = 40


class KilledError(BaseException):
    """The end of a process: nothing catches it, and nothing of the process runs after it."""


class Mortal:
    """A client whose process ends at one of its requests, before or after the store has it."""

    def __init__(self, client: DynamoDBClient, *, at: int, after: bool) -> None:
        self._client = client
        self._left = at
        self._after = after

    @property
    def died(self) -> bool:
        return self._left <= 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._dying(found) if name in REQUESTS else found

    def _dying(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def ask(**parameters: Any) -> Any:
            self._left -= 1
            if self._left < 0 or (self._left == 0 and not self._after):
                raise KilledError
            answer = found(**parameters)
            if self._left == 0:
                raise KilledError
            return answer

        return ask


@pytest.fixture
def store() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as client:
        yield client


def killed(user: Client, action: Callable[[Client], Answered], *, at: int, after: bool) -> bool:
    """Do it in a process that is killed at one of its requests; whether it came to that."""
    mortal = Mortal(user.client, at=at, after=after)
    client: Any = mortal
    other = Client(client, table=user.table, owner=user.owner)
    other.now_ms = user.now_ms
    with contextlib.suppress(KilledError):
        action(other)
    user.now_ms += RUNS_MS + 1
    return mortal.died


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


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_request_killed_at_any_step_is_made_good_by_its_repeat(
    store: DynamoDBClient, story: Story, *, after: bool
) -> None:
    """One key, one change, one secret of it that passes, which is the one that was answered."""
    for at in range(1, MOST):
        user = Client(store)
        earlier = story.before(user)
        action = partial(_ask, story, earlier)
        died = killed(user, action, at=at, after=after)
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
        if not died:
            assert at > story.steps
            return
    raise AssertionError(f"it took {MOST} requests")
