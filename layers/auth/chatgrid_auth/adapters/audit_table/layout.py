"""How a chain lies in the audit table: an item for each entry, and one for its end.

| item | pk | sk | holds |
| --- | --- | --- | --- |
| entry | ``USER#<owner>`` | its number, ten digits | the entry as JSON |
| head | ``USER#<owner>`` | ``HEAD`` | number and hash of the last entry |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chatgrid_auth.domain.audit import Entry, Head
from chatgrid_auth.services.audit.canonical_json import canonical

#: Behind all entries: read from the end, it comes first.
HEAD = "HEAD"
_OWNER = "USER#"


def pk(owner: str) -> str:
    """The partition of an owner's chain."""
    return _OWNER + owner


def sk(seq: int) -> str:
    """The sort key of the entry with this number."""
    return f"{seq:010d}"


def entry_item(entry: Entry) -> dict[str, Any]:
    """An entry in DynamoDB JSON."""
    text = canonical(entry.document).decode()
    return {"pk": {"S": pk(entry.owner)}, "sk": {"S": sk(entry.head.seq)}, "entry": {"S": text}}


def head_item(owner: str, head: Head) -> dict[str, Any]:
    """The end of a chain in DynamoDB JSON."""
    place = {"pk": {"S": pk(owner)}, "sk": {"S": HEAD}}
    return {**place, "seq": {"N": str(head.seq)}, "hash": {"S": head.hash}}


def owner_of(item: Mapping[str, Any]) -> str:
    """Whose chain an item belongs to."""
    return str(item["pk"]["S"]).removeprefix(_OWNER)


def is_entry(item: Mapping[str, Any]) -> bool:
    """Whether this is an entry, and not the end of a chain."""
    return bool(item["sk"]["S"] != HEAD)


def head_of(item: Mapping[str, Any]) -> Head:
    """The end of a chain as its item tells it; one that fits nothing where that is unreadable."""
    try:
        return Head(seq=int(item["seq"]["N"]), hash=item["hash"]["S"])
    except (KeyError, TypeError, ValueError):
        return Head(seq=0, hash="unreadable")


def document_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """The entry that an item holds; empty where somebody has put there what is none."""
    try:
        found = json.loads(item["entry"]["S"])
    except (KeyError, TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def seq_of(item: Mapping[str, Any]) -> int:
    """The number under which an entry is kept; 0, which none has, where that is no number."""
    place: str = item["sk"]["S"]
    return int(place) if place.isdecimal() else 0
