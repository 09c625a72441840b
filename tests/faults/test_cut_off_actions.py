"""Every change of a key, cut off at every step in every way: whole or not at all, and told of once.

A key in its grace is changed by a process that is killed, or that loses a request or an answer.
What the gate says then is what it said before or what it says after the change, never another
thing; a reader finds the books in order; and whoever asks again gets what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.key_changes.changing import KeyChanges
from tests.support.tables import books
from tests.support.tables.cut_off import MOST, WAYS, CutOff, KilledError
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import new_key
from tests.support.tables.naming_client import Client
from tests.support.tables.secrets import home_of
from tests.support.tables.stores import audit_of

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Facts(NamedTuple):
    """How a key stands, by the gate and by the books."""

    judged: tuple[object, ...]
    shown: tuple[object, ...]
    told: int


class World:
    """One owner's key with a policy, its former secret in its grace."""

    def __init__(self, store: DynamoDBClient, action: Action) -> None:
        self.user = Client(store)
        self.action = action
        facts = {"metadata": {"stage": "one"}, "rate_limit": 10}
        first = new_key(self.user.keys, self.user.owner, **facts)
        self.id, self.first = first.key.id, first.raw_key
        if action.in_grace:
            self.user.rotations.rotate(self.user.owner, self.id)
        if action.from_disabled:
            changes_of(self.user).change(self.user.owner, self.id, {"enabled": False})

    def do(self, client: Any = None) -> None:
        """The action, by a process that has this client."""
        user = self.user
        other = user if client is None else Client(client, table=user.table, owner=user.owner)
        self.action.do(other, self.id)

    def judged(self) -> tuple[object, ...]:
        """What requests are judged by: whether and how far, how often, by how many secrets."""
        home = home_of(self.user.client, self.user.table, self.first)
        passing = [name for name in home if items.is_until(name)]
        whys = {name: home.get(name) for name in (items.LEVEL, items.OFF, items.LIMIT)}
        return (str(whys), items.VERSION in home, len(passing))

    def facts(self) -> Facts:
        """How it stands once a reader has come by."""
        shown: tuple[object, ...] = ()
        with suppress(NotFound):
            key = self.user.keys.get(self.user.owner, self.id)
            shown = (key.name, key.rate_limit, key.enabled, dict(key.metadata))
            shown += (key.previous_secret is not None,)
        books_of = books.swept(self.user.client, self.user.table)
        assert books.errors_in(books_of) == []
        log = AuditTrail(Boto3Transport(self.user.client), table=audit_of(self.user.table))
        assert log.verify(self.user.owner).first_broken_seq is None
        told = [entry.document["action"] for entry in log.entries(self.user.owner)]
        return Facts(self.judged(), shown, told.count(f"api_key.{self.action.told}"))


class Action(NamedTuple):
    """A change of a key.

    Attributes:
        do: makes it.
        told: its action in the audit log.
        repeats: how often it is told of at most when it was asked for twice.
    """

    do: Callable[[Client, str], object]
    told: str
    in_grace: bool = True
    from_disabled: bool = False
    repeats: int = 1


def changes_of(user: Client) -> KeyChanges:
    return KeyChanges(user.store.changes, now_ms=lambda: user.now_ms, default_rate_limit=120)


def patching(**said: Any) -> Callable[[Client, str], object]:
    return lambda user, key_id: changes_of(user).change(user.owner, key_id, said)


def rotating(**how: Any) -> Callable[[Client, str], object]:
    return lambda user, key_id: user.rotations.rotate(user.owner, key_id, **how)


ACTIONS = {
    "patch": Action(patching(name="other", rate_limit=3, metadata={"stage": "two"}), "updated"),
    "disable": Action(patching(enabled=False), "disabled"),
    "enable": Action(patching(enabled=True), "enabled", from_disabled=True),
    "end": Action(
        lambda user, key_id: user.rotations.end_previous(user.owner, key_id),
        "previous_secret_ended",
    ),
    "rotate at once": Action(rotating(grace_seconds=0), "rotated", in_grace=False, repeats=2),
    "force": Action(rotating(force=True), "rotated", repeats=3),
    "revoke": Action(lambda user, key_id: user.keys.revoke(user.owner, key_id), "revoked"),
}


@pytest.fixture(scope="module")
def store() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as client:
        yield client


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_change_cut_off_anywhere_is_whole_or_none_and_told_once(
    store: DynamoDBClient, action: Action, way: str
) -> None:
    whole = World(store, action)
    before = whole.facts()
    whole.do()
    after = whole.facts()
    assert before != after
    for at in range(1, MOST):
        world = World(store, action)
        client: Any = CutOff(store, at=at, way=way)
        answered = False
        with suppress(KilledError, StoreUnavailable):
            world.do(client)
            answered = True
        judged = world.judged()
        assert judged in {before.judged, after.judged}, "half a change holds"
        found = world.facts()
        assert found in (before, after)
        assert found == after or not answered, "answered, and not done"
        with suppress(NotFound):  # done already, and it can be done once
            world.do()
        again = world.facts()
        assert again[:2] == after[:2]
        assert after.told <= again.told <= max(after.told, action.repeats)
        if not client.happened:
            assert at > 6
            return
    raise AssertionError(f"it took {MOST} requests")
