"""Clients that create, use, list and revoke keys, and remember what they were told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from tests.soak.ledger import FAULTS, Key, Ledger, State
from tests.support.stack.api import assert_envelope
from tests.support.tables.admissions import Admitted

#: Some keys are asked for more than they allow, so that the limit is met all the time.
LIMITS = (20, 60, 120, 10_000)
#: A user holds about this many keys at once.
HELD = 12
#: Of one user's requests; the rest of the share goes to `use`.
SHARES = {"create": 0.07, "revoke": 0.06, "walk": 0.04, "get": 0.04, "board": 0.08, "bad": 0.08}


class Client:
    """One user with its keys; several threads may act for it at once.

    Args:
        admin: a key of this user's with the scope `admin`.
    """

    def __init__(self, url: str, *, user: str, admin: str, ledger: Ledger, seed: int) -> None:
        self.keys: list[Key] = []
        self.maybe: set[str] = set()
        self.user = user
        self._ledger = ledger
        self._admin = admin
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._http = httpx.Client(base_url=url, timeout=60)

    def act(self) -> None:
        """Do one thing."""
        names = [*SHARES, "use"]
        weights = [*SHARES.values(), 1 - sum(SHARES.values())]
        action = self._random.choices(names, weights)[0]
        if len(self._live()) < 3:
            action = "create"
        elif action == "create" and len(self._live()) >= HELD:
            action = "revoke"
        getattr(self, f"_{action}")()

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _favourite(self) -> Key:
        """The key that is used most: it meets its limit."""
        return self._live()[0]

    def _live(self) -> list[Key]:
        return [key for key in self.keys if key.state is State.LIVE]

    def _ask(
        self, what: str, method: str, path: str, credential: str | None, **request: Any
    ) -> tuple[httpx.Response, Admitted]:
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        sent_at = time.monotonic()
        response = self._http.request(method, path, headers=headers, **request)
        answered_at = time.monotonic()
        self._ledger.answered(what, response.status_code, seconds=answered_at - sent_at)
        if response.status_code >= 400:
            try:
                assert_envelope(response)
            except (AssertionError, KeyError, ValueError):
                self._ledger.broke(f"{what} was answered {response.status_code} out of its form")
        return response, Admitted(sent_at, answered_at)

    def _expect(self, what: str, response: httpx.Response, *wanted: int) -> bool:
        if response.status_code not in {*wanted, *FAULTS}:
            self._ledger.broke(f"{what} was answered {response.status_code}")
        return response.status_code in wanted

    def _create(self) -> None:
        name, limit = f"soak {uuid4()}", self._random.choice(LIMITS)
        body = {"name": name, "scopes": ["write"], "rate_limit": limit}
        self.maybe.add(name)
        response, _ = self._ask("create", "POST", "me/api-keys", self._admin, json=body)
        if self._expect("create", response, 201):
            data = response.json()["data"]
            self.keys.append(Key(id=data["id"], name=name, raw=data["raw_key"], limit=limit))
            self.maybe.discard(name)

    def _revoke(self) -> None:
        with self._lock:
            known = [k for k in self.keys if k.state is not State.REVOKED and not k.in_hand]
            spared = self._favourite() if self._random.random() < 0.9 else None
            key = self._random.choice([k for k in known if k is not spared] or known)
            asked_before, key.state = key.state is State.REVOKING, State.REVOKING
            key.in_hand = True
        try:
            path = f"me/api-keys/{key.id}"
            response, _ = self._ask("revoke", "DELETE", path, self._admin)
            if self._expect("revoke", response, 200, *([404] if asked_before else [])):
                key.state, key.revoked_at = State.REVOKED, time.monotonic()
        finally:
            key.in_hand = False

    def _use(self) -> None:
        revoked = [key for key in self.keys[-40:] if key.state is not State.LIVE]
        chance = self._random.random()
        key = self._favourite()
        if revoked and chance < 0.1:
            key = self._random.choice(revoked)
        elif chance < 0.4:
            key = self._random.choice(self._live())
        response, request = self._ask("use", "GET", "boards?limit=1", key.raw)
        self._ledger.used(key, response.status_code, request, wanted=[200])

    def _board(self) -> None:
        key = self._random.choice(self._live())
        body = {"name": "soak", "view_mode": "canvas"}
        response, request = self._ask("board", "POST", "boards", key.raw, json=body)
        self._ledger.used(key, response.status_code, request, wanted=[201])
        if response.status_code == 201:
            path = f"boards/{response.json()['data']['id']}"
            response, request = self._ask("board", "DELETE", path, key.raw)
            # The store may have done it although its answer was lost, and did it again: 404.
            self._ledger.used(key, response.status_code, request, wanted=[200, 404])

    def _get(self) -> None:
        key = self._random.choice(self.keys)
        before = key.state
        response, _ = self._ask("get", "GET", f"me/api-keys/{key.id}", self._admin)
        wanted = {State.LIVE: [200], State.REVOKED: [404]}
        settled = wanted.get(before, []) if before is key.state else []
        self._expect(f"get of a {before.value} key", response, *(settled or [200, 404]))

    def _bad(self) -> None:
        key = self._live()[-1]
        credential = self._random.choice([None, "cgk_live_nonsense", "a.b.c", key.raw])
        if credential == key.raw:
            response, _ = self._ask("no scope", "GET", "me/api-keys", credential)
            if key.state is State.LIVE:
                self._expect("a request without its scope", response, 403, 429)
            elif response.status_code == 200:
                self._ledger.broke("a key without admin listed keys")
            return
        response, _ = self._ask("no credential", "GET", "boards", credential)
        self._expect("a request without a credential", response, 401)

    def _walk(self) -> None:
        before = self.states()
        found = self.listed()
        if found is not None:
            self.compare(found, before)

    def states(self) -> dict[str, State]:
        """What is known of each key now."""
        return {key.id: key.state for key in list(self.keys)}

    def listed(self) -> list[dict[str, Any]] | None:
        """All keys of this user, page by page; None when a fault was in the way."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 7}
        while True:
            response, _ = self._ask("list", "GET", "me/api-keys", self._admin, params=query)
            if not self._expect("list", response, 200):
                return None
            page = response.json()
            found += page["data"]
            if not page["has_more"]:
                return found
            query["cursor"] = page["cursor"]

    def compare(self, listed: list[dict[str, Any]], before: dict[str, State]) -> None:
        """Check a list against what this user was told, before it was asked for and since."""
        ids = [key["id"] for key in listed]
        names = [key["name"] for key in listed if key["name"].startswith("soak ")]
        known = {key.id: key for key in list(self.keys)}
        if len(set(ids)) < len(ids) or len(set(names)) < len(names):
            self._ledger.broke(f"{self.user} has a key twice")
        for key_id, state in before.items():
            steady = state is known[key_id].state
            if steady and state is State.LIVE and key_id not in ids:
                self._ledger.broke(f"key {key_id} is good and not in the list")
            if state is State.REVOKED and key_id in ids:
                self._ledger.broke(f"key {key_id} is revoked and in the list")
        for key_id, name in zip(ids, (key["name"] for key in listed), strict=True):
            if key_id not in known and name not in self.maybe and name.startswith("soak "):
                self._ledger.broke(f"key {key_id} is listed, and nobody was given it")

    def check_every_key(self, again: Callable[[], bool]) -> int:
        """Use every key once more: good ones work, revoked ones do not; how many were tried."""
        tried = 0
        for key in self.keys:
            while again():
                response, request = self._ask("check", "GET", "boards?limit=1", key.raw)
                self._ledger.used(key, response.status_code, request, wanted=[200])
                if response.status_code not in FAULTS:
                    tried += 1
                    break
        return tried


class Pace:
    """Lets so many actions a second begin, for all threads together."""

    def __init__(self, per_second: float) -> None:
        self._gap = 1 / per_second
        self._next = time.monotonic()
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> None:
        """Wait for this thread's turn, or for the end."""
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now - 1)
            self._next = turn + self._gap
        stop.wait(max(0.0, turn - now))
