"""The limit holds in true time over two containers of which one has a wrong clock."""

from __future__ import annotations

import json
import os
import random
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.http_response import Response
from chatgrid_auth.adapters.keys_table.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.keys_table.user_windows import UserWindows
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from tests.support.tables.stores import keys_table, moto_client, rate_limits_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from types_boto3_dynamodb import DynamoDBClient

START = 1_800_000_000.0
LIMIT = 5
OPERATIONS = {
    b"DynamoDB_20120810.UpdateItem": "UpdateItem",
    b"DynamoDB_20120810.PutItem": "PutItem",
}
REFUSED = "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException"


class Wire:
    """Takes the lean client's requests to a store, at the true time that its dates tell."""

    def __init__(self, client: DynamoDBClient, true: Callable[[], float]) -> None:
        self._store = Boto3Transport(client)
        self._true = true

    def exchange(self, request: bytes, deadline: float) -> Response:
        head, _, body = request.partition(b"\r\n\r\n")
        target = head.partition(b"X-Amz-Target: ")[2].partition(b"\r\n")[0]
        headers = {b"date": formatdate(int(self._true()), usegmt=True).lower().encode()}
        try:
            found: dict[str, Any] = self._store.call(OPERATIONS[target], json.loads(body))
            found.pop("ResponseMetadata", None)
            return Response(200, headers, json.dumps(found).encode())
        except ConditionFailed as refused:
            found = {"__type": REFUSED} | ({} if refused.item is None else {"Item": refused.item})
            return Response(400, headers, json.dumps(found).encode())


class World:
    """True time, a key and a user, and containers with clocks of their own."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.true = START
        self.client = client
        self.table, self.users_table = keys_table(client), rate_limits_table(client)
        keys = ApiKeys(
            DynamoKeyStore(client, table=self.table, pause=lambda _: None),
            now_ms=lambda: int(self.true * 1000),
            entropy=os.urandom,
            default_rate_limit=LIMIT,
            keys_per_user=10,
        )
        self.user = str(uuid4())
        issued = keys.issue(
            self.user,
            name="key",
            scopes=["read"],
            environment="live",
            rate_limit=None,
            expires_at_ms=None,
        )
        self.hash = hash_of(issued.raw_key)
        self.admitted: list[float] = []
        self.faults: list[str] = []

    def most_in_a_window(self) -> int:
        """The most that was admitted in any 60 seconds of true time."""
        return max(
            (sum(first <= one < first + 60 for one in self.admitted) for first in self.admitted),
            default=0,
        )


class Container:
    """A container of the authorizer, its clock off by some seconds."""

    def __init__(self, world: World, *, off: float = 0.0, users: bool = False) -> None:
        self.off = off
        self._world = world
        client = DynamoDB(
            region="eu-central-1",
            credentials=FixedCredentials(Credentials(access_key_id="A", secret_access_key="x")),
            errors=errors,
            clock=lambda: world.true + self.off,
            monotonic=lambda: world.true,
        )
        client._connection = Wire(world.client, lambda: world.true)  # type: ignore[assignment]
        self.clock = client.clock
        self._keys = KeyDecisions(client, table=world.table, clock=client.clock)
        self._users = UserWindows(
            client,
            table=world.users_table,
            limit=LIMIT,
            now_ms=client.clock.now_ms,
            clock=client.clock,
        )
        self._decide = self._of_the_user if users else self._of_the_key

    def ask(self, times: int = 1) -> None:
        """Requests at this moment; what is admitted is written down with the true time."""
        for _ in range(times):
            try:
                if self._decide():
                    self._world.admitted.append(self._world.true)
            except StoreUnavailable as fault:
                self._world.faults.append(fault.code)

    def _of_the_key(self) -> bool:
        now_ms = self.clock.now_ms()
        found = self._keys.admit(self._world.hash, now_ms=now_ms, scope="read")
        assert found is not None
        return found.admitted

    def _of_the_user(self) -> bool:
        return self._users.admit(self._world.user)[0]


@pytest.fixture
def world() -> Iterator[World]:
    with moto_client() as client:
        yield World(client)


wrong_clocks = pytest.mark.parametrize("off", [-66.0, 66.0, -600.0, 600.0, 3.0])
keys_and_users = pytest.mark.parametrize("users", [False, True], ids=["key", "user"])


@wrong_clocks
@keys_and_users
def test_a_container_that_begins_with_a_wrong_clock_lets_nobody_over_the_limit(
    world: World, off: float, *, users: bool
) -> None:
    right, wrong = Container(world, users=users), Container(world, off=off, users=users)
    for _ in range(4):
        right.ask(LIMIT)
        world.true += 0.3
        wrong.ask(LIMIT)
        right.ask(2)
        world.true += 4.3
    assert world.most_in_a_window() <= LIMIT
    assert world.faults == ["ClockWasWrong"], "it is right from its second request on"


@pytest.mark.parametrize("jump", [-66.0, 66.0])
@keys_and_users
def test_a_container_whose_clock_jumps_lets_nobody_over_the_limit(
    world: World, jump: float, *, users: bool
) -> None:
    right, wrong = Container(world, users=users), Container(world, users=users)
    wrong.ask()
    right.ask(LIMIT)
    world.true += 8.0
    wrong.off += jump
    for _ in range(3):
        wrong.ask(LIMIT)
        right.ask(LIMIT)
        world.true += 2.1
    assert world.most_in_a_window() <= LIMIT
    assert world.faults == ["ClockWasWrong"]


@pytest.mark.parametrize("seed", range(2))
def test_whatever_a_clock_does_the_limit_holds_in_true_time(world: World, seed: int) -> None:
    chance = random.Random(seed)
    right, wrong = Container(world), Container(world, off=chance.choice([-66.0, 66.0]))
    for _ in range(60):
        chance.choice([right, wrong]).ask(chance.randint(1, 3))
        world.true += chance.choice([0.05, 0.7, 3.1, 9.0])
        if chance.random() < 0.08:
            wrong.off = chance.choice([-400.0, -66.0, 0.0, 66.0, 400.0])
    assert world.most_in_a_window() == LIMIT
    assert world.admitted
    assert set(world.faults) == {"ClockWasWrong"}


def test_after_its_first_request_a_wrong_clock_costs_no_request_more(world: World) -> None:
    world.client.meta.events.register("before-send.dynamodb", lambda **_: sent.append(1))
    sent: list[int] = []
    wrong = Container(world, off=66.0)
    for number in range(1, 5):
        wrong.ask()
        assert len(sent) == number
        world.true += 1
    assert (len(world.admitted), len(world.faults)) == (3, 1)
