"""A small document comes whole and from the right server, or not at all; nothing stays open."""

from __future__ import annotations

import datetime
import gc
import select
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

from chatgrid_auth.adapters.awslite import deadline_socket
from chatgrid_auth.adapters.awslite.fetch import MAX_BYTES, TIMEOUT_SECONDS, fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from tests.support.servers.rogue_server import Response, RogueServer, body, drip, raw

OK = b"HTTP/1.1 200 OK\r\n"


def test_the_largest_document_comes_whole_and_one_byte_more_does_not() -> None:
    with RogueServer(body(b"x" * MAX_BYTES)) as server:
        assert fetch(server.url, headers={}) == b"x" * MAX_BYTES
        server.answer = body(b"x" * (MAX_BYTES + 1))
        with pytest.raises(HttpFault):
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
        with pytest.raises(HttpFault) as caught:
            fetch(server.url, headers={}, timeout_seconds=20, clock=lambda: next(ticks))
        assert caught.value.code in {"ReadTimeout", "ConnectTimeout"}
    assert next(ticks) < 30, "it went on reading after the deadline"


class Network:
    """A name with several addresses, and a clock that only waiting moves on.

    Attributes:
        seconds: the clock.
        port: where 127.0.0.1 listens. Whatever is sent to the others is dropped.
        connecting_takes, handshake_takes: how long 127.0.0.1 takes for it.
        allowed: for how long each address, and then the handshake, could have been waited for.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.port = 9
        self.connecting_takes = 0.0
        self.allowed: list[float] = []
        self._addresses: list[str] = []

    def resolves_to(self, *addresses: str) -> None:
        self._addresses = list(addresses)

    def clock(self) -> float:
        return self.seconds

    def look_up(self, *_: object, **__: object) -> list[Any]:
        return [
            (socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, self.port))
            for address in self._addresses
        ]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    net = Network()

    class Socket(socket.socket):
        dropped = False

        def connect(self, address: Any) -> None:
            self.dropped = address[0] != "127.0.0.1"
            if not self.dropped:
                self.setblocking(True)
                super().connect(address)
                self.setblocking(False)
            raise BlockingIOError

    class Poller:
        """Waits for connections in the test's time, and for data in real time."""

        def __init__(self) -> None:
            self._real = select.poll()
            self._connecting = True

        def register(self, sock: Socket, event: int) -> None:
            self._socket = sock
            self._real.register(sock, event)

        def modify(self, sock: socket.socket, event: int) -> None:
            self._real.modify(sock, event)

        def poll(self, left_ms: float) -> list[Any]:
            if not self._connecting:
                return self._real.poll(5_000)
            self._connecting = False
            net.allowed.append(left_ms / 1000)
            takes = 1_000.0 if self._socket.dropped else net.connecting_takes
            net.seconds += min(takes, left_ms / 1000)
            return [] if takes > left_ms / 1000 else [(0, select.POLLOUT)]

    monkeypatch.setattr(socket, "getaddrinfo", net.look_up)
    monkeypatch.setattr(socket, "socket", Socket)
    monkeypatch.setattr(deadline_socket, "poll", Poller)
    return net


@pytest.mark.parametrize("addresses", [1, 2, 8])
def test_a_name_with_only_silent_addresses_takes_one_fetchs_time(
    network: Network, addresses: int
) -> None:
    network.resolves_to(*(f"127.0.0.{number}" for number in range(2, 2 + addresses)))
    with pytest.raises(HttpFault, match="ConnectTimeout"):
        fetch("http://silent", headers={}, clock=network.clock)
    assert network.seconds == TIMEOUT_SECONDS
    assert len(network.allowed) == addresses


def test_an_address_that_drops_everything_leaves_time_for_the_next(network: Network) -> None:
    with RogueServer(body(b"document")) as server:
        network.port = server.port
        network.resolves_to("127.0.0.2", "127.0.0.3", "127.0.0.1")
        assert fetch("http://half", headers={}, clock=network.clock) == b"document"
    assert network.allowed == [1.0, 0.5, 0.5]


def test_the_response_may_take_what_connecting_has_left(network: Network) -> None:
    network.connecting_takes = 1.5
    with RogueServer(body(b"document")) as server:
        network.port = server.port
        network.resolves_to("127.0.0.1")
        assert fetch("http://slow", headers={}, clock=network.clock) == b"document"
        network.connecting_takes = 2.5
        with pytest.raises(HttpFault, match="ConnectTimeout"):
            fetch("http://slower", headers={}, clock=network.clock)


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
        with pytest.raises(HttpFault) as caught:
            fetch(url, headers={})
        assert caught.value.code == "SSLCertVerificationError"
    thread.join(5)
