"""A name can be read by people: it has a character that shows, and none that steers a display.

Invisible are spaces, characters of Unicode's general categories Cf (format and direction), Co
(private use) and Cn (unassigned), and its default-ignorable code points. They may stand among
others, as emoji and some scripts need them to; a name may not consist of them alone.
"""

from __future__ import annotations

import unicodedata

#: Control characters, halves of surrogate pairs, and the two separators that break a line.
_UNPRINTABLE = frozenset({"Cc", "Cs", "Zl", "Zp"})
_INVISIBLE = frozenset({"Cf", "Cn", "Co"})
#: Default-ignorable code points of other categories (Unicode's DerivedCoreProperties.txt): the
#: combining grapheme joiner, fillers, inherent vowels, variation selectors; and the empty braille
#: pattern, which shows nothing either.
_IGNORABLE = (
    *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800)),
    *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
)
#: What a decoder writes in place of bytes that it could not read.
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
NOT_UTF8 = "Must not contain U+FFFD, which stands for bytes that were not UTF-8"

#: The same as a regular expression, for the API's description; what is invisible beyond the Basic
#: Multilingual Plane, or unassigned, is told there by words.
_NEVER = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd"
_UNSEEN = (
    r"\s\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    r"\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ue000-\uf8ff\ufe00-\ufe0f"
    r"\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
)
PATTERN = rf"^[^{_NEVER}]*[^{_NEVER}{_UNSEEN}][^{_NEVER}]*$"


def problem_of(text: str) -> str | None:
    """Why people could not read this name, in the contract's words; ``None`` when they can."""
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        return "Must not contain control characters"
    if REPLACEMENT in text:
        return NOT_UTF8
    if text.isspace():
        return "Must not be blank"
    if not any(_shows(character) for character in text):
        return "Must contain a visible character"
    return None


def _shows(character: str) -> bool:
    if character.isspace() or unicodedata.category(character) in _INVISIBLE:
        return False
    code = ord(character)
    return not any(first <= code <= last for first, last in _IGNORABLE)
