"""How a chain lies in the audit table: an item for each entry, and one for its end.

| item | pk | sk | holds |
| --- | --- | --- | --- |
| entry | ``USER#<owner>`` | its number, ten digits | the entry as JSON |
| head | ``USER#<owner>`` | ``HEAD`` | number and hash of the last entry |
| notice | ``NOTICE#<owner>`` | its name | what awaits a key, or a canary met; in no chain |
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.audit import Entry, Head
from chatgrid_auth.services.audit.canonical_json import canonical
from chatgrid_auth.services.instants import iso_instant

if TYPE_CHECKING:
    from chatgrid_auth.services.upkeep.notices import Notice
    from chatgrid_auth.services.usage.canaries import Sighting

#: Behind all entries: read from the end, it comes first.
HEAD = "HEAD"
_OWNER = "USER#"
_NOTICE = "NOTICE#"


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


def notice_place(notice: Notice) -> dict[str, Any]:
    """Where a notice lies."""
    return {"pk": {"S": _NOTICE + notice.owner}, "sk": {"S": notice.name}}


def notice_item(notice: Notice, *, at_ms: int) -> dict[str, Any]:
    """A notice in DynamoDB JSON."""
    told: dict[str, Any] = {
        "notice_id": notice.name,
        "user_id": notice.owner,
        "key_id": notice.key_id,
        "days": notice.days,
        "due_at": iso_instant(notice.due_at_ms),
        "created_at": iso_instant(at_ms),
    }
    return {
        **notice_place(notice),
        "kind": {"S": notice.kind},
        "notice": {"S": canonical(told).decode()},
        "at_ms": {"N": str(at_ms)},
    }


def sighting_item(sighting: Sighting) -> dict[str, Any]:
    """That somebody came with a canary, in DynamoDB JSON."""
    told: dict[str, Any] = {
        "notice_id": sighting.name,
        "user_id": sighting.owner,
        "key_id": sighting.key_id,
        "source_ip": sighting.source,
        "route": sighting.route,
        "request_id": sighting.request_id,
        "created_at": iso_instant(sighting.at_ms),
    }
    return {
        "pk": {"S": _NOTICE + sighting.owner},
        "sk": {"S": sighting.name},
        "kind": {"S": sighting.kind},
        "notice": {"S": canonical(told).decode()},
        "at_ms": {"N": str(sighting.at_ms)},
    }


def is_notice(item: Mapping[str, Any]) -> bool:
    """Whether this is a notice."""
    return str(item["pk"]["S"]).startswith(_NOTICE)


def owner_of(item: Mapping[str, Any]) -> str:
    """Whose chain an item belongs to."""
    return str(item["pk"]["S"]).removeprefix(_OWNER)


def is_entry(item: Mapping[str, Any]) -> bool:
    """Whether this is an entry, and neither the end of a chain nor a notice."""
    return bool(item["sk"]["S"] != HEAD) and not is_notice(item)


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
