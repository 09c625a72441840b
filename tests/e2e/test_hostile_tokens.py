"""Every hostile token is answered 401 with the contract's words; valid ones between them pass."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.servers.rogue_server import RogueServer, document
from tests.support.stack.api import assert_envelope
from tests.vectors.jwt.forge import Forge, Recipe, recipes

#: API Gateway's own limit for all headers of a request together.
MOST_HEADER_BYTES = 10_240
REFUSED = {
    "object": "error",
    "status": 401,
    "code": "unauthorized",
    "message": "Missing or invalid token",
}


@pytest.fixture(scope="module")
def trap() -> Iterator[RogueServer]:
    """What the tokens point at; nobody may ever ask there."""
    with RogueServer(document({"keys": []})) as server:
        yield server


@pytest.fixture(scope="module")
def forge(stack: dict[str, Any], trap: RogueServer) -> Forge:
    if "supabase" not in stack:
        pytest.skip("the stack's identity provider gives no private keys: nothing to forge with")
    supabase = stack["supabase"]
    return Forge(
        private_jwks=supabase["private_jwks"]["keys"],
        secret=supabase["jwt_secret"],
        issuer=supabase["issuer"],
        audience=supabase["audience"],
        now_s=int(time.time()),
        trap=trap.url,
    )


def ask(http: httpx.Client, token: str) -> httpx.Response:
    return http.get("me", headers=[(b"Authorization", f"Bearer {token}".encode())])


def can_be_sent(token: str) -> bool:
    """Whether the token survives HTTP: no control characters, nothing that is trimmed off."""
    fits = len(token) < MOST_HEADER_BYTES - 512
    return fits and token.strip(" \t") == token and all(" " <= c < "\ud800" for c in token)


def families() -> dict[str, list[Recipe]]:
    found: dict[str, list[Recipe]] = {}
    for recipe in recipes("hostile"):
        found.setdefault(recipe["family"], []).append(recipe)
    return found


@pytest.mark.parametrize("family", families())
def test_hostile_tokens_are_refused_and_valid_ones_between_them_are_not(
    family: str, forge: Forge, http: httpx.Client, trap: RogueServer
) -> None:
    valid = [recipe for recipe in recipes("valid") if forge.makes(recipe)]
    sent = 0
    for recipe in families()[family]:
        if not forge.makes(recipe):
            continue
        token = forge.token(recipe)
        if not can_be_sent(token):
            continue
        response = ask(http, token)
        assert (response.status_code, response.json()) == (401, REFUSED), recipe["name"]
        assert_envelope(response)
        if sent % 5 == 0:
            good = dict(valid[sent // 5 % len(valid)])
            good["claims"] = {**good.get("claims", {}), "sub": str(uuid4())}
            assert ask(http, forge.token(good)).status_code == 200, good["name"]
        sent += 1
    assert sent > 0
    assert not trap.requests


def test_at_least_120_of_them_can_be_sent(forge: Forge) -> None:
    made = (forge.token(recipe) for recipe in recipes("hostile") if forge.makes(recipe))
    assert sum(map(can_be_sent, made)) >= 120


def test_valid_tokens_are_let_in(forge: Forge, http: httpx.Client) -> None:
    for recipe in filter(forge.makes, recipes("valid")):
        recipe["claims"] = {**recipe.get("claims", {}), "sub": str(uuid4())}
        response = ask(http, forge.token(recipe))
        assert response.status_code == 200, recipe["name"]
        assert response.json()["data"]["auth_mode"] == "jwt"
