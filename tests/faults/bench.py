"""The management function and the keys that it gave out, with its store behind a proxy."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, cast
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table.trail import AuditTrail
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import Credential, KeyDecisions
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_auth.services.gate.requests import Request
from chatgrid_management import wiring
from tests.support.http_api import Context, Reply, allowed, jwt_caller, proxy_event
from tests.support.memory.usage import MemoryUsage
from tests.support.servers.proxy import FaultProxy, clear
from tests.support.tables import books
from tests.support.tables.stores import audit_of, keys_table
from tests.support.tokens import Secrets

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.adapters.dynamodb.transport import Transport

#: Longest that an answer may take with the patience of the tests, on a machine that is busy.
IN_TIME_SECONDS = 10.0
#: An alarm that goes off in a finaliser is dropped there, with a warning, and goes off once more.
alarms_may_be_dropped = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)


@dataclass(frozen=True)
class Given:
    """A key as a client was given it."""

    id: str
    raw_key: str = field(repr=False)


class Bench:
    """One user's view of the management function.

    Args:
        store: the store without the proxy.
        functions_store: as the function reaches it.
    """

    def __init__(
        self, proxy: FaultProxy, *, store: DynamoDBClient, functions_store: Transport
    ) -> None:
        self.proxy = proxy
        self.store = store
        self.table = keys_table(store)
        self.caller = jwt_caller()
        settings = wiring.Settings(
            keys_table=self.table,
            audit_table=audit_of(self.table),
            usage_table="none",
            rate_limit_default=120,
            rate_limit_ceiling=5_000,
            keys_per_user=1_000,
            own_gateway_keys=True,
            key_creations_per_hour=0,
            revoked_retention_days=400,
            allowed_origin="*",
            telemetry=Telemetry(service=f"faults-{uuid4()}", namespace="Test", level="CRITICAL"),
        )
        kept = DynamoKeyStore(
            functions_store,
            table=self.table,
            audit_table=audit_of(self.table),
            pause=lambda _: None,
        )
        self._handler = wiring.compose(
            settings,
            store=kept,
            audit_log=lambda: AuditTrail(functions_store, table=audit_of(self.table)),
            usage=MemoryUsage,
            token_secret=Secrets(),
        )
        self._decisions = KeyDecisions(Boto3Transport(store), table=self.table)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.plan = clear

    def ask(self, method: str, resource: str, **request: Any) -> Reply:
        """Call the function; every error comes in the envelope, and in time."""
        event = proxy_event(method, resource, authorizer=allowed(self.caller), **request)
        began = time.monotonic()
        answer = self._handler(event, cast("Any", Context()))
        assert time.monotonic() - began < IN_TIME_SECONDS
        many = {name: values[0] for name, values in answer["multiValueHeaders"].items()}
        headers = {name.lower(): value for name, value in {**answer["headers"], **many}.items()}
        reply = Reply(answer["statusCode"], headers, answer["body"])
        if reply.status >= 400:
            status, code, _ = reply.problem()
            assert (status, code) != (503, "service_unavailable") or headers["retry-after"]
        return reply

    def create(self) -> Reply:
        """Ask for a key."""
        return self.ask("POST", "/me/api-keys", body=json.dumps({"name": "key"}))

    def revoke(self, key_id: str) -> Reply:
        """Ask to revoke a key."""
        return self.ask("DELETE", "/me/api-keys/{id}", id=key_id)

    def get(self, key_id: str) -> Reply:
        """Ask for one key."""
        return self.ask("GET", "/me/api-keys/{id}", id=key_id)

    def listed(self) -> Reply:
        """Ask for the keys."""
        return self.ask("GET", "/me/api-keys", query={"limit": ["100"]})

    def given(self, reply: Reply) -> Given:
        """The key in an answer."""
        assert reply.status == 201, reply.text
        return Given(reply.data["id"], reply.data["raw_key"])

    def use(self, raw_key: str) -> Credential | None:
        """What the store says about a key, past the proxy."""
        now_ms = time.time_ns() // 1_000_000
        return self._decisions.admit(hash_of(raw_key), now_ms=now_ms, request=Request("read"))

    def assert_books(self, *, good: list[Given], revoked: list[Given], maybe: int = 0) -> None:
        """Every good key exists and works, every revoked one does neither, and all adds up.

        Args:
            maybe: how many more keys there may be, whose raw form nobody was given.
        """
        self.proxy.plan = clear
        ids = [key["id"] for key in self.listed().data]
        assert books.errors_in(books.swept(self.store, self.table)) == []
        assert len(set(ids)) == len(ids)
        for key in good:
            assert key.id in ids
            used = self.use(key.raw_key)
            assert used is not None
            assert used.admitted
        for key in revoked:
            assert key.id not in ids
            used = self.use(key.raw_key)
            assert used is not None
            assert not used.admitted
        assert len(set(ids) - {key.id for key in good}) <= maybe
