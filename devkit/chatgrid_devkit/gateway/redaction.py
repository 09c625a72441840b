"""No credential passes into a log: what looks like one is replaced by a mark.

A client may spell what it sends in many ways, several on top of each other, and whoever reads the
log may undo them. So each spelling is undone before anything is looked for.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

#: Stands where a credential stood. A test that looks for leaks looks for this mark as well.
MARK = "[credential removed by the local gateway]"

_CREDENTIAL = re.compile(
    r"cg[kpt]_[A-Za-z]+_[A-Za-z0-9]{8,}"
    r"|eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
    r"|(?<=Bearer[ +])[^\s\"',\\]+",
    re.IGNORECASE,
)
#: A character by its number, as addresses, JSON, Python and HTML spell it; JSON within JSON has
#: more backslashes. The last one is a slash in JSON.
_SPELLED = re.compile(
    r"%([0-9A-F]{2})|\\+u([0-9A-F]{4})|\\+x([0-9A-F]{2})|&#x([0-9A-F]{1,6});|&#([0-9]{1,7});"
    r"|\\+(/)",
    re.IGNORECASE,
)
_SPELLED_WORD = re.compile(rf"\S*(?:{_SPELLED.pattern})\S*", re.IGNORECASE)
#: As long as the shortest credential is in it, in either alphabet.
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{20,}")
_DEPTH = 6

_Span = tuple[int, int]


def redacted(text: str) -> str:
    """The text without API keys, JWTs and whatever follows `Bearer`, however they are spelled."""
    parts: list[str] = []
    done = 0
    for start, end in sorted(_spans(text, _DEPTH)):
        if start >= done:
            parts += [text[done:start], MARK]
        done = max(done, end)
    return "".join([*parts, text[done:]]) if parts else text


def _spans(text: str, depth: int) -> list[_Span]:
    """Where credentials are; and where spellings are that were undone too often already."""
    if depth == 0:
        return [found.span() for found in _SPELLED_WORD.finditer(text)]
    spans = [found.span() for found in _CREDENTIAL.finditer(text)]
    spans += [
        found.span()
        for found in _BASE64.finditer(text)
        if any(_CREDENTIAL.search(plain) or _spans(plain, depth - 1) for plain in _plain(found[0]))
    ]
    if _SPELLED.search(text):
        undone, origin = _undone(text)
        spans += [(origin[start], origin[end]) for start, end in _spans(undone, depth - 1)]
    return spans


def _undone(text: str) -> tuple[str, list[int]]:
    """The text with each spelled character in place, and where each of its characters began."""
    characters: list[str] = []
    origin: list[int] = []
    done = 0
    for found in _SPELLED.finditer(text):
        characters += text[done : found.start()]
        origin += range(done, found.start())
        characters.append(_character(found))
        origin.append(found.start())
        done = found.end()
    characters += text[done:]
    origin += range(done, len(text) + 1)
    return "".join(characters), origin


def _character(found: re.Match[str]) -> str:
    *hexadecimal, decimal, slash = found.groups()
    if slash:
        return "/"
    number = int(decimal) if decimal else int(next(filter(None, hexadecimal)), 16)
    return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _plain(encoded: str) -> Iterator[str]:
    """What base64 may stand for; it may begin anywhere, since a slash belongs to its alphabet."""
    standard = encoded.replace("-", "+").replace("_", "/")
    for start in range(4):
        part = standard[start:]
        part = part[:-1] if len(part) % 4 == 1 else part
        yield base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")
