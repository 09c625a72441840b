"""The lines of an import file: each becomes a key, or the exact reason why it is none.

JSON Lines or CSV with a header. A bad line never stops the good ones, and what is wrong is told by
the field's name and the rule, never by the value: a file may hold by mistake what is a secret.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from chatgrid_auth.services.key_import import ImportedKey
from chatgrid_cli.transfer.cells import restored
from chatgrid_cli.transfer.fields import BadField, ImportRules, imported_key

LONGEST_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that is not blank: its number in the file, and a key or a problem."""

    number: int
    key: ImportedKey | None = None
    code: str | None = None
    problem: str | None = None


class BadFile(Exception):
    """The file as a whole cannot be read as keys; the text says why."""


def read_jsonl(stream: BinaryIO, rules: ImportRules) -> Iterator[Line]:
    """The lines of a JSON Lines file; blank ones are left out."""
    for number, raw in _bounded(stream):
        if raw is None:
            yield _too_long(number)
            continue
        text = _decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
        if text is None:
            yield Line(number=number, code="not_utf8", problem="this line is not UTF-8")
            continue
        if not text.strip():
            continue
        try:
            fields = json.loads(text, object_pairs_hook=_each_name_once)
        except BadField as bad:
            yield Line(number=number, code=bad.code, problem=bad.text)
            continue
        except (ValueError, RecursionError):
            yield Line(number=number, code="not_json", problem="this line is not JSON")
            continue
        if not isinstance(fields, dict):
            yield Line(number=number, code="not_json", problem="this line is not a JSON object")
            continue
        yield _line(number, fields, rules)


def read_csv(stream: BinaryIO, rules: ImportRules) -> Iterator[Line]:
    """The rows of a CSV file with a header; blank ones are left out.

    Raises:
        BadFile: it has no usable header.
    """
    rows = _rows(stream)
    header = next(rows, None)
    if header is None or isinstance(header, Line):
        raise BadFile("a CSV file starts with a header line that names its columns")
    names = [name.strip() for name in header[1]]
    if len(set(names)) != len(names):
        raise BadFile("the header names a column twice")
    if "hash" not in names or "owner" not in names:
        raise BadFile("the header must name at least the columns hash, owner and scopes")
    for row in rows:
        if isinstance(row, Line):
            yield row
            continue
        number, cells = row
        if not any(cells):
            continue
        if len(cells) != len(names):
            yield Line(
                number=number,
                code="wrong_columns",
                problem=f"{len(cells)} columns where the header has {len(names)}",
            )
            continue
        filled = {
            name: restored(cell) for name, cell in zip(names, cells, strict=True) if cell != ""
        }
        yield _line(number, filled, rules)


def _line(number: int, fields: Mapping[str, object], rules: ImportRules) -> Line:
    try:
        return Line(number=number, key=imported_key(fields, rules))
    except BadField as bad:
        return Line(number=number, code=bad.code, problem=bad.text)


def _rows(stream: BinaryIO) -> Iterator[tuple[int, list[str]] | Line]:
    """Each line of a CSV file as its cells. A cell cannot hold a line break here: no field may,
    and so an unclosed quote spoils one line and not all that follow."""
    for number, raw in _bounded(stream):
        if raw is None:
            yield _too_long(number)
            continue
        text = _decoded(raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw)
        if text is None:
            yield Line(number=number, code="not_utf8", problem="this line is not UTF-8")
            continue
        text = text.rstrip("\r\n")
        if not text.strip():
            continue
        try:
            (cells,) = csv.reader(io.StringIO(text), strict=True)
        except (csv.Error, ValueError):
            yield Line(number=number, code="not_csv", problem="this line is not CSV")
            continue
        yield number, cells


def _bounded(stream: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """The lines with their numbers; ``None`` in place of one that is too long."""
    number = 0
    while raw := stream.readline(LONGEST_LINE_BYTES + 1):
        number += 1
        if len(raw) <= LONGEST_LINE_BYTES:
            yield number, raw
            continue
        while raw and not raw.endswith(b"\n"):
            raw = stream.readline(LONGEST_LINE_BYTES)
        yield number, None


def _too_long(number: int) -> Line:
    return Line(number=number, code="too_long", problem="this line is longer than 64 KiB")


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _each_name_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadField("duplicate_field", "a field is given twice")
    return fields
