"""The local identity provider issues what the verifier accepts, and keeps its keys to itself."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from chatgrid_auth.adapters.jwt.claims import ClaimRules
from chatgrid_auth.adapters.jwt.jwks import parse_jwks
from chatgrid_auth.adapters.jwt.jwks_cache import STALE_AGE_MS, JwksCache
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.token_cache import TokenCache
from chatgrid_auth.adapters.jwt.verification_keys import shared_secret
from chatgrid_auth.adapters.jwt.verifier import JwtVerifier, Remembered
from chatgrid_devkit.identity.issuer import ALGORITHMS, LocalIssuer
from tests.support.jwt_material import NOW_MS, NOW_S, at_once
from tests.vectors.jwt.forge import USER, Forge

BASE_URL = "http://127.0.0.1:8765"
JWKS_PATH = "/auth/v1/.well-known/jwks.json"


def ask(issuer: LocalIssuer, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """What the ASGI application answers."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "path": path, "method": method, "headers": []}
    asyncio.run(issuer.asgi(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, sent[1]["body"]


def verifier_of(issuer: LocalIssuer) -> JwtVerifier:
    """A verifier that fetches from the ASGI application, without a network."""
    memory: TokenCache[Remembered] = TokenCache()

    def cache(load: Any) -> JwksCache:
        return JwksCache(
            load, hard_age_ms=86_400_000, on_withdrawn=memory.forget_all, spawn=at_once
        )

    secret = issuer.stack_entry()["jwt_secret"]
    return JwtVerifier(
        rules=ClaimRules(
            issuer=f"{BASE_URL}/auth/v1",
            audience="authenticated",
            leeway_seconds=5,
            accept_anonymous=True,
        ),
        algorithms=frozenset(ALGORITHMS),
        published=cache(lambda _now_ms: parse_jwks(ask(issuer, JWKS_PATH)[2])),
        secret=cache(lambda _now_ms: KeySet([shared_secret(secret)])),
        memory=memory,
    )


@pytest.fixture
def issuer(tmp_path: Path) -> LocalIssuer:
    return LocalIssuer(tmp_path, BASE_URL)


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_minted_token_is_accepted(issuer: LocalIssuer, alg: str) -> None:
    token = issuer.mint(USER, now_s=NOW_S, email="kim@example.org", alg=alg)
    claims = verifier_of(issuer).verify(token, now_ms=NOW_MS)
    assert claims is not None
    assert (claims.user_id, claims.email, claims.anonymous) == (USER, "kim@example.org", False)


def test_expiry_and_anonymity_are_as_asked_for(issuer: LocalIssuer) -> None:
    token = issuer.mint(USER, now_s=NOW_S, expires_in_s=60, anonymous=True)
    claims = verifier_of(issuer).verify(token, now_ms=NOW_MS)
    assert claims is not None
    assert (claims.expires_at_ms, claims.anonymous, claims.email) == (NOW_MS + 60_000, True, None)
    expired = issuer.mint(USER, now_s=NOW_S, expires_in_s=-60)
    assert verifier_of(issuer).verify(expired, now_ms=NOW_MS) is None


def test_the_keys_survive_a_restart_and_only_their_owner_reads_them(
    issuer: LocalIssuer, tmp_path: Path
) -> None:
    again = LocalIssuer(tmp_path, BASE_URL)
    assert again.stack_entry() == issuer.stack_entry()
    assert [stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()] == [0o600]


def test_two_folders_share_no_key_and_no_secret(tmp_path: Path) -> None:
    one, two = (LocalIssuer(tmp_path / name, BASE_URL).stack_entry() for name in ("a", "b"))
    assert one["jwt_secret"] != two["jwt_secret"]
    assert one["private_jwks"] != two["private_jwks"]


def test_what_is_published_holds_nothing_private(issuer: LocalIssuer) -> None:
    status, headers, body = ask(issuer, JWKS_PATH)
    assert status == 200
    assert headers["cache-control"] == "public, max-age=600"
    keys = json.loads(body)["keys"]
    assert [key["alg"] for key in keys] == ["ES256", "RS256"]
    assert not {"d", "p", "q", "dp", "dq", "qi", "k"} & {name for key in keys for name in key}
    assert issuer.stack_entry()["jwt_secret"].encode() not in body


@pytest.mark.parametrize(
    ("path", "method"),
    [("/", "GET"), ("/auth/v1/token", "POST"), (JWKS_PATH, "POST"), (JWKS_PATH + "/", "GET")],
)
def test_nothing_else_is_served(issuer: LocalIssuer, path: str, method: str) -> None:
    assert ask(issuer, path, method)[0] == 404


def test_head_gives_the_headers_alone(issuer: LocalIssuer) -> None:
    status, headers, body = ask(issuer, JWKS_PATH, "HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) > 0


def test_after_a_rotation_both_old_and_new_tokens_are_good(issuer: LocalIssuer) -> None:
    verifier = verifier_of(issuer)
    old = issuer.mint(USER, now_s=NOW_S)
    assert verifier.verify(old, now_ms=NOW_MS) is not None
    issuer.rotate()
    new = issuer.mint(USER, now_s=NOW_S)
    later_ms = NOW_MS + STALE_AGE_MS
    assert verifier.verify(new, now_ms=later_ms) is not None
    assert verifier.verify(old, now_ms=later_ms) is not None


def test_after_a_withdrawal_old_tokens_are_refused(issuer: LocalIssuer) -> None:
    verifier = verifier_of(issuer)
    old = issuer.mint(USER, now_s=NOW_S)
    assert verifier.verify(old, now_ms=NOW_MS) is not None
    issuer.rotate()
    issuer.withdraw()
    later_ms = NOW_MS + STALE_AGE_MS
    assert verifier.verify(old, now_ms=later_ms) is None
    assert verifier.verify(issuer.mint(USER, now_s=NOW_S), now_ms=later_ms) is not None


def test_rotating_again_and_again_publishes_two_generations(issuer: LocalIssuer) -> None:
    for _ in range(3):
        issuer.rotate()
    assert len(issuer.public_jwks()["keys"]) == 4


def test_the_stack_entry_is_enough_to_mint_elsewhere(issuer: LocalIssuer) -> None:
    entry = issuer.stack_entry()
    forge = Forge(
        private_jwks=entry["private_jwks"]["keys"],
        secret=entry["jwt_secret"],
        issuer=entry["issuer"],
        audience=entry["audience"],
        now_s=NOW_S,
    )
    verifier = verifier_of(issuer)
    for alg in ALGORITHMS:
        assert verifier.verify(forge.token({"alg": alg}), now_ms=NOW_MS) is not None


@pytest.mark.parametrize(("user", "alg"), [("kim", "ES256"), (USER, "none"), (USER, "PS256")])
def test_what_supabase_would_not_issue_is_not_issued(
    issuer: LocalIssuer, user: str, alg: str
) -> None:
    with pytest.raises(ValueError, match=r"UUID|signs with"):
        issuer.mint(user, now_s=NOW_S, alg=alg)
