"""The example's client lets in nobody whom it could not ask about."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chatgrid_devkit.stack.ministack import free_port
from tests.support.servers.authority import LOOPBACK, Authority
from tests.support.servers.rogue_server import RogueServer, document, drip

FILE = Path(__file__).parents[2] / "examples" / "verify" / "verify_client.py"
VALID = {"valid": True, "code": "valid", "caller": {"user_id": "u"}}


def module() -> Any:
    spec = importlib.util.spec_from_file_location("verify_client", FILE)
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


class Gate(BaseHTTPRequestHandler):
    """Stands in for ChatGrid: answers as the test says."""

    status = 200
    body = b""
    asked: list[dict[str, Any]] = []  # noqa: RUF012 - emptied by each test

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        self.asked.append({**json.loads(self.rfile.read(length)), "path": self.path})
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


def serving(handler: Any) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@pytest.fixture
def backend() -> Iterator[tuple[Any, ThreadingHTTPServer]]:
    example = module()
    gate = serving(Gate)
    Gate.asked.clear()
    verifier = example.Verifier(f"http://127.0.0.1:{gate.server_port}/v1", "k", 0.5)
    server = serving(type("Backend", (example.Backend,), {"verifier": verifier}))
    yield server, gate
    for one in (server, gate):
        one.shutdown()
        one.server_close()


def get(server: ThreadingHTTPServer, **headers: str) -> tuple[int, dict[str, Any], Any]:
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=5)
    connection.request("GET", "/reports", headers=headers)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body, response.headers


def tell(verdict: dict[str, Any], status: int = 200) -> None:
    facts = {"message": "m", "retry_after_seconds": None, "caller": None, **verdict}
    Gate.status, Gate.body = status, json.dumps({"data": facts}).encode()


def test_a_valid_credential_is_let_in_with_its_user(backend: Any) -> None:
    tell(VALID)
    status, body, _ = get(
        backend[0], Authorization="Bearer c", **{"X-Forwarded-For": "1.1.1.1, 2.2.2.2"}
    )
    assert (status, body) == (200, {"reports_of": "u"})
    assert Gate.asked == [
        {
            "credential": "c",
            "method": "GET",
            "resource": "/reports",
            "source_ip": "2.2.2.2",
            "path": "/v1/keys/verify",
        }
    ]


@pytest.mark.parametrize(
    ("code", "status", "told"),
    [
        ("invalid", 401, "unauthorized"),
        ("revoked", 401, "unauthorized"),
        ("disabled", 401, "unauthorized"),
        ("expired", 401, "unauthorized"),
        ("what comes later", 401, "unauthorized"),
        ("forbidden", 403, "forbidden"),
        ("ip_not_allowed", 403, "forbidden"),
        ("rate_limited", 429, "rate_limit_exceeded"),
        ("credits_exhausted", 429, "credits_exhausted"),
    ],
)
def test_each_refusal_is_told_in_the_contracts_words(
    backend: Any, code: str, status: int, told: str
) -> None:
    tell({"valid": False, "code": code, "retry_after_seconds": 7 if status == 429 else None})
    given, body, headers = get(backend[0], Authorization="Bearer c")
    assert (given, body["code"], body["message"]) == (status, told, "m")
    assert headers["Retry-After"] == ("7" if status == 429 else None)
    assert headers["WWW-Authenticate"] == ("Bearer" if status == 401 else None)


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 503])
def test_what_is_no_verdict_lets_nobody_in(backend: Any, status: int) -> None:
    tell(VALID, status)
    given, body, headers = get(backend[0], Authorization="Bearer c")
    assert (given, body["code"], headers["Retry-After"]) == (503, "service_unavailable", "1")


@pytest.mark.parametrize("text", [b"", b"{", b"<html>", b"[]", b'{"data": []}', b'{"data": {}}'])
def test_an_answer_that_cannot_be_read_lets_nobody_in(backend: Any, text: bytes) -> None:
    Gate.status, Gate.body = 200, text
    assert get(backend[0], Authorization="Bearer c")[0] == 503


def test_a_gate_that_is_gone_lets_nobody_in(backend: Any) -> None:
    server, gate = backend
    gate.server_close()
    gate.shutdown()
    assert get(server, Authorization="Bearer c")[0] == 503


@pytest.mark.parametrize("secure", [False, True])
def test_an_answer_that_never_pauses_for_long_is_late_all_the_same(
    secure: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes soon after the one before it; the whole, a good one, after the timeout."""
    tls = None
    if secure:
        authority = Authority(tmp_path, "authority")
        tls = authority.serving(LOOPBACK)
        trusting = ssl.create_default_context(cafile=str(authority.pem))
        monkeypatch.setattr(ssl, "create_default_context", lambda: trusting)
    example = module()
    with RogueServer(document({"data": VALID}), tls=tls) as gate:
        assert example.Verifier(f"{gate.url}/v1", "k").verify("c", scope="read") == VALID
        whole = json.dumps({"data": VALID}).encode()
        response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(whole), whole)
        gate.answer = drip(response, every_seconds=0.005)
        with pytest.raises(example.Unavailable):
            example.Verifier(f"{gate.url}/v1", "k", 0.25).verify("c", scope="read")


def test_an_address_that_is_gone_leaves_time_for_the_next(
    backend: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        ports = (gone.getsockname()[1], backend[1].server_port)
    both = [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port)) for port in ports]
    example = module()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    tell(VALID)
    verifier = example.Verifier("http://gate.invalid/v1", "k", 5)
    assert verifier.verify("c", scope="read")["valid"] is True


def test_without_a_credential_nobody_is_asked(backend: Any) -> None:
    for header in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}):
        assert get(backend[0], **header)[0] == 401
    assert Gate.asked == []


def started(program: str, **settings: str) -> subprocess.Popen[str]:
    """The example as a process of its own, with nothing in its environment but what is given."""
    command = [sys.executable, str(FILE)]
    if program == "node":
        command = ["node", str(FILE.with_suffix(".mjs"))]
    return subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


PROGRAMS = pytest.mark.parametrize(
    "program",
    [
        "python",
        pytest.param("node", marks=pytest.mark.skipif(not shutil.which("node"), reason="no Node")),
    ],
)


@PROGRAMS
@pytest.mark.parametrize("given", [{}, {"CHATGRID_URL": "https://a.example/v1"}])
def test_without_its_settings_it_says_which_and_does_not_start(
    program: str, given: dict[str, str]
) -> None:
    process = started(program, PORT="0", **given)
    try:
        said, complaint = process.communicate(timeout=10)
    finally:
        process.kill()
    assert process.returncode == 1
    assert said == ""
    (line,) = complaint.splitlines()
    missing = [name for name in ("CHATGRID_URL", "CHATGRID_VERIFY_KEY") if name not in given]
    assert line.startswith(f"Set {' and '.join(missing)} in the environment")


@PROGRAMS
def test_it_prints_its_address_when_it_serves(program: str) -> None:
    port = free_port()
    settings = {"CHATGRID_URL": "https://a.example/v1", "CHATGRID_VERIFY_KEY": "k"}
    process = started(program, PORT=str(port), **settings)
    try:
        assert answered(process, port) == 401
    finally:
        process.kill()
        said, _ = process.communicate()
    assert said == f"Serving http://127.0.0.1:{port}/reports\n"


def answered(process: subprocess.Popen[str], port: int) -> int:
    """The status of a request without a credential, once the process serves."""
    while process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/reports")
            return connection.getresponse().status
        except ConnectionRefusedError:
            time.sleep(0.05)
        finally:
            connection.close()
    return 0
