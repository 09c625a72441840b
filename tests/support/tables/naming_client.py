"""One user who names what it asks for, over a store of their own."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_auth.services.idempotency import Answered, Idempotency
from chatgrid_auth.services.repeatable import Repeatable
from chatgrid_auth.services.rotation import Rotations
from tests.support.tables import books
from tests.support.tables.key_service import new_key
from tests.support.tables.secrets import passes
from tests.support.tables.stores import audit_of, keys_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_800_000_000_000


class Client:
    """One user who names what it asks for."""

    def __init__(self, client: DynamoDBClient, *, table: str = "", owner: str = "") -> None:
        self.client = client
        self.table = table or keys_table(client)
        self.owner = owner or str(uuid4())
        self.now_ms = NOW_MS
        self.actor = Actor(type=JWT, id=self.owner)
        self.store = DynamoKeyStore(
            Boto3Transport(client),
            table=self.table,
            audit_table=audit_of(self.table),
            pause=time.sleep,
        )
        clock: Any = {"now_ms": lambda: self.now_ms, "entropy": os.urandom}
        self.keys = ApiKeys(self.store, default_rate_limit=120, keys_per_user=100, **clock)
        self.rotations = Rotations(self.store.rotations, **clock)
        self.idempotency = Idempotency(self.store.notes, self.store.rotations, **clock)

    def create(self, name: str = "a", body: str = "b") -> Answered:
        named = Repeatable(owner=self.owner, route="POST /me/api-keys", name=name, body=body)
        return self.idempotency.once(
            named,
            lambda claim: new_key(self.keys, self.owner, actor=self.actor, claim=claim),
            actor=self.actor,
        )

    def rotate(self, key_id: str, name: str = "r") -> Answered:
        named = Repeatable(owner=self.owner, route=f"POST {key_id}", name=name, body="b")
        return self.idempotency.once(
            named,
            lambda claim: self.rotations.rotate(self.owner, key_id, actor=self.actor, claim=claim),
            actor=self.actor,
        )

    def passing(self, *raw_keys: str | None) -> list[bool]:
        return [
            raw_key is not None and passes(self.client, self.table, raw_key, now_ms=self.now_ms)
            for raw_key in raw_keys
        ]

    def wrong_books(self) -> list[str]:
        return books.errors_in(books.contents(self.client, self.table))
