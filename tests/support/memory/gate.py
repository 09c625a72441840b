"""The authorizer's real gate over a store in memory: all of its code, and no socket."""

from __future__ import annotations

import json
import os
from typing import Any

from chatgrid_auth.adapters.keys_table import key_items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.rate_limits_table.user_windows import UserWindows
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.limits import window
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.derived_tokens import DerivedTokens
from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer.response import Gate
from tests.support.jwt_material import NOW_MS, Provider, verifier_for
from tests.support.tables.decisions import on_the_wire
from tests.support.tokens import Secrets

OWNER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
KEY_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class MemoryStore:
    """Answers the authorizer's one request from a dictionary.

    It admits whatever exists, has not expired, has the scope and no used up window; it counts
    nothing: the window's arithmetic is tested elsewhere.

    Attributes:
        requests: how many were sent.
        out: whether every request fails.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.out = False
        self._items: dict[str, dict[str, Any]] = {}

    def put(
        self, raw_key: str, *, scopes: list[str], expires_at_ms: int | None = None, **facts: Any
    ) -> None:
        """Keep a key's credential; of the facts about it, those that are ``None`` are left out."""
        key_hash = keys.hash_of(raw_key)
        made = ApiKey(
            id=KEY_ID,
            owner=OWNER,
            name="key",
            prefix=keys.prefix_of(raw_key),
            scopes=tuple(scopes),
            environment="live",
            rate_limit=120,
            created_at_ms=0,
            expires_at_ms=expires_at_ms,
        )
        credential = key_items.credential(made, key_hash, imported=False)
        for name, value in facts.items():
            credential[name] = value
            if value is None:
                del credential[name]
        self._items[credential["pk"]["S"]] = on_the_wire(credential)

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        """One conditional update."""
        self.requests += 1
        if self.out:
            raise StoreUnavailable(operation, "Timeout")
        request = json.loads(body)
        partition = request["Key"]["pk"]["S"]
        if partition.startswith("USER#"):
            return {"Attributes": {"pk": s(partition), **window.fresh(200)}}
        item = self._items.get(partition)
        values = request["ExpressionAttributeValues"]
        until = request["ExpressionAttributeNames"]["#x"]

        def number(name: str) -> int:
            return 0 if item is None else int(item.get(name, n(0))["N"])

        if number("lvl") < int(values[":lvl"]["N"]) or number(until) <= int(values[":now"]["N"]):
            raise ConditionFailed(item)
        if item is not None and window.blocked(item, now_ms=int(values[":now"]["N"])):
            raise ConditionFailed(item)
        return {"Attributes": item}


class World:
    """A gate, its store, its identity provider, its log, and one key for each scope."""

    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore()
        self.provider = Provider()
        self.secrets = Secrets()
        self.lines: list[str] = []
        self.now_ms = NOW_MS
        self.keys = {scope: self.key(scopes=[scope]) for scope in ("read", "write", "admin")}
        self.gate = Gate(
            authenticator=Authenticator(
                keys=KeyDecisions(self.store, table="keys"),
                users=UserWindows(
                    self.store, table="rate-limits", limit=200, now_ms=lambda: self.now_ms
                ),
                tokens=lambda: verifier_for(self.provider),
                derived=lambda: DerivedTokens(self.secrets),
                key_tier="standard-tier",
                jwt_tier="web-tier",
                limited_tier="limited-tier",
                **settings,
            ),
            now_ms=lambda: self.now_ms,
            elapsed_ms=lambda: 0.0,
            store_waited_ms=lambda: 0.0,
            log=self.lines.append,
            metrics_namespace="ChatGrid/test",
            routes=Routes(permissions={}),
        )

    def key(self, *, scopes: list[str], environment: str = "live", **facts: Any) -> str:
        """A new key that the store knows."""
        raw_key = keys.generate(environment, entropy=os.urandom)
        self.store.put(raw_key, scopes=scopes, **facts)
        return raw_key

    @property
    def token(self) -> str:
        """A JWT that is accepted."""
        return self.provider.forge().token({"name": "good", "key": "ES256"})
