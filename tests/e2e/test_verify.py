"""Verdicts for backends elsewhere, over HTTP: by hand, and by the examples in other processes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from chatgrid_devkit.stack.ministack import free_port
from tests.support import node_guard
from tests.support.stack.api import Api, assert_envelope, problem
from tests.support.stack.shell import Shell, shell_of

EXAMPLES = Path(__file__).parents[2] / "examples" / "verify"
PROGRAMS = {
    "python": (sys.executable, "verify_client.py"),
    "node": ("node", "verify_client.mjs"),
}
_START_SECONDS = 30.0


@pytest.fixture(scope="module")
def shell(stack: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return shell_of(stack, tmp_path_factory)


@pytest.fixture(scope="module")
def owner(as_user: Callable[..., Api]) -> Api:
    """Whose keys are verified."""
    return as_user(str(uuid4()))


@pytest.fixture(scope="module")
def verifier(shell: Shell, http: httpx.Client) -> str:
    """A key that may ask: only the operator's command makes one."""
    asked = ("keys", "create", "--user", str(uuid4()), "--name", "reports")
    may = ("--scope", "read", "--permission", "keys:verify", "--rate-limit", "1000")
    return shell.run(*asked, *may).stdout.strip()


def asked(http: httpx.Client, key: str, credential: str, **more: Any) -> httpx.Response:
    body = {"credential": credential, "scope": "read", **more}
    return Api(http, key).ask("POST", "/keys/verify", json=body)


def test_a_verdict_is_the_gates_own_and_counts_as_a_request(
    http: httpx.Client, verifier: str, owner: Api
) -> None:
    made = owner.create_key(scopes=["read"], rate_limit=2)
    raw = made["raw_key"]
    first = asked(http, verifier, raw).json()["data"]
    assert (first["valid"], first["code"], first["caller"]["key_id"]) == (True, "valid", made["id"])
    assert first["rate_limit"]["remaining"] == 1
    # A look counts nothing; the gate itself counts on from there.
    assert asked(http, verifier, raw, cost=0).json()["data"]["rate_limit"]["remaining"] == 1
    assert owner.holding(raw).ask("GET", "/me").status_code == 200
    limited = asked(http, verifier, raw).json()["data"]
    assert (limited["valid"], limited["code"]) == (False, "rate_limited")
    # A key of its own: a limit that was refused a moment ago may be told for 5 seconds more.
    gone = owner.create_key()
    owner.ask("DELETE", f"/me/api-keys/{gone['id']}")
    revoked = asked(http, verifier, gone["raw_key"]).json()["data"]
    assert (revoked["code"], revoked["message"]) == ("revoked", "API key has been revoked")


def test_a_key_without_the_permission_gets_no_verdict(http: httpx.Client, owner: Api) -> None:
    """Whatever its scopes are, and whoever it asks about, itself included."""
    for permissions in (None, ["*"], ["keys:*"]):
        made = owner.create_key(scopes=["admin"], permissions=permissions)
        response = asked(http, made["raw_key"], made["raw_key"])
        expected = (403, "forbidden", "Missing required permission: keys:verify")
        assert problem(response) == expected
    refused = owner.ask("POST", "/me/api-keys", json={"name": "x", "permissions": ["keys:verify"]})
    assert problem(refused)[:2] == (400, "validation_error")
    assert refused.json()["details"][0]["code"] == "invalid_value"
    assert asked(http, "nonsense", "nonsense").status_code == 401


@contextmanager
def backend(language: str, url: str, key: str, folder: Path) -> Iterator[str]:
    """The example, copied away, as a backend on this machine: its address."""
    program, name = PROGRAMS[language]
    shutil.copy(EXAMPLES / name, folder / name)
    port = free_port()
    settings = {"CHATGRID_URL": url, "CHATGRID_VERIFY_KEY": key, "PORT": str(port)}
    process = subprocess.Popen(
        [program, name], cwd=folder, env={"PATH": os.environ["PATH"], **settings}
    )
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            assert process.poll() is None
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def seen(url: str, credential: str | None) -> tuple[int, str]:
    headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
    response = httpx.get(f"{url}/reports", headers=headers, timeout=10)
    if response.status_code != 200:
        assert_envelope(response)
        return response.status_code, response.json()["message"]
    return 200, response.json()["reports_of"]


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_backend_in_another_process_lets_in_whom_the_gate_would(
    stack: dict[str, Any], verifier: str, owner: Api, tmp_path: Path, language: str
) -> None:
    if language == "node" and node_guard.missing():
        pytest.skip(node_guard.missing())
    me = owner.ask("GET", "/me").json()["data"]["id"]
    made = owner.create_key(scopes=["read"], rate_limit=2)
    with backend(language, stack["url"], verifier, tmp_path) as url:
        assert seen(url, made["raw_key"]) == (200, me)
        assert seen(url, made["raw_key"]) == (200, me)
        assert seen(url, made["raw_key"]) == (429, "Rate limit exceeded")
        assert seen(url, None) == (401, "Missing or invalid token")
        gone = owner.create_key()
        assert seen(url, gone["raw_key"]) == (200, me)
        owner.ask("DELETE", f"/me/api-keys/{gone['id']}")
        assert seen(url, gone["raw_key"]) == (401, "API key has been revoked")


@pytest.mark.parametrize("language", PROGRAMS)
def test_a_backend_lets_nobody_in_when_there_is_no_verdict(
    stack: dict[str, Any], owner: Api, tmp_path: Path, language: str
) -> None:
    """A gate that is gone, one that never answers, and a key of its own that may not ask."""
    if language == "node" and node_guard.missing():
        pytest.skip(node_guard.missing())
    good = owner.create_key()["raw_key"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gates = {
            f"http://127.0.0.1:{free_port()}/v1": good,
            f"http://127.0.0.1:{silent.getsockname()[1]}/v1": good,
            stack["url"]: owner.create_key()["raw_key"],
        }
        for gate, key in gates.items():
            with backend(language, gate, key, tmp_path) as url:
                assert seen(url, good) == (503, "Service unavailable")
