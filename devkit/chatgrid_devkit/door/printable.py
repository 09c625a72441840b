"""What others send is printed as text: nothing in it moves a cursor or speaks to a terminal."""

from __future__ import annotations

import io


def printable(text: str) -> str:
    """The text with all that is not printable, line ends and tabs excepted, as escapes."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\n\t" else char.encode("unicode_escape").decode()
        for char in text
    )


class PrintableStream(io.TextIOWrapper):
    """A text stream that passes on printable text only."""

    def write(self, text: str) -> int:
        """Write it."""
        return super().write(printable(text))
