from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.http_api.json_body import parse
from chatgrid_auth.http_api.problems import Problem

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffd"), max_size=20)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_every_json_value_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=40))
def test_arbitrary_bytes_are_a_value_or_the_clients_mistake(body: bytes) -> None:
    with contextlib.suppress(Problem):
        parse(body)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 1}",
        b'{"name": "a"} {}',
        b'{"a": NaN}',
        b"[Infinity, -Infinity]",
        b'{"a": 1' + b"0" * 5_000 + b"}",
        b"[" * 30_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
        b'"\\ud800"',
        b'{"\\udc00": 1}',
        b'"\xff"',
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "a"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_strict_json_is_refused_without_an_echo(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse(body)
    assert refused.value.status_code == 400
    assert refused.value.details == [
        {"code": "invalid_json", "path": "body", "message": "Not valid JSON"}
    ]


def test_a_name_given_twice_is_refused_even_deep_down() -> None:
    with pytest.raises(Problem) as refused:
        parse(b'{"a": [{"name": 1, "name": 1}]}')
    assert [entry["code"] for entry in refused.value.details] == ["duplicate_key"]
    assert refused.value.details[0]["path"] == "name"


def test_whole_surrogate_pairs_are_a_character_like_any_other() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@pytest.mark.parametrize("body", ['"a\ufffd"'.encode(), b'"\\ufffd"', b'{"\\uFFFD": 1}'])
def test_what_was_not_utf_8_before_it_came_here_is_refused(body: bytes) -> None:
    with pytest.raises(Problem) as refused:
        parse(body)
    (entry,) = refused.value.details
    assert (entry["code"], entry["path"]) == ("invalid_json", "body")
    assert "UTF-8" in entry["message"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4985.0", 4985),
        ("-0.0", 0),
        ("1.2e2", 120),
        ("1E3", 1_000),
        ("12e-1", 1.2),
        ("4985.5", 4985.5),
        ("4985.00000000000001", 4985.0),
        ("9007199254740991.0", 2**53 - 1),
        ("9007199254740993.0", 9007199254740992.0),
        ("1e300", 1e300),
        ("1e-99999999999999999999", 0.0),
    ],
)
def test_a_whole_number_is_an_integer_only_if_nothing_is_lost(text: str, value: float) -> None:
    found = parse(text.encode())
    assert (found, type(found)) == (value, type(value))
