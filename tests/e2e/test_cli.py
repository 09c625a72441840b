"""The operator's command beside the running system: what it makes and revokes, the API sees."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.stack.api import Api, mint, problem
from tests.support.stack.local_stack import LocalStack
from tests.support.stack.shell import Shell, shell_of


@pytest.fixture(scope="session")
def shell(stack: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return shell_of(stack, tmp_path_factory)


@pytest.fixture
def api(http: httpx.Client) -> Callable[[str], Api]:
    return lambda credential: Api(http, credential)


def test_the_commands_key_works_until_the_command_revokes_it(
    shell: Shell, api: Callable[[str], Api], tmp_path: Path
) -> None:
    """It works at once."""
    user, file = str(uuid4()), tmp_path / "key"
    made = shell.ask(
        *("keys", "create", "--user", user, "--name", "CLI", "--rate-limit", "9"),
        *("--scope", "read", "--out", str(file)),
    )["data"]
    raw_key = file.read_text().strip()
    me = api(raw_key).ask("GET", "/me")
    assert me.status_code == 200
    assert me.json()["data"]["id"] == user
    assert me.headers["x-ratelimit-limit"] == "9"
    shown = shell.ask("keys", "show", made["id"])["data"]
    assert shown["last_used_at"] is not None
    assert shown["rate_limit_remaining"] == 8
    verdict = shell.ask("verify", "--scope", "write", given=raw_key, exit_code=1)["data"]
    assert (verdict["status"], verdict["message"]) == (403, "Missing required scope: write")
    assert problem(api(raw_key).ask("POST", "/boards", json={}))[:2] == (403, "forbidden")
    shell.ask("keys", "revoke", made["id"], "--yes")
    assert problem(api(raw_key).ask("GET", "/me"))[2] == "API key has been revoked"
    verdict = shell.ask("verify", given=raw_key, exit_code=1)["data"]
    assert (verdict["message"], verdict["key_id"]) == ("API key has been revoked", made["id"])


def test_verify_says_what_the_gate_says_and_uses_no_budget(
    shell: Shell, stack: dict[str, Any], api: Callable[[str], Api]
) -> None:
    user = str(uuid4())
    token = mint(stack["supabase"], user)
    for _ in range(2):
        verdict = shell.ask("verify", "--scope", "admin", given=token)["data"]
        assert (verdict["outcome"], verdict["user_id"]) == ("allowed", user)
        assert verdict["rate_limit_remaining"] == 200
    assert api(token).ask("GET", "/me").headers["x-ratelimit-remaining"] == "199"
    late = mint(stack["supabase"], user, lifetime_s=-60)
    assert shell.ask("verify", given=late, exit_code=1)["data"]["reason"] == "invalid_token"
    assert api(late).ask("GET", "/me").status_code == 401


def test_a_key_of_ours_moves_here_by_its_hash(
    shell: Shell, api: Callable[[str], Api], tmp_path: Path
) -> None:
    from chatgrid_auth.domain import keys  # noqa: PLC0415 - for a key that this stack never made

    raw_key, user = keys.generate("test", entropy=lambda size: uuid4().bytes * 2), str(uuid4())
    file = tmp_path / "moved.csv"
    file.write_text(f"hash,owner,scopes\n{sha256(raw_key.encode()).hexdigest()},{user},write\n")
    assert problem(api(raw_key).ask("GET", "/boards"))[0] == 401
    assert shell.ask("import", str(file), "--dry-run")["data"]["created"] == 1
    assert shell.ask("import", str(file))["data"]["created"] == 1
    assert shell.ask("import", str(file))["data"]["existing"] == 1
    assert len(shell.ask("users", "keys", user)["data"]) == 1
    exported = shell.run("export", "--user", user).stdout
    assert json.loads(exported)["environment"] == "live"
    assert sha256(raw_key.encode()).hexdigest() not in exported
    # The doctor would rightly tell of it: this stack refuses what was imported.
    shell.ask("users", "revoke", user, "--yes")


def test_keys_of_another_system_work_where_a_parameter_allows_them(
    tmp_path: Path, api: Callable[[str], Api], stack: dict[str, Any]
) -> None:
    raw_key, user = f"sk_old_{uuid4().hex}", str(uuid4())
    line = {"hash": sha256(raw_key.encode()).hexdigest(), "owner": user, "scopes": ["read"]}
    file = tmp_path / "old.jsonl"
    file.write_text(json.dumps({**line, "environment": "test", "rate_limit": 2}))
    assert problem(api(raw_key).ask("GET", "/boards"))[0] == 401  # where it does not
    options = ("--parameter", "AllowImportedKeys=true")
    with LocalStack(tmp_path / "state", options=options) as allowing:
        shell = Shell(allowing.state)
        assert shell.ask("import", str(file))["data"]["created"] == 1
        assert shell.ask("verify", given=raw_key)["data"]["environment"] == "test"
        with httpx.Client(base_url=allowing.described["url"], timeout=30) as http:
            holder = Api(http, raw_key)
            me = holder.ask("GET", "/me")
            assert me.status_code == 200
            assert me.json()["data"]["id"] == user
            assert me.json()["data"]["api_key"]["environment"] == "test"
            assert problem(holder.ask("POST", "/boards", json={}))[0] == 403
            assert holder.ask("GET", "/boards").status_code == 200
            assert holder.ask("GET", "/boards").status_code == 429
            wrong = Api(http, raw_key + "x").ask("GET", "/me")
            assert problem(wrong)[2] == "Missing or invalid token"
    places = [path for path in allowing.state.rglob("*") if path.is_file()]
    assert any(path.name == "dynamodb.json" for path in places)
    for place in [*places, allowing.output]:
        assert raw_key.encode() not in place.read_bytes(), place


def test_the_doctor_finds_the_running_stack_in_order(shell: Shell) -> None:
    findings = shell.ask("doctor")["data"]["findings"]
    # How many gateway keys wait depends on how many keys other tests have just made.
    amiss = [
        found
        for found in findings
        if found["status"] not in {"ok", "skipped"} and found["check"] != "reconciler queue"
    ]
    assert amiss == []
    assert [f["status"] for f in findings if f["check"] == "from outside"] == ["ok"]
