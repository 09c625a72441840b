"""No cell of an exported CSV file is a formula to a spreadsheet, and each is read back as it was.

A cell that a spreadsheet would compute gets an apostrophe in front (OWASP, *CSV Injection*). One
that looks like such a cell already gets one more, so that taking one away is always right.

In much of the world spreadsheets split lines at semicolons, and do not heed the quotes that commas
call for: there a cell begins after each semicolon too.
"""

from __future__ import annotations

import re

_COMPUTED = r"[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]"
_TO_DEFUSE = re.compile(rf"(\A|;)(?='*{_COMPUTED})")
_DEFUSED = re.compile(rf"(\A|;)'(?='*{_COMPUTED})")


def defused(text: str) -> str:
    """The text as a cell that is shown and never computed."""
    return _TO_DEFUSE.sub(r"\1'", text)


def restored(cell: str) -> str:
    """The text that a cell was made of."""
    return _DEFUSED.sub(r"\1", cell)
