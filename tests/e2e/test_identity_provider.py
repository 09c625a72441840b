"""An identity provider that is out is a 503 for JWTs, never a 401, and nothing to API keys."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import httpx

from tests.support.stack.api import Api, assert_envelope
from tests.support.stack.local_stack import LocalStack
from tests.vectors.jwt.forge import Forge


def test_an_identity_providers_outage_is_503_for_jwts_while_keys_work(tmp_path: Path) -> None:
    with socket.socket() as held:  # and not listened on
        held.bind(("127.0.0.1", 0))
        nobody_there = f"http://127.0.0.1:{held.getsockname()[1]}"
        options = ("--parameter", f"SupabaseUrl={nobody_there}")
        with LocalStack(tmp_path / "state", options=options) as stack:
            check(stack, nobody_there)


def check(stack: LocalStack, nobody_there: str) -> None:
    described = stack.described
    supabase = described["supabase"]
    forge = Forge(
        private_jwks=supabase["private_jwks"]["keys"],
        secret=supabase["jwt_secret"],
        issuer=f"{nobody_there}/auth/v1",
        audience=supabase["audience"],
        now_s=int(time.time()),
    )
    with httpx.Client(base_url=described["url"], timeout=30) as http:
        response = Api(http, forge.token({})).ask("GET", "/me")
        assert (response.status_code, response.json()["code"]) == (503, "service_unavailable")
        assert response.headers["retry-after"] == "1"
        assert_envelope(response)
        assert Api(http, forge.token({"alg": "HS256"})).ask("GET", "/me").status_code == 200
        assert Api(http, described["admin_key"]).ask("GET", "/me").status_code == 200
