"""What a name may be: whatever people can read."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain.readable_text import problem_of

#: Zero-width, direction, private use, unassigned, tag, filler, variation selector, empty braille.
INVISIBLE = "\u200b\u202e\u2066\ue000\U000f0000\u0378\U000e0041\u3164\ufe0f\u034f\u2800\xad"


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda character: f"U+{ord(character):04X}")
def test_a_name_of_invisible_characters_only_is_refused(character: str) -> None:
    for text in (character, character * 3, f" {character} ", f"{character}\u200d"):
        assert problem_of(text) == "Must contain a visible character"


@pytest.mark.parametrize("character", INVISIBLE, ids=lambda character: f"U+{ord(character):04X}")
def test_an_invisible_character_among_others_is_kept(character: str) -> None:
    assert problem_of(f"a{character}") is None


@pytest.mark.parametrize("text", ["\u0301", "\u270c\ufe0f", "\u0628\u200c\u0647", "!", "\u3007"])
def test_whatever_shows_is_a_name(text: str) -> None:
    assert problem_of(text) is None


def test_what_a_decoder_put_in_place_of_bytes_is_no_name() -> None:
    assert "UTF-8" in str(problem_of("a\ufffd"))
