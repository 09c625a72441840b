"""What a command says: one JSON document, or text for people; credentials to stdout alone.

Results go to stdout, everything else to stderr, so that a result can be piped or captured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

#: Wide enough for all columns where no terminal sets a width.
_WIDTH = 220


class Output:
    """Where one command's answer goes.

    Args:
        as_json: whether the answer is one JSON document.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def document(self, kind: str, data: object, **more: object) -> None:
        """Print a JSON document: ``{"object": kind, "data": …}``."""
        print(json.dumps({"object": kind, "data": data, **more}, indent=2))

    def note(self, text: str, *, style: str = "") -> None:
        """Say something beside the result."""
        console(sys.stderr).print(Text(printable(text), style=style), soft_wrap=True)

    def text(self, text: str, *, style: str = "") -> None:
        """Print a line of the result."""
        console(sys.stdout).print(Text(printable(text), style=style), soft_wrap=True)

    def raw(self, credential: str) -> None:
        """Print a credential, the one line of stdout."""
        sys.stdout.write(credential + "\n")
        sys.stdout.flush()

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print rows under their columns."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*(Text(_cell(value)) for value in row))
        console(sys.stdout).print(table)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Print one thing, a line for each of its facts."""
        table = Table(box=None, pad_edge=False, show_header=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, value in facts.items():
            table.add_row(Text(name), Text(_cell(value)))
        console(sys.stdout).print(table)

    def trouble(self, code: str, text: str) -> None:
        """Say why there is no result."""
        if self.as_json:
            print(json.dumps({"object": "error", "code": code, "message": text}, indent=2))
        else:
            self.note(f"chatgrid: {text}", style="red")


def console(stream: Any) -> Console:
    """A console on a stream as it is now; tests and pipes exchange it."""
    return Console(file=stream, width=None if stream.isatty() else _WIDTH, highlight=False)


def printable(text: str) -> str:
    """The text, with what would steer a terminal shown instead of sent."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return " ".join(map(str, value))
    return printable(str(value))
