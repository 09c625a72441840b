"""Changes of a key's secrets, cut off or crossed by another at every step, as they are shipped.

One manager runs up to each of its writes. It dies when the store has the write, and another manager
comes; or the other runs before it, and the first goes on. What must hold is
looked at after each write on a home.

Each step is crossed by every other change; what comes after a death is one of them in turn, and
every one with `make search`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import ChatGridError
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.rotation import Rotations
from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.key_service import new_key
from tests.support.tables.secrets import home_of
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000
WRITES = {"put_item", "update_item", "transact_write_items"}
#: What another manager does; a key that was switched off is no way back for a secret either.
OTHERS = ("rotate", "force at once", "end", "revoke", "disable")
#: To die before a write is to die after the one before it.
MODES = ("dies after", "is crossed")
WHOLE = bool(os.environ.get("CHATGRID_WHOLE_SEARCH"))


class DeadError(BaseException):
    """The end of a process: nothing catches it."""


class World:
    """One key, every secret that was ever drawn for it, and what holds of them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self.client, self.table, self.owner = client, table, str(uuid4())
        self.key_id = ""
        self.drawn: list[str] = []
        self.answered: list[str] = []
        self.ever: set[str] = set()
        self.over: set[str] = set()
        manager = Manager(self)
        issued = new_key(manager.keys, self.owner)
        self.key_id, self.first = issued.key.id, issued.raw_key
        self.drawn = [self.first]
        self.look()

    def home(self) -> dict[str, Any]:
        return home_of(self.client, self.table, self.first)

    def passing(self) -> set[str]:
        """The secrets that would pass if the key is enabled."""
        home = self.home()
        if items.is_revoked(home):
            return set()
        return {raw for raw in self.drawn if items.until(keys.tag_of(keys.hash_of(raw))) in home}

    def look(self) -> set[str]:
        """What must hold at any moment."""
        now = self.passing()
        assert len(now) <= 2, "three secrets"
        assert not now & self.over, "an ended secret passes again"
        self.ever |= now
        self.over |= self.ever - now
        return now

    def switch(self, *, on: bool) -> None:
        """Disable or enable, by the one write that does it."""
        set_off = f"SET #off = :manual REMOVE {items.LEVEL}"
        self.client.update_item(
            TableName=self.table,
            Key={"pk": self.home()["pk"], "sk": {"S": items.CREDENTIAL}},
            UpdateExpression=f"SET {items.LEVEL} = :two REMOVE #off" if on else set_off,
            ConditionExpression="#off = :manual" if on else f"attribute_exists({items.LEVEL})",
            ExpressionAttributeNames={"#off": items.OFF},
            ExpressionAttributeValues={":manual": {"S": items.MANUAL}}
            | ({":two": {"N": "2"}} if on else {}),
        )

    def told(self) -> list[str]:
        trail = AuditTrail(Boto3Transport(self.client), table=audit_of(self.table))
        page = trail.page(self.owner, limit=100, after=None, descending=False)
        return [one["action"].removeprefix("api_key.") for one in page.items]


class Manager:
    """A process that changes the key; at its write of that number something happens."""

    def __init__(
        self, world: World, *, at: int = 0, mode: str = "", other: Callable[[], object] = bool
    ) -> None:
        self.world, self.at, self.mode, self.other = world, at, mode, other
        self.steps = count(1)
        self.seen: set[str] = set()
        self.reached = False
        store = DynamoKeyStore(
            Boto3Transport(self),  # type: ignore[arg-type]  # as much of a client as is asked for
            table=world.table,
            audit_table=audit_of(world.table),
            pause=lambda _: None,
        )
        clock: dict[str, Any] = {"now_ms": lambda: NOW_MS, "entropy": os.urandom}
        self.keys = ApiKeys(store, default_rate_limit=120, keys_per_user=100, **clock)
        self.rotations = Rotations(store.rotations, **clock)

    def rotate(self, **how: Any) -> None:
        issued = self.rotations.rotate(self.world.owner, self.world.key_id, **how)
        self.world.answered.append(issued.raw_key)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.world.client, name)
        return self.step(name, found) if name in WRITES | {"get_item"} else found

    def step(self, name: str, ask: Callable[..., Any]) -> Callable[..., Any]:
        def stepping(**asked: Any) -> Any:
            on_home = str(asked.get("Key", {}).get("pk", {}).get("S", "")).startswith("KEY#")
            if name == "get_item":
                response = ask(**asked)
                if on_home:
                    self.seen = self.world.passing()
                return response
            due = bool(self.at) and next(self.steps) == self.at
            self.reached |= due
            if due and self.mode == "is crossed":
                self.other()
            before = self.world.passing() if on_home else set()
            response = ask(**asked)
            if on_home:
                ended = before - self.world.look()
                # Revoking ends them all, whichever they are.
                all_meant = items.is_revoked(self.world.home())
                assert all_meant or ended <= self.seen, "ends what it did not see"
            if due and self.mode == "dies after":
                raise DeadError
            return response

        return stepping


