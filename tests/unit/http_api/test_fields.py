from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from chatgrid_auth.domain.identifiers import canonical_id
from chatgrid_auth.http_api.fields import PRINTABLE_SCHEMA, instant_ms, printable
from chatgrid_auth.services.instants import iso_instant

MOST_MS = 253_402_300_799_999  # the last millisecond of the year 9999


@given(st.integers(0, MOST_MS))
def test_an_instant_that_is_given_reads_back_as_itself(unix_ms: int) -> None:
    assert instant_ms(iso_instant(unix_ms)) == unix_ms


def test_instants_are_given_in_utc_with_milliseconds_and_z() -> None:
    assert iso_instant(1_773_133_200_000) == "2026-03-10T09:00:00.000Z"
    assert iso_instant(1_773_133_200_001) == "2026-03-10T09:00:00.001Z"


@pytest.mark.parametrize(
    "text",
    [
        "2030-01-31T12:00:00Z",
        "2030-01-31t12:00:00z",
        "2030-01-31 12:00:00+00:00",
        "2030-01-31T12:00Z",
        "2030-01-31T13:00:00+01:00",
        "2030-01-31T13:00:00+0100",
        "2030-01-31T07:00:00-05:00",
        "2030-01-31T12:00:00.0009Z",
        "2030-01-31T12:00:00.000999999Z",
    ],
)
def test_the_usual_spellings_of_an_instant_are_all_understood(text: str) -> None:
    expected = datetime(2030, 1, 31, 12, tzinfo=UTC).timestamp() * 1000
    assert instant_ms(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tomorrow",
        "2030-01-31",
        "2030-01-31T12:00:00",
        "2030-02-30T12:00:00Z",
        "2030-01-31T24:00:00Z",
        "2030-01-31T23:59:60Z",
        "2030-01-31T12:00:00+24:00",
        "2030-W05-4T12:00:00Z",
        "20300131T120000Z",
        "+12030-01-31T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "٢٠٣٠-01-31T12:00:00Z",
        "2030-01-31T12:00:00Z\n",
        "1893456000",
        1_893_456_000,
        True,
        ["2030-01-31T12:00:00Z"],
    ],
)
def test_anything_else_is_no_instant(text: object) -> None:
    with pytest.raises(PydanticCustomError):
        instant_ms(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999-23:59"])
def test_the_ends_of_the_calendar_are_numbers_like_any_other(text: str) -> None:
    assert isinstance(instant_ms(text), int)


@given(st.text(min_size=1, max_size=64))
@example("a\n")
@example("\x85")
@example("\u3000")
def test_names_follow_the_rule_that_the_description_gives(text: str) -> None:
    # In JSON Schema's dialect `$` is the very end; in Python's also the place before a newline.
    pattern = PRINTABLE_SCHEMA["pattern"].removesuffix("$") + r"\Z"
    described = re.search(pattern, text) is not None
    if any("\ud800" <= character <= "\udfff" for character in text):
        described = False  # no JSON text holds half a surrogate pair
    try:
        assert printable(text) == text
    except PydanticCustomError:
        # What no reasonable expression holds is told by words: all that Unicode left unassigned.
        assert not described or all(
            character.isspace() or unicodedata.category(character) in {"Cf", "Cn", "Co", "Mn"}
            for character in text
        )
    else:
        assert described


@pytest.mark.parametrize(
    "text", ["a", " padded ", "naïve", "\N{WOMAN}\u200d\N{ROCKET}", "中文", "a\u00a0b"]
)
def test_names_are_kept_as_people_write_them(text: str) -> None:
    assert printable(text) == text


@pytest.mark.parametrize(
    "text", [" ", "\u3000", "a\n", "a\tb", "\x00", "a\x7f", "a\u0085", "a\u2028b", "\ud800"]
)
def test_blank_and_unprintable_names_are_refused(text: str) -> None:
    with pytest.raises(PydanticCustomError):
        printable(text)


def test_identifiers_have_one_form() -> None:
    plain = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"
    assert canonical_id(plain) == plain
    assert canonical_id(plain.upper()) == plain
    for text in (
        "",
        "x",
        plain[:-1],
        plain + "0",
        plain.replace("-", ""),
        f"{{{plain}}}",
        plain + "\n",
    ):
        assert canonical_id(text) is None
