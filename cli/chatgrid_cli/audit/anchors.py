"""The hashes that the functions' logs keep of entries: whoever edits the table does not reach them.

An export has a line in one of several wrappings: bare, one in a line; as the ``message`` of
``aws logs filter-log-events``, ``@message`` of Logs Insights; alone or in lists.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from chatgrid_cli.restore.events import documents_in


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
    for fields in documents_in(stream.read()):
        anchor = _anchor(fields)
        if anchor is not None:
            yield anchor


def _anchor(fields: dict[str, Any]) -> Anchor | None:
    owner, seq, told = (fields.get(name) for name in ("owner", "seq", "hash"))
    if isinstance(owner, str) and isinstance(seq, int) and isinstance(told, str):
        return Anchor(owner=owner, seq=seq, hash=told)
    return None
