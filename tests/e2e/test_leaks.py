"""A leaked key is refused within the contract's time; reported by GitHub, on the next request."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.servers.rogue_server import RogueServer, document
from tests.support.stack.local_stack import LocalStack

#: The contract's bound for a report that anybody makes.
WITHIN_SECONDS = 10
DISABLED = "API key is disabled"


class Github:
    """GitHub: publishes a key, and signs with it."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())

    @property
    def published(self) -> dict[str, Any]:
        pem = self._private.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        return {"public_keys": [{"key_identifier": "k1", "key": pem.decode(), "is_current": True}]}

    def headers(self, body: bytes) -> dict[str, str]:
        signature = base64.b64encode(self._private.sign(body, ec.ECDSA(SHA256())))
        return {
            "Content-Type": "application/json",
            "Github-Public-Key-Identifier": "k1",
            "Github-Public-Key-Signature": signature.decode(),
        }


@pytest.fixture(scope="module")
def github() -> Github:
    return Github()


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory, github: Github) -> Iterator[dict[str, Any]]:
    """A stack of its own, for which GitHub is on this machine."""
    state: Path = tmp_path_factory.mktemp("leaks") / "state"
    with RogueServer(document(github.published)) as server:
        options = ("--parameter", f"GithubKeysUrl={server.url}/keys")
        with LocalStack(state, options=options) as stack:
            yield stack.described


@pytest.fixture(scope="module")
def http(local: dict[str, Any]) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=local["url"], timeout=30) as client:
        yield client


@pytest.fixture
def leaked(local: dict[str, Any], http: httpx.Client) -> str:
    """A new key that has been used."""
    owner = {"Authorization": f"Bearer {local['admin_key']}"}
    created = http.post("/me/api-keys", json={"name": "leaked"}, headers=owner)
    raw: str = created.json()["data"]["raw_key"]
    assert asked(http, raw).status_code == 200
    return raw


def asked(http: httpx.Client, raw: str) -> httpx.Response:
    return http.get("/me", headers={"Authorization": f"Bearer {raw}"})


def test_a_key_that_github_reports_is_refused_on_the_next_request(
    http: httpx.Client, github: Github, leaked: str
) -> None:
    body = json.dumps([{"token": leaked, "type": "chatgrid", "url": "", "source": "COMMIT"}])
    raw = body.encode()
    unsigned = http.post("/leaks/github", content=raw, headers={"Content-Type": "application/json"})
    assert (unsigned.status_code, asked(http, leaked).status_code) == (401, 200)
    told = http.post("/leaks/github", content=raw, headers=github.headers(raw))
    assert [one["label"] for one in told.json()] == ["true_positive"]
    refused = asked(http, leaked)
    assert (refused.status_code, refused.json()["message"]) == (401, DISABLED)


def test_a_key_that_anybody_reports_is_refused_within_the_contracts_time(
    http: httpx.Client, leaked: str
) -> None:
    told = http.post("/leaks", json={"credentials": ["nothing", leaked]})
    assert (told.status_code, told.json()["data"]) == (202, {"received": 2})
    deadline = time.monotonic() + WITHIN_SECONDS
    while (answer := asked(http, leaked)).status_code == 200:
        assert time.monotonic() < deadline, "nobody has acted upon the report"
    assert answer.json()["message"] == DISABLED
