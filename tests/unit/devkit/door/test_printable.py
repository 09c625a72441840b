"""Foreign text cannot speak to a terminal."""

from __future__ import annotations

import io

import pytest

from chatgrid_devkit.door.printable import PrintableStream, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", "\\x1b]0;owned\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\rb\bc\x00", "a\\rb\\x08c\\x00"),
        ("\u202eevil\u200b", "\\u202eevil\\u200b"),
        ("line\n\tnext é 日本", "line\n\tnext é 日本"),
    ],
)
def test_what_is_not_printable_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown
    raw = io.BytesIO()
    stream = PrintableStream(raw, encoding="utf-8", write_through=True)
    stream.write(text)
    assert raw.getvalue().decode() == shown
