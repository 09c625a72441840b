"""Named requests killed at each step: the same request again makes good what was lost, once."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.services.idempotency import Answered
from chatgrid_auth.services.repeatable import RUNS_MS
from tests.support.tables import books
from tests.support.tables.naming_client import Client
from tests.support.tables.stores import audit_of, moto_client

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
    with moto_client() as client:
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


def assert_right(user: Client) -> None:
    assert books.errors_in(books.swept(user.client, user.table)) == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_creation_killed_at_any_step_is_one_key_after_its_repeat(
    store: DynamoDBClient, after: bool
) -> None:
    for at in range(1, MOST):
        user = Client(store)
        died = killed(user, Client.create, at=at, after=after)
        answered = user.create()
        assert answered.raw_key is not None
        assert user.passing(answered.raw_key) == [True]
        listed = user.keys.list(user.owner, limit=10, after=None, descending=False).items
        assert [key.id for key in listed] == [answered.key.id]
        assert actions_told(user).count("api_key.created") == 1
        assert_right(user)
        if not died:
            assert at > 4
            return
    raise AssertionError(f"it took {MOST} requests")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_replacement_killed_at_any_step_leaves_one_secret_that_was_given(
    store: DynamoDBClient, after: bool
) -> None:
    for at in range(1, MOST):
        user = Client(store)
        first = user.create()
        died = killed(user, Client.create, at=at, after=after)
        again = user.create()
        assert (again.key.id, again.replayed) == (first.key.id, True)
        assert user.passing(first.raw_key, again.raw_key) == [False, True]
        assert_right(user)
        told = actions_told(user)
        assert told.count("api_key.created") == 1
        assert 1 <= told.count("api_key.secret_reissued") <= 2
        if not died:
            assert at > 6
            return
    raise AssertionError(f"it took {MOST} requests")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_rotation_killed_at_any_step_is_one_rotation_after_its_repeat(
    store: DynamoDBClient, after: bool
) -> None:
    for at in range(1, MOST):
        user = Client(store)
        first = user.create()
        died = killed(user, lambda one: one.rotate(first.key.id), at=at, after=after)  # noqa: B023
        rotated = user.rotate(first.key.id)
        # The former passes for its grace, the new one is the one that was answered.
        assert user.passing(first.raw_key, rotated.raw_key) == [True, True]
        assert_right(user)
        assert actions_told(user).count("api_key.rotated") == 1
        if not died:
            assert at > 6
            return
    raise AssertionError(f"it took {MOST} requests")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_repeated_rotation_killed_at_any_step_keeps_the_former_secret(
    store: DynamoDBClient, after: bool
) -> None:
    for at in range(1, MOST):
        user = Client(store)
        first = user.create()
        lost = user.rotate(first.key.id)
        died = killed(user, lambda one: one.rotate(first.key.id), at=at, after=after)  # noqa: B023
        again = user.rotate(first.key.id)
        assert user.passing(first.raw_key, lost.raw_key, again.raw_key) == [True, False, True]
        assert_right(user)
        assert actions_told(user).count("api_key.rotated") == 1
        if not died:
            assert at > 6
            return
    raise AssertionError(f"it took {MOST} requests")
