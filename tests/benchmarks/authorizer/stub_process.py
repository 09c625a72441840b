"""Starts and ends the stub, and asks it what it has counted."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.benchmarks.authorizer.material import ROOT


def write_certificate(folder: Path) -> None:
    """Write ``certificate.pem`` and ``private_key.pem``: a certificate for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    (folder / "private_key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Stub:
    """The running stub, from ``with`` to its end.

    Args:
        folder: for its settings; its certificate is there already.
        settings: see ``stub.Store``.

    Attributes:
        url: where it speaks plain HTTP.
        tls_url: where it speaks TLS, as ``localhost``.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self._folder = folder
        self._settings = settings

    def __enter__(self) -> Stub:
        files = {name: str(self._folder / f"{name}.pem") for name in ("certificate", "private_key")}
        path = self._folder / "stub.json"
        path.write_text(json.dumps({**self._settings, **files}), "utf-8")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.authorizer.stub", str(path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        plain, tls = json.loads(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{plain}"
        self.tls_url = f"https://localhost:{tls}"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def statistics(self) -> dict[str, Any]:
        """What was asked so far: requests by operation, write units, read units."""
        found: dict[str, Any] = self._get("/statistics")
        return found

    def grow(self, count: int) -> None:
        """Make it hold this many credentials."""
        self._get(f"/grow/{count}")

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=120) as answer:
            return json.loads(answer.read())
