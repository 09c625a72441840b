"""The small folder of trust holds AWS's roots, all public ones, and TLS is set up strictly."""

from __future__ import annotations

import contextlib
import re
import ssl
import warnings
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from chatgrid_auth.adapters.awslite import tls
from chatgrid_auth.adapters.awslite.tls import AMAZON_ROOTS, Tls
from tests.support.servers.authority import LOOPBACK, Authority

# The roots that https://www.amazontrust.com/repository/ names, by the SHA-256 of each certificate.
FINGERPRINTS = {
    "Amazon Root CA 1": "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
    "Amazon Root CA 2": "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
    "Amazon Root CA 3": "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
    "Amazon Root CA 4": "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
    "Starfield Services Root Certificate Authority - G2": (
        "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5"
    ),
}


ROOTS = sorted(Path(AMAZON_ROOTS).iterdir())


def certificates(path: Path) -> list[x509.Certificate]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a root of another authority has an odd serial number
        return x509.load_pem_x509_certificates(path.read_bytes())


def test_the_folder_holds_just_the_roots_that_sign_aws_endpoints() -> None:
    found = {
        str(one.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value): (
            one.fingerprint(SHA256()).hex()
        )
        for path in ROOTS
        for one in certificates(path)
    }
    assert found == FINGERPRINTS


def test_every_one_of_them_is_trusted_by_mozilla_too() -> None:
    public = {one.fingerprint(SHA256()) for one in certificates(Path(certifi.where()))}
    assert {one.fingerprint(SHA256()) for path in ROOTS for one in certificates(path)} <= public


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.name)
def test_the_fingerprint_written_in_a_file_is_its_certificates(path: Path) -> None:
    written = re.findall(r"^# SHA-256 ([0-9a-f]{64})$", path.read_text(), re.MULTILINE)
    assert written == [one.fingerprint(SHA256()).hex() for one in certificates(path)]


@pytest.mark.parametrize("path", ROOTS, ids=lambda path: path.name)
def test_openssl_finds_each_root_by_the_name_of_its_file(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server is trusted whose authority is called what the root is, and lies where it does."""
    (root,) = certificates(path)
    authority = Authority(tmp_path, "authority", root.subject)
    folder = tmp_path / "roots"
    folder.mkdir()
    (folder / path.name).write_bytes(authority.pem.read_bytes())
    monkeypatch.setattr(tls, "AMAZON_ROOTS", str(folder))
    shake_hands(Tls()._context, authority.serving(LOOPBACK))
    monkeypatch.undo()
    with pytest.raises(ssl.SSLCertVerificationError):  # the same name, and another key
        shake_hands(Tls()._context, authority.serving(LOOPBACK))


def shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(back, there, server_hostname="127.0.0.1"),
        server.wrap_bio(there, back, server_side=True),
    ]
    for _ in range(2):  # each speaks twice in TLS 1.3
        for side in sides:
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert sides[0].version() == "TLSv1.3"


def test_certificates_and_names_are_verified_with_version_1_2_or_later() -> None:
    context = Tls()._context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_trust_is_widened_once_and_only_for_a_certificate(tmp_path: Path) -> None:
    refused = ssl.SSLCertVerificationError()
    usual = Tls()
    assert not usual.widen_trust(ConnectionResetError())
    assert not usual.widen_trust(ssl.SSLEOFError())
    assert usual.widen_trust(refused)
    assert not usual.widen_trust(refused)
    assert not Tls(str(ROOTS[0])).widen_trust(refused)


def test_a_file_that_is_not_there_is_noticed_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Tls(str(tmp_path / "absent.pem"))
