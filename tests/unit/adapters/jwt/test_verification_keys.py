"""A key verifies with one algorithm; what is no such key is not taken for one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt import PyJWK, encode
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from chatgrid_auth.adapters.jwt.jwks import parse_jwks
from chatgrid_auth.adapters.jwt.key_set import KeySet
from chatgrid_auth.adapters.jwt.verification_keys import public_key, shared_secret
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.vectors.jwt.forge import new_private_jwks, public_jwk

EC_KEY, RSA_KEY, ED_KEY = new_private_jwks()
BY_ALGORITHM = {"ES256": EC_KEY, "RS256": RSA_KEY, "EdDSA": ED_KEY}


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_the_algorithm_follows_from_the_kind_of_key(algorithm: str) -> None:
    jwk = public_jwk(BY_ALGORITHM[algorithm])
    del jwk["alg"], jwk["use"]
    key = public_key(jwk)
    assert key is not None
    assert key.algorithm == algorithm


def test_private_members_are_never_read() -> None:
    broken = {**EC_KEY, "d": 1}
    assert public_key(broken) is not None


def _small_rsa() -> dict[str, Any]:
    jwk: dict[str, Any] = RSAAlgorithm.to_jwk(
        rsa.generate_private_key(65_537, 1_024).public_key(), as_dict=True
    )
    return jwk


def _p384() -> dict[str, Any]:
    jwk: dict[str, Any] = ECAlgorithm.to_jwk(
        ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True
    )
    return jwk


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"},
        {"kty": None},
        {"kty": "EC2"},
        {"kty": ["EC"]},
        {"kty": "RSA"},
        {"kty": "OKP"},
        {"crv": "P-384"},
        {"crv": "P-521"},
        {"crv": "secp256k1"},
        {"crv": "Ed25519"},
        {"crv": None},
        {"crv": ["P-256"]},
        {"crv": "P-256 "},
        {"alg": "RS256"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"use": "enc"},
        {"use": None},
        {"key_ops": ["sign"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"key_ops": None},
        {"kid": None},
        {"kid": ""},
        {"kid": 7},
        {"kid": "../../dev/null"},
        {"x": None},
        {"x": ""},
        {"x": 5},
        {"x": ["a"]},
        {"x": "AA"},
        {"x": "!" * 43},
        {"x": "\u00e4" * 43},
        {"x": "A" * 43},  # not on the curve
        {"y": "A" * 43},
        {"x": "A" * 43, "y": "A" * 43},  # the point at infinity, as some would write it
        {"x": "A" * 20_000},
    ],
    ids=str,
)
def test_a_jwk_that_is_not_a_usable_signing_key_is_no_key(change: dict[str, Any]) -> None:
    assert public_key(public_jwk(EC_KEY)) is not None
    assert public_key({**public_jwk(EC_KEY), **change}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"n": "AQAB"},
        {"n": ""},
        {"e": "AA"},
        {"e": "AQ"},  # 1: the signature is the message
        {"e": "Ag"},
        {"e": None},
        {"n": 3},
        {"alg": "RS512"},
        {"alg": "PS256"},
        {"alg": "RSA-OAEP"},
        {"n": "_" * 5_000},
    ],
    ids=lambda change: str(change)[:40],
)
def test_an_rsa_jwk_unusable_for_signing_is_no_key(change: dict[str, Any]) -> None:
    assert public_key({**public_jwk(RSA_KEY), **change}) is None


def test_rsa_keys_below_2048_bits_are_no_keys() -> None:
    assert public_key({**_small_rsa(), "kid": "small"}) is None


def test_other_curves_are_no_keys_whatever_algorithm_they_name() -> None:
    assert public_key({**_p384(), "kid": "k", "alg": "ES256"}) is None


def test_one_broken_key_does_not_spoil_the_others() -> None:
    document = {"keys": [{}, {"kty": "oct", "k": "AAAA"}, public_jwk(RSA_KEY), {"kty": 1}]}
    keys = parse_jwks(json.dumps(document).encode())
    assert keys.get(RSA_KEY["kid"], "RS256") is not None


def test_a_set_without_keys_is_a_set() -> None:
    assert not parse_jwks(b'{"keys":[]}').knows("k")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b"{}",
        b'{"keys":null}',
        b'{"keys":{}}',
        b'{"keys":"none"}',
        b'{"keys":[1]}',
        b'{"keys":[null]}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[]',
        b'{"keys":[]}{"keys":[]}',
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"keys":[{"kid":"\xff"}]}',
    ],
    ids=lambda document: str(document[:20]),
)
def test_what_is_not_a_key_set_is_a_fault(document: bytes) -> None:
    """It is not taken for an empty set."""
    with pytest.raises(IdentityProviderUnavailable):
        parse_jwks(document)


def test_what_was_read_must_be_what_was_signed() -> None:
    key = public_key(public_jwk(EC_KEY))
    assert key is not None
    token = encode({"sub": "x"}, PyJWK(EC_KEY), algorithm="ES256")
    assert key.verifies(token, payload=b'{"sub":"x"}')
    assert not key.verifies(token, payload=b'{"sub":"y"}')


@pytest.mark.parametrize("algorithm", ["ES256", "RS256", "EdDSA"])
def test_a_key_is_found_by_name_and_algorithm_together(algorithm: str) -> None:
    jwk = BY_ALGORITHM[algorithm]
    key = public_key(public_jwk(jwk))
    assert key is not None
    keys = KeySet([key])
    assert keys.get(jwk["kid"], algorithm) is key
    others = {"ES256", "RS256", "EdDSA", "HS256", "none"} - {algorithm}
    assert all(keys.get(jwk["kid"], other) is None for other in others)


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "short",
        "x" * 31,
        "x" * 4_097,
        PyJWK(public_jwk(EC_KEY))
        .key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        .decode(),
        json.dumps(public_jwk(EC_KEY)),
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ",
    ],
    ids=lambda secret: secret[:12],
)
def test_what_cannot_be_a_secret_is_not_taken_for_one(secret: str) -> None:
    with pytest.raises(ValueError, match="JWT secret") as caught:
        shared_secret(secret)
    assert not secret or secret not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_secret_verifies_hs256_only() -> None:
    keys = KeySet([shared_secret("x" * 32)])
    assert keys.get("", "HS256") is not None
    assert keys.get("", "ES256") is None
