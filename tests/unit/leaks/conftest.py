"""The leaks function over a queue and keys in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from chatgrid_auth.adapters.jwt.jwks_cache import JwksCache
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.leaks.github_keys import GithubKey, GithubSignatures
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_auth.services.leaks.acting import Exposed, Leaks
from chatgrid_leaks.wiring import Settings, compose
from tests.support.http_api import Api, Context, Reply, key_caller, lazily, proxy_event

GITHUBS_KEY_ID = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"


class Keys:
    """Keys in memory, and what was done to them."""

    def __init__(self) -> None:
        self.ours: dict[str, bool] = {}
        self.asked = 0
        self.done: list[tuple[str, str]] = []
        self.events: list[AuditEvent] = []
        self.fails: set[str] = set()

    def find(self, hashes: Iterable[str], *, now_ms: int) -> dict[str, Exposed]:
        self.asked += 1
        return {
            one: Exposed(
                owner="ada", key_id=one[:8], secret_hash=one, tag=one[:6], counts=self.ours[one]
            )
            for one in hashes
            if one in self.ours
        }

    def _did(self, what: str, exposed: Exposed, event: AuditEvent) -> bool:
        if exposed.secret_hash in self.fails:
            raise IdentityProviderUnavailable("out")
        if (what, exposed.secret_hash) in self.done:
            return False
        self.done.append((what, exposed.secret_hash))
        self.events.append(event)
        return True

    def disable(self, exposed: Exposed, event: AuditEvent) -> bool:
        return self._did("disable", exposed, event)

    def note(self, exposed: Exposed, event: AuditEvent) -> bool:
        return self._did("note", exposed, event)

    def revoke(self, exposed: Exposed, event: AuditEvent) -> bool:
        return self._did("revoke", exposed, event)


class Queue:
    """What was left to be acted upon."""

    def __init__(self) -> None:
        self.reports: list[dict[str, Any]] = []

    def put(self, hashes: list[str], *, request_id: str | None) -> None:
        self.reports.append({"hashes": hashes, "request_id": request_id})

    def batch(self) -> dict[str, Any]:
        return {
            "Records": [
                {"messageId": str(number), "body": json.dumps(report)}
                for number, report in enumerate(self.reports)
            ]
        }


class Github:
    """GitHub: signs with a key of its own, and publishes it unless it is out."""

    def __init__(self) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.out = False
        cache = JwksCache(
            lambda _now_ms: self._published(),
            hard_age_ms=1_000_000,
            on_withdrawn=lambda: None,
            spawn=lambda work: work(),
        )
        self.signatures = GithubSignatures("http://127.0.0.1/", cache=cache)

    def _published(self) -> KeySet:
        if self.out:
            raise IdentityProviderUnavailable("out")
        return KeySet([GithubKey(GITHUBS_KEY_ID, self.private.public_key(), pem="one")])

    def signed(self, body: bytes) -> dict[str, str]:
        signature = self.private.sign(body, ec.ECDSA(SHA256()))
        return {
            "Content-Type": "application/json",
            "Github-Public-Key-Identifier": GITHUBS_KEY_ID,
            "Github-Public-Key-Signature": base64.b64encode(signature).decode(),
        }


class World:
    """The function and what it works with."""

    def __init__(self, response: Any = "disable") -> None:
        self.keys, self.queue, self.github = Keys(), Queue(), Github()
        settings = Settings(
            keys_table="keys",
            audit_table="audit",
            queue_url="queue",
            github_keys_url="http://127.0.0.1/",
            response=response,
            imported=False,
            own_gateway_keys=True,
            revoked_retention_days=400,
            telemetry=Telemetry(service=f"leaks-{uuid4()}", namespace="Test", level="INFO"),
        )
        self.handler = lazily(
            lambda: compose(
                settings,
                queue=self.queue,
                leaks=Leaks(self.keys, response=response, now_ms=lambda: 1_800_000_000_000),
                github=lambda: self.github.signatures,
            )
        )

    def report(self, body: Any, **facts: Any) -> Reply:
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return self._call("/leaks", text, **facts)

    def as_github(self, body: Any, *, headers: dict[str, str] | None = None) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = self.github.signed(raw) if headers is None else headers
        return self._call("/leaks/github", raw.decode(), headers=given)

    def work_off(self) -> dict[str, Any]:
        return self.handler(self.queue.batch(), Context())

    def _call(self, resource: str, text: str | bytes, **facts: Any) -> Reply:
        event = proxy_event("POST", resource, authorizer=None, body=text, **facts)
        return Api(self.handler, key_caller()).send(event)


@pytest.fixture
def world() -> World:
    return World()
