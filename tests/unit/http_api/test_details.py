from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain import keys
from chatgrid_auth.http_api.details import details_of, safe_path


def test_places_are_dotted_paths() -> None:
    assert safe_path(["name"]) == "name"
    assert safe_path(["scopes", 0]) == "scopes.0"
    assert safe_path([]) == "body"


@given(st.integers(4, 41))
def test_a_piece_of_a_key_is_not_repeated(length: int) -> None:
    """Wherever a name was to stand."""
    raw_key = keys.generate("live", entropy=os.urandom)
    assert safe_path([raw_key[:length]]) == "body"


@pytest.mark.parametrize(
    "name", ["eyJhbGciOiJFUzI1NiJ9", "a b", "\x00", "é", "", "x" * 25, "<script>"]
)
def test_strange_names_are_not_repeated(name: str) -> None:
    assert safe_path([name]) == "body"


def test_an_unforeseen_rule_still_gives_our_words() -> None:
    error = {"type": "brand_new", "loc": ("body", "name"), "msg": "cgk_live_x", "input": "y"}
    assert details_of([error]) == [
        {"code": "invalid_value", "path": "name", "message": "Invalid value"}
    ]
