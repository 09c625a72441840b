"""The authorizer's real gate over a store in memory: all of its code, and no socket."""

from __future__ import annotations

import json
import os
from typing import Any

from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.items import n, s
from chatgrid_auth.adapters.keys_table.user_windows import UserWindows
from chatgrid_auth.domain import keys, window
from chatgrid_auth.domain.errors import ConditionFailed, StoreUnavailable
from chatgrid_auth.domain.scopes import effective
from chatgrid_auth.services.authenticate import Authenticator
from chatgrid_authorizer.wiring import Gate
from tests.support.jwt_material import NOW_MS, Provider, verifier_for

OWNER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
KEY_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class MemoryStore:
    """Answers the authorizer's one request from a dictionary.

    It admits whatever exists, has not expired and has the scope; the window's arithmetic is tested
    elsewhere.

    Attributes:
        requests: how many were sent.
        out: whether every request fails.
    """

    def __init__(self) -> None:
        self.requests = 0
        self.out = False
        self._items: dict[str, dict[str, Any]] = {}

    def put(self, raw_key: str, *, scopes: list[str], **facts: Any) -> None:
        """Keep a key's credential."""
        partition = f"KEY#{keys.hash_of(raw_key)}"
        self._items[partition] = {
            "pk": s(partition),
            "sk": s("#"),
            "owner": s(OWNER),
            "id": s(KEY_ID),
            "scopes": s(" ".join(effective(scopes))),
            "state": s("active"),
            "limit": n(120),
            **window.fresh(120),
            **facts,
        }

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
        if (
            item is None
            or item["state"]["S"] != "active"
            or int(item.get("expires", n(1 << 62))["N"]) <= int(values[":now"]["N"])
            or values[":scope"]["S"] not in item["scopes"]["S"]
        ):
            raise ConditionFailed(item)
        return {"Attributes": item}


class World:
    """A gate, its store, its identity provider, its log, and one key for each scope."""

    def __init__(self, **settings: Any) -> None:
        self.store = MemoryStore()
        self.provider = Provider()
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
