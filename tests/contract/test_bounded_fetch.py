"""A small document comes whole and from the right server, or not at all; nothing stays open."""

from __future__ import annotations

import datetime
import gc
import socket
import ssl
import threading
from itertools import count
from pathlib import Path

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

from chatgrid_auth.adapters.bounded_fetch import MAX_BYTES, fetch
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.contract.rogue_server import Answer, RogueServer, body, drip, raw

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
def test_a_document_comes_whole_however_it_is_sent(answer: Answer) -> None:
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
