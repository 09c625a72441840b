"""Clients that create, use, list and revoke keys, and remember what they were told."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx

from chatgrid_auth.domain import audit
from tests.soak import changes
from tests.soak.ledger import FAULTS, Key, Ledger, Secret, State
from tests.support.stack.api import assert_envelope
from tests.support.tables.admissions import Admitted

#: Some keys are asked for more than they allow, so that the limit is met all the time.
LIMITS = (20, 60, 120, 10_000)
#: A user holds about this many keys at once.
HELD = 12
#: Of one user's requests; the rest of the share goes to `use`.
SHARES = {"create": 0.07, "revoke": 0.05, "walk": 0.03, "get": 0.07, "board": 0.07, "bad": 0.05}


class Client:
    """One user with its keys; several threads may act for it at once.

    Args:
        admin: a key of this user's with the scope `admin`.
    """

    def __init__(self, url: str, *, user: str, admin: str, ledger: Ledger, seed: int) -> None:
        self.keys: list[Key] = []
        self.maybe: set[str] = set()
        self.user = user
        self.ledger = ledger
        self.admin = admin
        self.random = random.Random(seed)
        self._lock = threading.Lock()
        self._http = httpx.Client(base_url=url, timeout=60)

    def act(self) -> None:
        """Do one thing."""
        shares = SHARES | changes.SHARES
        names = [*shares, "use"]
        weights = [*shares.values(), 1 - sum(shares.values())]
        action = self.random.choices(names, weights)[0]
        if len(self._live()) < 3:
            action = "create"
        elif action == "create" and len(self._live()) >= HELD:
            action = "revoke"
        if action in changes.CHANGES:
            with self._in_hand() as key:
                if key is not None:
                    changes.CHANGES[action](self, key)
        else:
            getattr(self, f"_{action}")()

    @contextlib.contextmanager
    def _in_hand(self) -> Iterator[Key | None]:
        """A good key that nobody else changes meanwhile; ``None`` where there is none."""
        with self._lock:
            free = [key for key in self._live() if not key.in_hand]
            key = self.random.choice(free) if free else None
            if key is not None:
                key.in_hand, key.turn = True, key.turn + 1
        try:
            yield key
        finally:
            if key is not None:
                key.in_hand, key.turn = False, key.turn + 1

    def close(self) -> None:
        """End the connections."""
        self._http.close()

    def _favourite(self) -> Key:
        """The key that is used most: it meets its limit."""
        return self._live()[0]

    def _live(self) -> list[Key]:
        return [key for key in self.keys if key.state is State.LIVE]

    def ask(
        self, what: str, method: str, path: str, credential: str | None, **request: Any
    ) -> tuple[httpx.Response, Admitted]:
        headers = request.pop("headers", {})
        if credential is not None:
            headers = {**headers, "Authorization": f"Bearer {credential}"}
        sent_at = time.monotonic()
        response = self._http.request(method, path, headers=headers, **request)
        answered_at = time.monotonic()
        self.ledger.answered(what, response.status_code, seconds=answered_at - sent_at)
        if response.status_code >= 400:
            try:
                assert_envelope(response)
            except (AssertionError, KeyError, ValueError):
                self.ledger.broke(f"{what} was answered {response.status_code} out of its form")
        return response, Admitted(sent_at, answered_at)

    def expect(self, what: str, response: httpx.Response, *wanted: int) -> bool:
        if response.status_code not in {*wanted, *FAULTS}:
            self.ledger.broke(f"{what} was answered {response.status_code}")
        return response.status_code in wanted

    def _create(self) -> None:
        name, limit = f"soak {uuid4()}", self.random.choice(LIMITS)
        own = self.random.random() < 0.5
        body = {"name": name, "scopes": ["read", "write"], "rate_limit": limit}
        body |= {"self_rotation": own, "metadata": {"turn": "0"}}
        self.maybe.add(name)
        if self.random.random() < 0.5:
            data, _, asked = changes.repeated(self, "create", "me/api-keys", body, wanted=[201])
        else:
            response, _ = self.ask("create", "POST", "me/api-keys", self.admin, json=body)
            self.expect("create", response, 201)
            data, asked = changes.data_of(response), 1
        if data is None:
            return
        key = Key(id=data["id"], name=name, raw=data["raw_key"], limit=limit)
        shown = ("name", "scopes", "rate_limit", "self_rotation", "metadata")
        key.shown |= {name: data[name] for name in shown}
        key.did(audit.CREATED)
        key.deeds[audit.SECRET_REISSUED][1] += asked - 1
        self.keys.append(key)
        self.maybe.discard(name)

    def _revoke(self) -> None:
        with self._lock:
            known = [k for k in self.keys if k.state is not State.REVOKED and not k.in_hand]
            spared = self._favourite() if self.random.random() < 0.9 else None
            key = self.random.choice([k for k in known if k is not spared] or known)
            asked_before, key.state = key.state is State.REVOKING, State.REVOKING
            key.in_hand = True
        try:
            path = f"me/api-keys/{key.id}"
            response, _ = self.ask("revoke", "DELETE", path, self.admin)
            if self.expect("revoke", response, 200, *([404] if asked_before else [])):
                key.state, key.revoked_at = State.REVOKED, time.monotonic()
            key.did(audit.REVOKED, sure=response.status_code == 200)
        finally:
            key.in_hand = False

    def _use(self) -> None:
        revoked = [key for key in self.keys[-40:] if key.state is not State.LIVE]
        chance = self.random.random()
        key = self._favourite()
        if revoked and chance < 0.1:
            key = self.random.choice(revoked)
        elif chance < 0.5:
            key = self.random.choice(self._live())
        # A former secret now and then: it has a grace, or has ended.
        recent = key.secrets[-3:]
        secret = self.random.choice(recent) if chance < 0.3 else recent[-1]
        self.use(key, secret)

    def use(self, key: Key, secret: Secret, what: str = "use") -> int:
        """Read with one of a key's secrets; the status of the answer."""
        sight = key.sight(secret)
        response, request = self.ask(what, "GET", "boards?limit=1", secret.raw)
        self.ledger.used(key, response.status_code, request, wanted=[200], sight=sight)
        return response.status_code

    def _board(self) -> None:
        key = self.random.choice(self._live())
        sight, scopes = key.sight(), key.shown.get("scopes")
        body = {"name": "soak", "view_mode": "canvas"}
        response, request = self.ask("board", "POST", "boards", sight.secret.raw, json=body)
        may = {str(["read"]): [403], str(["read", "write"]): [201]}.get(str(scopes), [201, 403])
        wanted = may if sight.steady else [201, 403]
        self.ledger.used(key, response.status_code, request, wanted=wanted, sight=sight)
        if response.status_code == 201:
            path, sight = f"boards/{response.json()['data']['id']}", key.sight()
            response, request = self.ask("board", "DELETE", path, sight.secret.raw)
            # The store may have done it although its answer was lost, and did it again: 404.
            wanted = [200, 404, 403]
            self.ledger.used(key, response.status_code, request, wanted=wanted, sight=sight)

    def _get(self) -> None:
        key = self.random.choice(self.keys)
        before, sight, shown = key.state, key.sight(), dict(key.shown)
        response, _ = self.ask("get", "GET", f"me/api-keys/{key.id}", self.admin)
        wanted = {State.LIVE: [200], State.REVOKED: [404]}
        settled = wanted.get(before, []) if before is key.state else []
        self.expect(f"get of a {before.value} key", response, *(settled or [200, 404]))
        if response.status_code == 200 and sight.steady:
            self.compare_shown(key, response.json()["data"], shown)

    def compare_shown(self, key: Key, data: dict[str, Any], shown: dict[str, object]) -> None:
        """Check a key as the API shows it against what this user was told."""
        known = shown if key.enabled is None else {**shown, "enabled": key.enabled}
        for name, value in known.items():
            if data[name] != value:
                self.ledger.broke(f"key {key.id} shows another {name} than was answered")

    def _bad(self) -> None:
        key = self._live()[-1]
        sight = key.sight()
        credential = self.random.choice([None, "cgk_live_nonsense", "a.b.c", sight.secret.raw])
        if credential == sight.secret.raw:
            response, request = self.ask("no scope", "GET", "me/api-keys", credential)
            if key.state is State.LIVE and sight.expects(request):
                self.expect("a request without its scope", response, 403, 429)
            elif response.status_code == 200:
                self.ledger.broke("a key without admin listed keys")
            return
        response, _ = self.ask("no credential", "GET", "boards", credential)
        self.expect("a request without a credential", response, 401)

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
        return self.pages("me/api-keys", limit=7)

    def pages(self, path: str, *, limit: int) -> list[dict[str, Any]] | None:
        """All items of a list, page by page; None when a fault was in the way."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": limit}
        while True:
            response, _ = self.ask("list", "GET", path, self.admin, params=query)
            if not self.expect("list", response, 200):
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
            self.ledger.broke(f"{self.user} has a key twice")
        for key_id, state in before.items():
            steady = state is known[key_id].state
            if steady and state is State.LIVE and key_id not in ids:
                self.ledger.broke(f"key {key_id} is good and not in the list")
            if state is State.REVOKED and key_id in ids:
                self.ledger.broke(f"key {key_id} is revoked and in the list")
        for key_id, name in zip(ids, (key["name"] for key in listed), strict=True):
            if key_id not in known and name not in self.maybe and name.startswith("soak "):
                self.ledger.broke(f"key {key_id} is listed, and nobody was given it")

    def check_every_key(self, again: Callable[[], bool]) -> int:
        """Use every secret once more, those that passed and those that ended; how many keys."""
        tried = 0
        for key in self.keys:
            while again() and key.state is State.LIVE and key.unsure:
                changes.settle(self, key)
            for secret in key.secrets[-4:]:
                while again() and self.use(key, secret, "check") in FAULTS:
                    pass
            tried += again()
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
