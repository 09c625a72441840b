"""Containers with clocks of their own over one store, which alone knows the true time."""

from __future__ import annotations

import json
import os
from email.utils import formatdate
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.http_response import Response
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import errors
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.decisions import on_the_wire
from tests.support.tables.stores import audit_of, keys_table, rate_limits_table

if TYPE_CHECKING:
    from collections.abc import Callable

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
            shown = {"Attributes": on_the_wire(found.get("Attributes", {}))}
            return Response(200, headers, json.dumps(shown).encode())
        except ConditionFailed as refused:
            found = {"__type": REFUSED} | (
                {} if refused.item is None else {"Item": on_the_wire(refused.item)}
            )
            return Response(400, headers, json.dumps(found).encode())


class World:
    """True time, a key and a user, and containers with clocks of their own."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.true = START
        self.client = client
        self.table, self.users_table = keys_table(client), rate_limits_table(client)
        keys = ApiKeys(
            DynamoKeyStore(
                Boto3Transport(client),
                table=self.table,
                audit_table=audit_of(self.table),
                pause=lambda _: None,
            ),
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
        self.raw_key = issued.raw_key
        self.hash = hash_of(self.raw_key)
        self.admitted: list[float] = []
        self.faults: list[str] = []

    def most_in_a_window(self) -> int:
        """The most that was admitted in any 60 seconds of true time."""
        return max(
            (sum(first <= one < first + 60 for one in self.admitted) for first in self.admitted),
            default=0,
        )


def clocked_client(world: World, off: Callable[[], float]) -> DynamoDB:
    """The lean client of a container whose clock is off by so many seconds."""
    client = DynamoDB(
        region="eu-central-1",
        credentials=FixedCredentials(Credentials(access_key_id="A", secret_access_key="x")),
        errors=errors,
        clock=lambda: world.true + off(),
        monotonic=lambda: world.true,
    )
    client._connection = Wire(world.client, lambda: world.true)  # type: ignore[assignment]
    return client


class Container:
    """A container of the authorizer, its clock off by some seconds."""

    def __init__(self, world: World, *, off: float = 0.0, users: bool = False) -> None:
        self.off = off
        self._world = world
        client = clocked_client(world, lambda: self.off)
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
        found = self._keys.admit(self._world.hash, now_ms=now_ms, request=Request("read"))
        assert found is not None
        return found.admitted

    def _of_the_user(self) -> bool:
        return self._users.admit(self._world.user)[0]
