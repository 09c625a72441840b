"""GitHub's keys are fetched, kept and asked for again by the rules of other published keys."""

from __future__ import annotations

import json

import pytest

from chatgrid_auth.adapters.leaks.github_keys import GithubSignatures, fetch_keys
from chatgrid_auth.domain.errors import IdentityProviderUnavailable
from tests.support.servers.rogue_server import RogueServer, body, document

GITHUBS_KEY_ID = "bcb53661c06b4728e59d897fb6165d5c9cda0fd9cdf9d09ead458168deb7518c"
#: The sample of GitHub's documentation of the partner program: body, signature, key.
SAMPLE_BODY = (
    b'[{"source":"commit","token":"some_token","type":"some_type",'
    b'"url":"https://example.com/base-repo-url/"}]'
)
SAMPLE_SIGNATURE = (
    "MEQCIQDaMKqrGnE27S0kgMrEK0eYBmyG0LeZismAEz/BgZyt7AIfXt9fErtRS4XaeSt/"
    "AO1RtBY66YcAdjxji410VQV4xg=="
)
SAMPLE_KEYS = {
    "public_keys": [
        {
            "key_identifier": GITHUBS_KEY_ID,
            "key": (
                "-----BEGIN PUBLIC KEY-----\n"
                "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEYAGMWO8XgCamYKMJS6jc/qgvSlAd\n"
                "AjPuDPRcXU22YxgBrz+zoN19MzuRyW87qEt9/AmtoNP5GrobzUvQSyJFVw==\n"
                "-----END PUBLIC KEY-----\n"
            ),
            "is_current": True,
        }
    ]
}
NOW_MS = 1_800_000_000_000


def holds(signatures: GithubSignatures, content: bytes, signature: str) -> bool:
    return signatures.hold(content, key_id=GITHUBS_KEY_ID, signature=signature, now_ms=NOW_MS)


def test_githubs_published_sample_is_verified_over_its_raw_body() -> None:
    with RogueServer(document(SAMPLE_KEYS)) as server:
        signatures = GithubSignatures(server.url)
        assert holds(signatures, SAMPLE_BODY, SAMPLE_SIGNATURE)
        reordered = json.dumps(json.loads(SAMPLE_BODY)).encode()
        for other in (SAMPLE_BODY + b"\n", SAMPLE_BODY[:-1], reordered, b""):
            assert not holds(signatures, other, SAMPLE_SIGNATURE)
        assert len(server.requests) == 1
        assert b"\r\nUser-Agent: " in server.requests[0]


@pytest.mark.parametrize(
    "signature", ["", "no base 64", "AAAA", SAMPLE_SIGNATURE[:-4], SAMPLE_SIGNATURE * 9, "\u00e9"]
)
def test_no_other_signature_holds_and_none_is_a_fault(signature: str) -> None:
    with RogueServer(document(SAMPLE_KEYS)) as server:
        assert not holds(GithubSignatures(server.url), SAMPLE_BODY, signature)


def test_a_key_of_githubs_that_is_unknown_is_looked_up_once() -> None:
    with RogueServer(document(SAMPLE_KEYS)) as server:
        signatures = GithubSignatures(server.url)
        assert holds(signatures, SAMPLE_BODY, SAMPLE_SIGNATURE)
        for number in range(20):
            later = NOW_MS + 10_000 + number
            assert not signatures.hold(
                SAMPLE_BODY, key_id=f"other{number}", signature=SAMPLE_SIGNATURE, now_ms=later
            )
        assert len(server.requests) == 2


@pytest.mark.parametrize("status", ["403 Forbidden", "500 Internal Server Error"])
def test_keys_out_of_reach_are_a_fault(status: str) -> None:
    with (
        RogueServer(body(b"{}", status=status)) as server,
        pytest.raises(IdentityProviderUnavailable),
    ):
        fetch_keys(server.url)
