"""The command prints a token and nothing else, or says in one line why it cannot."""

from __future__ import annotations

import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest
from jwt import decode

from chatgrid_devkit.identity import mint
from chatgrid_devkit.identity.issuer import LocalIssuer
from tests.vectors.jwt.forge import USER

FIRST_USER = "6f1f0a8e-6b5b-4b8e-9a36-0f2b7e4a1c11"
BASE_URL = "http://127.0.0.1:8765"


@pytest.fixture
def stack(tmp_path: Path) -> Path:
    issuer = LocalIssuer(tmp_path, BASE_URL)
    file = tmp_path / "stack.json"
    described = {"url": "http://127.0.0.1:1", "user_id": FIRST_USER}
    file.write_text(json.dumps({**described, "supabase": issuer.stack_entry()}))
    return file


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = decode(token, options={"verify_signature": False})
    return claims


def test_without_a_user_the_token_is_the_first_users(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mint.main(["--stack", str(stack)]) == 0
    assert claims_of(capsys.readouterr().out.strip())["sub"] == FIRST_USER


def test_a_token_is_all_that_is_printed(stack: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--user", USER, "--email", "kim@example.org", "--alg", "HS256", "--expires", "60"]
    assert mint.main(["--stack", str(stack), *options]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    claims = claims_of(printed.out.strip())
    assert (claims["sub"], claims["email"], claims["is_anonymous"]) == (
        USER,
        "kim@example.org",
        False,
    )
    assert claims["exp"] - claims["iat"] == 60
    assert claims["iss"] == f"{BASE_URL}/auth/v1"
    assert abs(claims["iat"] - time.time()) < 60


def test_anonymous_and_expired_tokens_can_be_had(
    stack: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mint.main(["--stack", str(stack), "--anonymous", "--expires", "-5"]) == 0
    claims = claims_of(capsys.readouterr().out.strip())
    assert claims["is_anonymous"] is True
    assert claims["exp"] < claims["iat"]


@pytest.mark.parametrize(("options", "keys"), [(["--rotate"], 4), (["--rotate", "--withdraw"], 2)])
def test_rotation_is_seen_by_the_provider_and_written_into_the_stack(
    stack: Path, capsys: pytest.CaptureFixture[str], options: list[str], keys: int
) -> None:
    provider = LocalIssuer(stack.parent, BASE_URL)
    before = provider.public_jwks()["keys"][0]["kid"]
    assert mint.main(["--stack", str(stack), *options]) == 0
    published = [key["kid"] for key in provider.public_jwks()["keys"]]
    assert len(published) == keys
    assert published[0] != before
    written = json.loads(stack.read_text("utf-8"))
    assert written["url"] == "http://127.0.0.1:1"
    assert [key["kid"] for key in written["supabase"]["private_jwks"]["keys"]] == published
    assert stat.S_IMODE(stack.stat().st_mode) == 0o600
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"supabase":{}}', '{"supabase":1}'])
def test_without_a_running_stack_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    file = tmp_path / "stack.json"
    if content is not None:
        file.write_text(content)
    assert mint.main(["--stack", str(file)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("\n") == 1
    assert "make dev" in printed.err
