"""The hashes that the functions' logs keep of entries: whoever edits the table does not reach them.

An export has a line in one of several wrappings: bare, one in a line; as the ``message`` of
``aws logs filter-log-events``, ``@message`` of Logs Insights; alone or in lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

_WRAPPINGS = ("events", "results", "message", "@message")


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """What a log says of one entry."""

    owner: str
    seq: int
    hash: str


def read_anchors(stream: TextIO) -> Iterator[Anchor]:
    """The anchors of a file of exported log lines; what else is there is skipped.

    Raises:
        ValueError: there is text in it, and no JSON at all.
    """
    for fields in _documents_in(stream.read()):
        anchor = _anchor(fields)
        if anchor is not None:
            yield anchor


def _anchor(fields: dict[str, Any]) -> Anchor | None:
    owner, seq, told = (fields.get(name) for name in ("owner", "seq", "hash"))
    if isinstance(owner, str) and isinstance(seq, int) and isinstance(told, str):
        return Anchor(owner=owner, seq=seq, hash=told)
    return None


def _documents_in(text: str) -> Iterator[dict[str, Any]]:
    """The log lines about keys in an export, one JSON document or one in each line.

    Raises:
        ValueError: there is text in it, and no JSON at all.
    """
    try:
        documents: list[Any] = [json.loads(text)]
    except ValueError:
        documents = [found for line in text.splitlines() for found in _document(line)]
        if text.strip() and not documents:
            raise ValueError("no JSON") from None
    return _unwrapped(documents)


def _unwrapped(found: Iterable[Any]) -> Iterator[dict[str, Any]]:
    waiting = list(found)[::-1]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            waiting += _document(one)
        elif isinstance(one, list):
            waiting += one[::-1]
        elif isinstance(one, dict) and isinstance(one.get("event"), str):
            yield one
        elif isinstance(one, dict) and one.get("field") in _WRAPPINGS:  # a row of Insights' API
            waiting.append(one.get("value"))
        elif isinstance(one, dict):
            waiting += [one[name] for name in _WRAPPINGS[::-1] if name in one]


def _document(text: str) -> list[Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return [found] if isinstance(found, (dict, list)) else []