Change = Callable[[Manager], object]

CHANGES: dict[str, Change] = {
    "rotate": lambda m: m.rotate(),
    "rotate at once": lambda m: m.rotate(grace_seconds=0),
    "force": lambda m: m.rotate(force=True),
    "force at once": lambda m: m.rotate(force=True, grace_seconds=0),
    "end": lambda m: m.rotations.end_previous(m.world.owner, m.world.key_id),
    "revoke": lambda m: m.keys.revoke(m.world.owner, m.world.key_id),
    "disable": lambda m: m.world.switch(on=False),
}


@pytest.fixture(scope="module")
def client() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as running:
        yield running


def scenario(world: World, first: str, second: str, *, at: int, mode: str, in_grace: bool) -> bool:
    """One history, and what must hold at its end; whether the first came as far as that write."""
    if in_grace:
        Manager(world).rotate()

    def other() -> None:
        with suppress(ChatGridError, world.client.exceptions.ConditionalCheckFailedException):
            CHANGES[second](Manager(world))

    one = Manager(world, at=at, mode=mode, other=other)
    with suppress(
        ChatGridError, DeadError, world.client.exceptions.ConditionalCheckFailedException
    ):
        CHANGES[first](one)
    if not one.reached:
        return False
    given = len(world.answered)
    if mode != "is crossed":
        other()
    at_end(world)
    # What nobody ended passes. Who was crossed may be given what the other has ended already.
    fresh = world.answered[in_grace:] if mode == "is crossed" else world.answered[given:]
    if fresh and not items.is_revoked(world.home()):
        assert world.passing() & set(fresh), "a secret that was given out and not ended is refused"
    return True


def at_end(world: World) -> None:
    """The books say what the home says, and each change is told of once."""
    reader = Manager(world)
    now = world.look()
    with suppress(ChatGridError):
        key = reader.keys.get(world.owner, world.key_id)
        (current,) = {raw for raw in now if keys.prefix_of(raw) == key.prefix}
        previous = {key.previous_secret.prefix} if key.previous_secret else set[str]()
        assert previous == {keys.prefix_of(raw) for raw in now - {current}}
    told = world.told()
    assert told.count("rotated") == len(world.ever) - 1
    revoked = items.is_revoked(world.home())
    assert told.count("revoked") == revoked
    assert bool(now) is not revoked
    assert items.MARKS not in world.home()


@pytest.mark.parametrize(
    ("first", "in_grace"),
    [
        ("rotate", False),
        ("rotate at once", False),
        ("force", True),
        ("force at once", True),
        ("end", True),
    ],
)
def test_no_crash_and_no_crossing_breaks_what_holds_of_a_keys_secrets(
    client: DynamoDBClient,
    monkeypatch: pytest.MonkeyPatch,
    first: str,
    *,
    in_grace: bool,
) -> None:
    world: World | None = None
    generate = keys.generate

    def noted(environment: str, **how: Any) -> str:
        raw_key = generate(environment, **how)
        if world is not None:
            world.drawn.append(raw_key)
        return raw_key

    monkeypatch.setattr(keys, "generate", noted)
    turn = count(list(CHANGES).index(first))
    for mode in MODES:
        for at in count(1):
            every = WHOLE or mode == "is crossed"
            seconds = OTHERS if every else [OTHERS[next(turn) % len(OTHERS)]]
            table = keys_table(client)
            reached = []
            for second in seconds:
                world = None
                world = World(client, table)
                reached.append(scenario(world, first, second, at=at, mode=mode, in_grace=in_grace))
            assert len(set(reached)) == 1
            if not reached[0]:
                assert at > 3
                break
