"""Reading a token never fails in any other way than by saying no."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.jwt.parts import MAX_TOKEN_LENGTH, is_key_id, read_unverified
from tests.vectors.jwt.forge import b64

HEADER = b64(b'{"alg":"ES256","typ":"JWT","kid":"k1"}')
CLAIMS = b64(b'{"sub":"x"}')

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
_names = st.sampled_from(["alg", "typ", "kid", "crit", "jwk", "b64", "zip"])


def test_what_is_read_is_what_was_written() -> None:
    token = read_unverified(f"{HEADER}.{CLAIMS}.AAAA")
    assert token is not None
    assert (token.algorithm, token.key_id, token.claims) == ("ES256", "k1", {"sub": "x"})
    assert token.payload == b'{"sub":"x"}'


def test_the_longest_token_is_read_and_one_longer_is_not() -> None:
    room = MAX_TOKEN_LENGTH - len(f"{HEADER}.{CLAIMS}.")
    assert read_unverified(f"{HEADER}.{CLAIMS}.{'A' * room}") is not None
    assert read_unverified(f"{HEADER}.{CLAIMS}.{'A' * (room + 4)}") is None


@pytest.mark.parametrize(
    "token",
    [
        f"{HEADER}.{CLAIMS}.AB",  # the last bits say nothing, and are not zero
        f"{HEADER}.{CLAIMS}.AAAAA",
        f"{HEADER}.{CLAIMS}.AA==",
        f"{HEADER}.{CLAIMS[:-1]}{chr(ord(CLAIMS[-1]) + 1)}.AAAA",
    ],
)
def test_each_token_has_one_spelling(token: str) -> None:
    assert read_unverified(token) is None


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    read_unverified(text)


@given(st.lists(st.binary(max_size=60), min_size=3, max_size=3))
def test_any_three_parts_are_read_or_refused(parts: list[bytes]) -> None:
    read_unverified(".".join(b64(part) for part in parts))


@given(st.dictionaries(_names, _json), _json)
def test_any_json_is_read_or_refused(header: object, claims: object) -> None:
    head, body = (b64(json.dumps(part).encode()) for part in (header, claims))
    token = read_unverified(f"{head}.{body}.AAAA")
    assert token is None or isinstance(token.claims, dict)


@pytest.mark.parametrize("key_id", ["k", "4f2b0e7c-4f37-4c66-8c0e-000000000000", "A.b_c~d-9"])
def test_names_that_providers_choose_are_key_ids(key_id: str) -> None:
    assert is_key_id(key_id)


@pytest.mark.parametrize("key_id", ["", "a/b", "a b", "a\n", "\u00e4", "k" * 129, None, 1, ["k"]])
def test_anything_else_is_no_key_id(key_id: object) -> None:
    assert not is_key_id(key_id)
