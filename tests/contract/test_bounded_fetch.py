"""A small document comes whole and from the right server, or not at all; nothing stays open."""

from __future__ import annotations

import datetime
import gc
import socket
import ssl
import threading
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from chatgrid_auth.adapters.awslite.bounded_fetch import MAX_BYTES, TIMEOUT_SECONDS, fetch
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.contract.rogue_server import Response, RogueServer, body, drip, raw

OK = b"HTTP/1.1 200 OK\r\n"


def test_the_largest_document_comes_whole_and_one_byte_more_does_not() -> None:
    with RogueServer(body(b"x" * MAX_BYTES)) as server:
        assert fetch(server.url, headers={}) == b"x" * MAX_BYTES
        server.answer = body(b"x" * (MAX_BYTES + 1))
        with pytest.raises(IdentityProviderUnavailable):
            fetch(server.url, headers={})


@pytest.mark.parametrize(
    "answer",
    [
        body(b"document"),
        raw(OK + b"\r\ndocument"),
        raw(OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\ndoc\r\n5\r\nument\r\n0\r\n\r\n"),
        drip(OK + b"Content-Length: 8\r\nConnection: close\r\n\r\ndocument", every_seconds=0.001),
        drip(OK + b"Connection: close\r\n\r\ndocument", every_seconds=0.001),
    ],
    ids=["length", "until the end", "chunks", "slowly", "slowly until the end"],
)
def test_a_document_comes_whole_however_it_is_sent(answer: Response) -> None:
    with RogueServer(answer) as server:
        assert fetch(server.url, headers={}) == b"document"
        assert fetch(f"{server.url}/path", headers={"X-Y": "z"}, body=b"question") == b"document"
        assert server.requests[0].startswith(b"GET / HTTP/1.1\r\n")
        assert server.requests[1].startswith(b"POST /path HTTP/1.1\r\n")
        assert b"X-Y: z\r\n" in server.requests[1]
    gc.collect()  # an open socket would be a ResourceWarning, and warnings are errors


@pytest.mark.parametrize(
    "head", [OK, OK + b"Connection: close\r\n\r\n", OK + b"Content-Length: 9000\r\n\r\n"]
)
def test_the_deadline_is_for_all_reads_together(head: bytes) -> None:
    ticks = count()  # a second passes between any two looks at the clock
    with RogueServer(drip(head + b"X" * 9_000, every_seconds=0.001)) as server:
        with pytest.raises(IdentityProviderUnavailable) as caught:
            fetch(server.url, headers={}, timeout_seconds=20, monotonic=lambda: next(ticks))
        assert isinstance(caught.value.__cause__, TimeoutError)
    assert next(ticks) < 30, "it went on reading after the deadline"


class Network:
    """A name with several addresses, and a clock that only connecting and handshakes move on.

    Attributes:
        seconds: the clock.
        port: where 127.0.0.1 listens. Whatever is sent to the others is dropped.
        connecting_takes: how long 127.0.0.1 takes to answer.
        allowed: what could have been waited for, step by step.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.port = 9
        self.connecting_takes = 0.0
        self.allowed: list[tuple[str, float | None]] = []
        self._addresses: list[str] = []

    def resolves_to(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    def monotonic(self) -> float:
        return self.seconds

    def look_up(self, *_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, self.port))
            for address in self._addresses
        ]

    def passes(self, step: str, sock: socket.socket, seconds: float) -> None:
        allowed = sock.gettimeout()
        self.allowed.append((step, allowed))
        assert allowed is not None, f"without an end: {step}"
        self.seconds += min(seconds, allowed)
        if seconds > allowed:
            raise TimeoutError


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    net = Network()

    class Socket(socket.socket):
        is_the_servers = True
        told: float | None = None

        def settimeout(self, value: float | None) -> None:
            # Remembered, and not kept to: the clock of the test stands still while it waits.
            self.told = value
            super().settimeout(30)

        def gettimeout(self) -> float | None:
            return self.told

        def connect(self, address: Any) -> None:
            dropped = address[0] != "127.0.0.1"
            self.is_the_servers = False
            net.passes("connect", self, 1_000 if dropped else net.connecting_takes)
            super().connect(address)

        def sendall(self, *arguments: Any) -> None:
            if not self.is_the_servers:
                net.passes("send", self, 0)
            super().sendall(*arguments)

    def handshake(_: ssl.SSLContext, sock: socket.socket, **__: object) -> socket.socket:
        net.passes("handshake", sock, 0.25)
        return sock

    monkeypatch.setattr(socket, "getaddrinfo", net.look_up)
    monkeypatch.setattr(socket, "socket", Socket)
    monkeypatch.setattr(ssl.SSLContext, "wrap_socket", handshake)
    return net


@pytest.mark.parametrize("addresses", [1, 2, 8])
def test_a_name_whose_addresses_all_drop_everything_takes_no_longer_than_a_fetch(
    network: Network, addresses: int
) -> None:
    network.resolves_to(*(f"127.0.0.{number}" for number in range(2, 2 + addresses)))
    with pytest.raises(IdentityProviderUnavailable):
        fetch("http://silent", headers={}, monotonic=network.monotonic)
    assert network.seconds == TIMEOUT_SECONDS
    assert len(network.allowed) == addresses


def test_an_address_that_drops_everything_leaves_time_for_the_next(network: Network) -> None:
    with RogueServer(body(b"document")) as server:
        network.port = server.port
        network.resolves_to("127.0.0.2", "127.0.0.3", "127.0.0.1")
        assert fetch("http://half", headers={}, monotonic=network.monotonic) == b"document"


def test_each_step_may_take_what_those_before_have_left(network: Network) -> None:
    network.connecting_takes = 1.5
    with RogueServer(body(b"document")) as server:
        network.port = server.port
        network.resolves_to("127.0.0.1")
        assert fetch("https://slow", headers={}, monotonic=network.monotonic) == b"document"
    assert network.allowed == [("connect", 2.0), ("handshake", 0.5), ("send", 0.25)]


def _certificate(folder: Path, name: str) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / f"{name}.pem", folder / f"{name}.key"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return pem, private


def _serve_once(pem: Path, private: Path) -> tuple[int, threading.Thread]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            client, _ = listener.accept()
            client.settimeout(5)
            try:
                with context.wrap_socket(client, server_side=True) as secured:
                    secured.recv(4_096)
                    secured.sendall(OK + b"Content-Length: 8\r\n\r\ndocument")
            except (ssl.SSLError, ConnectionError):
                client.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return listener.getsockname()[1], thread


@pytest.mark.parametrize(
    ("name", "trusted", "comes"),
    [("localhost", True, True), ("localhost", False, False), ("other.example", True, False)],
    ids=["trusted", "unknown issuer", "another name"],
)
def test_tls_is_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, trusted: bool, comes: bool
) -> None:
    pem, private = _certificate(tmp_path, name)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    port, thread = _serve_once(pem, private)
    url = f"https://localhost:{port}"
    if comes:
        assert fetch(url, headers={}) == b"document"
    else:
        with pytest.raises(IdentityProviderUnavailable) as caught:
            fetch(url, headers={})
        assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    thread.join(5)
