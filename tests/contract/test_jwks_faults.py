"""Whatever the identity provider does, tokens are judged rightly or the fault is called a fault."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import pytest

from chatgrid_auth.adapters.awslite.fetch import fetch
from chatgrid_auth.adapters.jwt import jwks
from chatgrid_auth.adapters.jwt.jwks_cache import (
    SOFT_AGE_MS,
    STALE_AGE_MS,
    UNKNOWN_KEY_INTERVAL_MS,
)
from chatgrid_auth.adapters.jwt.verifier import JwtVerifier, build_verifier
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from chatgrid_auth.settings import JwtSettings
from tests.support.servers.rogue_server import (
    Response,
    RogueServer,
    body,
    document,
    drip,
    flood,
    hang,
    raw,
)
from tests.vectors.jwt.forge import USER, Forge, b64, new_private_jwks, public_jwk

NOW_S = 1_800_000_000
NOW_MS = NOW_S * 1000
LONG = {"claims": {"exp": "$now+864000"}}


@cache
def keys(generation: int) -> list[dict[str, Any]]:
    """The private keys of one generation; made once, since RSA keys take their time."""
    del generation
    return new_private_jwks()


class Project:
    """A provider with its keys, on a server that can be made to misbehave."""

    def __init__(self, server: RogueServer) -> None:
        self.server = server
        self.private = keys(1)
        self.publish()

    def publish(self) -> None:
        self.server.answer = document({"keys": [public_jwk(jwk) for jwk in self.private]})

    def verifier(self) -> JwtVerifier:
        return build_verifier(JwtSettings(self.server.url, jwks_max_age_seconds=3_600))

    def token(self, recipe: dict[str, Any] | None = None) -> str:
        forge = Forge(
            private_jwks=self.private,
            secret="",
            issuer=f"{self.server.url}/auth/v1",
            audience="authenticated",
            now_s=NOW_S,
        )
        return forge.token(LONG if recipe is None else recipe)


@pytest.fixture
def project() -> Iterator[Project]:
    with RogueServer(hang) as server:
        yield Project(server)


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    # The real fetch with a shorter time-out: what is tested is that there is one over everything.
    monkeypatch.setattr(jwks, "fetch", partial(fetch, timeout_seconds=0.3))


def eventually(holds: Callable[[], bool], *, seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        threading.Event().wait(0.005)


def test_the_keys_are_asked_for_while_pyjwt_is_loaded(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "chatgrid_auth.adapters.jwt.verification_keys", None)
    with pytest.raises(ImportError):
        jwks.fetch_jwks(project.server.url)
    assert len(project.server.requests) == 1


def test_a_token_of_a_well_behaved_provider_is_let_in(project: Project) -> None:
    claims = project.verifier().verify(project.token(), now_ms=NOW_MS)
    assert claims is not None
    assert claims.user_id == USER
    (request,) = project.server.requests
    assert request.startswith(b"GET /auth/v1/.well-known/jwks.json HTTP/1.1\r\n")
    assert b"authorization" not in request.lower()


def _jwks_of(project: Project) -> bytes:
    return json.dumps({"keys": [public_jwk(jwk) for jwk in project.private]}).encode()


OK = b"HTTP/1.1 200 OK\r\n"
FAULTS: dict[str, Callable[[Project], Response]] = {
    "hangs": lambda _: hang,
    "drips its headers": lambda _: drip(OK + b"X: y\r\n" * 50, every_seconds=0.05),
    "drips its body": lambda p: drip(
        OK + b"Content-Length: 5000\r\n\r\n" + _jwks_of(p), every_seconds=0.001
    ),
    "drips a body without length": lambda p: drip(
        OK + b"\r\n" + b" " * 10_000 + _jwks_of(p), every_seconds=0.001
    ),
    "says 500": lambda p: body(_jwks_of(p), status="500 Internal Server Error"),
    "says 503": lambda p: body(_jwks_of(p), status="503 Service Unavailable"),
    "says 404": lambda p: body(_jwks_of(p), status="404 Not Found"),
    "says 204": lambda _: body(b"", status="204 No Content"),
    "says 206": lambda p: body(_jwks_of(p), status="206 Partial Content"),
    "says 304": lambda _: body(b"", status="304 Not Modified"),
    "asks for a password": lambda p: body(_jwks_of(p), status="401 Unauthorized"),
    "breaks off": lambda p: raw(OK + b"Content-Length: 9999\r\n\r\n" + _jwks_of(p)),
    "breaks off in a chunk": lambda p: raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n1000\r\n" + _jwks_of(p)[:100]
    ),
    "breaks off in the document": lambda p: body(_jwks_of(p)[:-2]),
    "breaks off in the headers": lambda _: raw(OK + b"Content-"),
    "hangs up": lambda _: raw(b""),
    "speaks another protocol": lambda _: raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "announces a huge answer": lambda _: raw(OK + b"Content-Length: 99999999999\r\n\r\n{"),
    "sends a huge answer": lambda _: flood(OK + b"\r\n", b" " * 65_536),
    "sends huge chunks": lambda _: flood(
        OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b" " * 4_096 + b"\r\n"
    ),
    "sends headers without end": lambda _: flood(OK, b"X-Filling: yes\r\n"),
    "sends one header line without end": lambda _: flood(OK + b"X: ", b"x" * 65_536),
    "sends HTML": lambda _: body(b"<html><title>Maintenance</title></html>"),
    "sends nothing": lambda _: body(b""),
    "sends a list": lambda _: document([]),
    "sends no keys member": lambda _: document({"message": "ok"}),
    "sends keys that are a text": lambda _: document({"keys": "none"}),
    "sends keys that are numbers": lambda _: document({"keys": [1, 2]}),
    "sends nested lists": lambda _: body(b'{"keys":' + b"[" * 20_000),
    "sends UTF-16": lambda p: body(_jwks_of(p).decode().encode("utf-16")),
    "compresses": lambda _: body(b"\x1f\x8b\x08\0\0\0", headers="Content-Encoding: gzip\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("_impatient")
def test_a_fault_with_nothing_cached_is_an_outage_and_soon(project: Project, fault: str) -> None:
    project.server.answer = FAULTS[fault](project)
    started = time.monotonic()
    with pytest.raises(IdentityProviderUnavailable):
        project.verifier().verify(project.token(), now_ms=NOW_MS)
    assert time.monotonic() - started < 3, "a generous bound: it is the fetch's 0.3 seconds"


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.usefixtures("_impatient")
def test_a_fault_leaves_the_last_good_keys_in_service(project: Project, fault: str) -> None:
    verifier = project.verifier()
    assert verifier.verify(project.token(), now_ms=NOW_MS) is not None
    project.server.answer = FAULTS[fault](project)
    now_ms = NOW_MS + STALE_AGE_MS
    unseen = project.token({"alg": "RS256", **LONG})
    assert verifier.verify(unseen, now_ms=now_ms) is not None
    assert len(project.server.requests) == 2
    project.publish()
    assert verifier.verify(project.token(), now_ms=now_ms + 5_000) is not None


def test_a_refused_connection_is_an_outage() -> None:
    with RogueServer(hang) as server:
        project = Project(server)
    with pytest.raises(IdentityProviderUnavailable):
        project.verifier().verify(project.token(), now_ms=NOW_MS)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 T", "308 P"])
def test_a_redirect_is_not_followed(project: Project, status: str) -> None:
    with RogueServer(document({"keys": [public_jwk(jwk) for jwk in project.private]})) as other:
        location = f"Location: {other.url}/auth/v1/.well-known/jwks.json\r\n"
        project.server.answer = body(b"", status=status, headers=location)
        with pytest.raises(IdentityProviderUnavailable):
            project.verifier().verify(project.token(), now_ms=NOW_MS)
        assert not other.requests


def test_an_empty_set_is_an_answer_and_refuses_every_public_key_token(project: Project) -> None:
    project.server.answer = document({"keys": []})
    assert project.verifier().verify(project.token(), now_ms=NOW_MS) is None


@pytest.mark.parametrize(
    "jwk",
    [
        {"kty": 1},
        {"kty": "EC", "crv": "P-256", "x": 1, "y": []},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {},
    ],
    ids=str,
)
def test_a_malformed_keys_token_is_refused_and_others_are_not_harmed(
    project: Project, jwk: dict[str, Any]
) -> None:
    elliptic, modular, _ = project.private
    broken = {"kid": elliptic["kid"], "alg": "ES256", **jwk}
    project.server.answer = document({"keys": [broken, public_jwk(modular)]})
    verifier = project.verifier()
    assert verifier.verify(project.token(), now_ms=NOW_MS) is None
    assert verifier.verify(project.token({"alg": "RS256", **LONG}), now_ms=NOW_MS) is not None


def test_a_slow_provider_delays_nobody_who_has_keys(project: Project) -> None:
    verifier = project.verifier()
    token = project.token()
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    let_go = threading.Event()
    publish = project.server.answer

    def slow(client: Any, stop: threading.Event) -> None:
        let_go.wait(5)
        publish(client, stop)

    project.server.answer = slow
    for step in range(200):
        assert verifier.verify(token, now_ms=NOW_MS + SOFT_AGE_MS + step) is not None
    eventually(lambda: len(project.server.requests) == 2)
    let_go.set()
    assert project.server.most_at_once == 1


def test_a_key_rotated_under_load_refuses_no_good_token(project: Project) -> None:
    verifier = project.verifier()
    assert verifier.verify(project.token(), now_ms=NOW_MS) is not None
    before = project.token()
    project.private = [*keys(2), *project.private]
    project.publish()
    after = project.token()
    moment = NOW_MS + UNKNOWN_KEY_INTERVAL_MS
    verdicts: list[bool] = []

    def client(token: str) -> None:
        verdicts.extend(verifier.verify(token, now_ms=moment) is not None for _ in range(20))

    threads = [threading.Thread(target=client, args=(token,)) for token in (before, after) * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verdicts == [True] * 160
    assert len(project.server.requests) == 2


def test_a_withdrawn_keys_known_token_is_refused_after_the_refresh(
    project: Project,
) -> None:
    verifier = project.verifier()
    token = project.token()
    assert verifier.verify(token, now_ms=NOW_MS) is not None
    project.private = keys(2)
    project.publish()
    moment = NOW_MS + SOFT_AGE_MS
    verifier.verify(token, now_ms=moment)  # served from the memory while the refresh runs
    eventually(lambda: verifier.verify(token, now_ms=moment + 1) is None)
    assert verifier.verify(project.token(), now_ms=moment + 1) is not None


def test_5000_unknown_key_ids_cost_one_fetch_for_each_interval(project: Project) -> None:
    verifier = project.verifier()
    good = project.token()
    assert verifier.verify(good, now_ms=NOW_MS) is not None
    rest = project.token().partition(".")[2]
    intervals = 4

    def attack(share: int) -> None:
        for number in range(share, 5_000, 8):
            header = b64(json.dumps({"alg": "ES256", "kid": f"k{number}"}).encode())
            moment = NOW_MS + number * UNKNOWN_KEY_INTERVAL_MS * intervals // 5_000
            assert verifier.verify(f"{header}.{rest}", now_ms=moment) is None

    threads = [threading.Thread(target=attack, args=(share,)) for share in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(project.server.requests) - 1 <= intervals
    assert project.server.most_at_once == 1
    fetches = len(project.server.requests)
    assert verifier.verify(good, now_ms=NOW_MS) is not None
    assert len(project.server.requests) == fetches


def test_a_thousand_requests_during_an_outage_cost_a_handful_of_fetches(project: Project) -> None:
    project.server.answer = body(b"", status="500 Internal Server Error")
    verifier = project.verifier()
    for step in range(1_000):
        with pytest.raises(IdentityProviderUnavailable):
            verifier.verify(project.token(), now_ms=NOW_MS + step * 60)
    assert len(project.server.requests) <= 6


def test_a_token_that_would_be_refused_anyway_asks_nobody(project: Project) -> None:
    project.server.answer = hang
    verifier = project.verifier()
    for claims in ({"exp": "$now-60"}, {"iss": "https://attacker.example"}, {"role": "anon"}):
        assert verifier.verify(project.token({"claims": claims}), now_ms=NOW_MS) is None
    assert not project.server.requests
