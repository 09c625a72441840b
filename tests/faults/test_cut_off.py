"""Key management killed at each step: nothing half done is seen, and the books come right."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.domain.audit import CREATED, REVOKED
from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables import books
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
REQUESTS = {"get_item", "query", "update_item", "transact_write_items"}


ADA = Actor(type=JWT, id="ada", source_ip="203.0.113.7", request_id="request-1")


class KilledError(BaseException):
    """The end of a process: nothing catches it."""


class Mortal:
    """A client whose process ends at one of its requests, before or after the store has it."""

    def __init__(self, client: DynamoDBClient, *, at: int, after: bool) -> None:
        self._client = client
        self._left = at
        self._after = after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        return self._dying(found) if name in REQUESTS else found

    def _dying(self, found: Callable[..., Any]) -> Callable[..., Any]:
        def ask(**parameters: Any) -> Any:
            self._left -= 1
            if self._left == 0 and not self._after:
                raise KilledError
            answer = found(**parameters)
            if self._left == 0:
                raise KilledError
            return answer

        return ask


class World:
    """One owner with two keys, of which one is about to be changed."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client
        self.table = keys_table(client)
        self.owner = str(uuid4())
        self.now_ms = NOW_MS - 10
        self.keys = self._service(client)
        self.inventory = KeyInventory(client, table=self.table)
        self._decisions = KeyDecisions(Boto3Transport(client), table=self.table)
        self.kept, self.changed = (self._issue() for _ in range(2))
        self.id = self.changed.key.id

    def mortal(self, *, at: int, after: bool) -> ApiKeys:
        """The same service in a process that will be killed."""
        return self._service(Mortal(self.client, at=at, after=after))

    def _service(self, client: Any) -> ApiKeys:
        return key_service(
            client,
            table=self.table,
            now_ms=lambda: self.now_ms,
            default_rate_limit=10,
            keys_per_user=10,
        )

    def _issue(self) -> Any:
        self.now_ms += 5  # so that ids have an order
        return new_key(self.keys, self.owner)

    def admits(self) -> bool:
        key_hash = hash_of(self.changed.raw_key)
        decided = self._decisions.admit(key_hash, now_ms=NOW_MS, request=Request("read"))
        assert decided is not None
        return decided.admitted

    def listed(self) -> list[str]:
        page = self.keys.list(self.owner, limit=1, after=None, descending=True)
        return [key.id for key in page.items]

    def known(self) -> bool:
        try:
            self.keys.get(self.owner, self.id)
        except NotFound:
            return False
        return True

    def revoked_again(self) -> bool:
        try:
            self.keys.revoke(self.owner, self.id)
        except NotFound:
            return False
        return True

    def sweep(self) -> None:
        books.swept(self.client, self.table)

    def wrong_books(self) -> list[str]:
        return books.errors_in(books.contents(self.client, self.table))

    def told(self) -> list[tuple[str, str, str | None]]:
        """What was done to the changed key since it was made, who did it, and by which request."""
        log = AuditTrail(Boto3Transport(self.client), table=audit_of(self.table))
        assert log.verify(self.owner).first_broken_seq is None
        return [
            (entry["action"], entry["actor"]["type"], entry["request_id"])
            for entry in (one.document for one in log.entries(self.owner))
            if entry["target"]["id"] == self.id and entry["action"] != CREATED
        ]


@pytest.fixture
def world() -> Iterator[World]:
    with in_process_dynamodb() as client:
        yield World(client)


#: Record read, intent left, credential turned off, record read, chain's end read, books, record
#: read, mark taken off.
STEPS_OF_A_REVOCATION = 8
#: From here on, or once it is through, the key is refused.
COMMIT = 3

each_death = pytest.mark.parametrize(
    ("at", "after"), [(at, after) for at in range(1, STEPS_OF_A_REVOCATION + 1) for after in (0, 1)]
)


def killed(world: World, at: int, *, after: bool) -> bool:
    """Revoke in a process that is killed; whether the key is refused from then on."""
    with pytest.raises(KilledError):
        world.mortal(at=at, after=after).revoke(world.owner, world.id, actor=ADA)
    refused = at > COMMIT or (at == COMMIT and after)
    assert world.admits() is not refused
    return refused


@each_death
def test_the_sweep_finishes_a_revocation_that_was_killed_at_any_step(
    world: World, at: int, after: int
) -> None:
    refused = killed(world, at, after=bool(after))
    world.sweep()
    assert world.wrong_books() == []
    revoked = [stored.key.id for stored in world.inventory.keys_of(world.owner, revoked=True)]
    assert sorted(revoked) == sorted([world.kept.key.id, world.id])
    assert world.known() is not refused
    assert world.told() == ([(REVOKED, "user", "request-1")] if refused else [])


@each_death
def test_no_reader_sees_a_key_half_revoked(world: World, at: int, after: int) -> None:
    """The first reader finishes the revocation that was cut off."""
    refused = killed(world, at, after=bool(after))
    found = {stored.key.id: stored for stored in world.inventory.keys_of(world.owner)}
    assert (world.id in found) is not refused
    assert world.listed() == ([world.kept.key.id] if refused else [world.id])
    assert world.known() is not refused
    world.sweep()  # the mark, if it was killed just before it was to go
    assert world.wrong_books() == []
    assert world.told() == ([(REVOKED, "user", "request-1")] if refused else [])


@each_death
def test_a_revocation_that_was_cut_off_can_be_repeated(world: World, at: int, after: int) -> None:
    refused = killed(world, at, after=bool(after))
    assert world.revoked_again() is not refused, "a second revocation of one key"
    assert not world.admits()
    world.sweep()
    assert world.wrong_books() == []
    (gone,) = (
        s for s in world.inventory.keys_of(world.owner, revoked=True) if s.key.id == world.id
    )
    assert gone.revoked_at_ms == NOW_MS
    by_whom = ("user", "request-1") if refused else ("operator", None)
    assert world.told() == [(REVOKED, *by_whom)]
