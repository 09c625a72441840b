from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.key_errors import InvalidCursor
from chatgrid_auth.http_api.pagination import decode_cursor, encode_cursor


@given(st.uuids())
def test_a_cursor_leads_back_to_the_id_it_was_made_from(item_id: UUID) -> None:
    assert decode_cursor(encode_cursor(str(item_id))) == str(item_id)


@given(st.text(max_size=30))
def test_any_other_text_is_no_cursor(text: str) -> None:
    try:
        item_id = decode_cursor(text)
    except InvalidCursor:
        return
    assert encode_cursor(item_id) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A" * 21,
        "A" * 23,
        "A" * 21 + "B",
        "A" * 21 + "=",
        "A" * 22 + "==",
        "A" * 20 + "+A",
        "A" * 22 + "\n",
    ],
)
def test_near_misses_are_no_cursors(text: str) -> None:
    with pytest.raises(InvalidCursor):
        decode_cursor(text)
