"""What a command says: one JSON document, or text for people; credentials to stdout alone.

Results go to stdout, everything else to stderr, so that a result can be piped or captured. A
stdout that cannot be written is a known trouble, told on stderr; a broken stderr stops nothing.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from chatgrid_cli.errors import FAULT, CliError

#: Wide enough for all columns where no terminal sets a width.
_WIDTH = 220
#: Spaces between columns.
_GAP = 2


class Output:
    """Where one command's answer goes.

    Args:
        as_json: whether the answer is one JSON document.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._done = ""
        self._broken = False

    def done(self, text: str) -> None:
        """Remember what is done, to be told also where the answer itself cannot be written."""
        self._done = text

    def must_be_open(self) -> None:
        """Go on only with a stdout.

        Raises:
            CliError: it is closed.
        """
        _stdout(self._done)

    @contextlib.contextmanager
    def answering(self) -> Iterator[TextIO]:
        """Stdout, for what is written within; flushed in the end.

        Raises:
            CliError: it cannot be written.
            BrokenPipeError: its reader has gone, and nothing was done that needs to be told.
        """
        stream = _stdout(self._done)
        try:
            yield stream
            stream.flush()
        except OSError as error:
            self._broken = True
            _silence(stream)
            if isinstance(error, BrokenPipeError) and not self._done:
                raise
            raise _unwritable(error.strerror or type(error).__name__, self._done) from None

    def document(self, kind: str, data: object, **more: object) -> None:
        """Print a JSON document: ``{"object": kind, "data": …}``."""
        with self.answering() as stream:
            print(json.dumps({"object": kind, "data": data, **more}, indent=2), file=stream)

    def note(self, text: str, *, style: str = "") -> None:
        """Say something beside the result."""
        stream = stderr()
        try:
            console(stream).print(Text(printable(text), style=style), soft_wrap=True)
        except OSError:
            _silence(stream)

    def text(self, text: str, *, style: str = "") -> None:
        """Print a line of the result."""
        with self.answering() as stream:
            console(stream).print(Text(printable(text), style=style), soft_wrap=True)

    def raw(self, credential: str) -> None:
        """Print a credential, the one line of stdout."""
        with self.answering() as stream:
            stream.write(credential + "\n")

    def listing(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Print things that have the same facts: a table, or where a terminal is too narrow for
        it, as many lines for each as it takes. No cell is ever broken, so each can be copied. Of
        nothing there is nothing to print.
        """
        if not rows:
            return
        cells = [{name: _cell(value) for name, value in row.items()} for row in rows]
        names = list(cells[0])
        widths = {
            name: max(cell_len(row[name]) for row in [*cells, {name: name}]) for name in names
        }
        with self.answering() as stream:
            terminal = console(stream)
            room = terminal.width if stream.isatty() else None
            if room is not None and sum(widths.values()) + _GAP * (len(names) - 1) > room:
                lines = [Text(line) for row in cells for line in _stacked(row, room)]
            else:
                heading = Text(_line({name: name for name in names}, widths), style="bold")
                lines = [heading, *(Text(_line(row, widths)) for row in cells)]
            for line in lines:
                terminal.print(line, soft_wrap=True)

    def facts(self, facts: Mapping[str, object]) -> None:
        """Print one thing, a line for each of its facts."""
        width = max(map(cell_len, facts)) + _GAP
        with self.answering() as stream:
            terminal = console(stream)
            for name, value in facts.items():
                line = Text(name + " " * (width - cell_len(name)), style="bold")
                terminal.print(line.append(_cell(value), style="not bold"), soft_wrap=True)

    def trouble(self, code: str, text: str) -> None:
        """Say why there is no result; on stderr where a document cannot be written."""
        if self.as_json and not self._broken:
            document = {"object": "error", "code": code, "message": text}
            try:
                with self.answering() as stream:
                    print(json.dumps(document, indent=2), file=stream)
            except (OSError, CliError):
                pass
            else:
                return
        self.note(f"chatgrid: {text}", style="red")


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to whoever printed: Rich would end the process here."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


def console(stream: TextIO) -> Console:
    """A console on a stream as it is now; tests and pipes exchange it."""
    return _Console(file=stream, width=None if stream.isatty() else _WIDTH, highlight=False)


def stderr() -> TextIO:
    """Stderr; where the process has none, something that takes everything and shows nothing."""
    return _open_or_none(sys.stderr) or io.StringIO()


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits at a stream; nobody does at a closed one."""
    found = _open_or_none(stream)
    return found is not None and found.isatty()


def counted(number: int, one: str, many: str = "") -> str:
    """A number with its noun: ``1 key``, ``2 keys``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def printable(text: str) -> str:
    """The text, with what would steer a terminal shown instead of sent."""
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


def _stdout(done: str) -> TextIO:
    stream = _open_or_none(sys.stdout)
    if stream is None:
        raise _unwritable("it is closed", done)
    return stream


def _open_or_none(stream: TextIO | None) -> TextIO | None:
    """Python's ``None`` for a descriptor that was closed when the process started, and its like."""
    return None if stream is None or stream.closed else stream


def _unwritable(why: str, done: str) -> CliError:
    told = f"standard output cannot be written: {why}"
    return CliError(f"{told}; but {done}" if done else told, code="output_error", exit_code=FAULT)


def _silence(stream: TextIO) -> None:
    """Send what is left in a broken stream's buffer nowhere: the process ends with a flush."""
    with contextlib.suppress(OSError, ValueError):
        descriptor = stream.fileno()
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _line(row: Mapping[str, str], widths: Mapping[str, int]) -> str:
    padded = (cell + " " * (widths[name] - cell_len(cell)) for name, cell in row.items())
    return (" " * _GAP).join(padded).rstrip()


def _stacked(row: Mapping[str, str], room: int) -> Iterator[str]:
    """A row in lines: the first cell as it is, then each with its name, as many as fit."""
    first, *others = row
    line = row[first]
    for name in others:
        told = f"{name} {row[name]}"
        longer = f"{line}{' ' * _GAP}{told}"
        if cell_len(longer) > room:
            yield line
            longer = f"{' ' * 2 * _GAP}{told}"
        line = longer
    yield line


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, (list, tuple)):
        return printable(" ".join(map(str, value)))
    return printable(str(value))
