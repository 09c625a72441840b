"""What was done to keys, out of exported log lines: nothing of a line is believed but ids.

An export has a line in one of several wrappings: bare, one in a line; as the ``message`` of
``aws logs filter-log-events``, ``@message`` of Logs Insights; alone or in lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from chatgrid_auth.domain.audit import REVOKED, UPDATED
from chatgrid_auth.domain.identifiers import canonical_id

#: What is read here, in CloudWatch's filter syntax: lines that hold this text.
FILTER = '"api_key."'
_WRAPPINGS = ("events", "results", "message", "@message")


@dataclass(frozen=True, slots=True, kw_only=True)
class PastEvent:
    """One thing that was done to one key, as the log says it."""

    event: str
    owner: str
    key_id: str


def read_export(stream: TextIO) -> Iterator[PastEvent]:
    """The events of a file: one JSON document, or one in each line; what else is there is skipped.

    Raises:
        ValueError: there is text in it, and no JSON at all.
    """
    return filter(None, map(_event, documents_in(stream.read())))


def events_in(found: Iterable[Any]) -> Iterator[PastEvent]:
    """The events of these documents, however they are wrapped."""
    return filter(None, map(_event, _unwrapped(found)))


def documents_in(text: str) -> Iterator[dict[str, Any]]:
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


def _event(fields: dict[str, Any]) -> PastEvent | None:
    event, owner, key_id = (fields.get(name) for name in ("event", "owner", "key_id"))
    if event not in {REVOKED, UPDATED} or not isinstance(owner, str):
        return None
    key = canonical_id(key_id) if isinstance(key_id, str) else None
    return None if key is None else PastEvent(event=event, owner=owner, key_id=key)
