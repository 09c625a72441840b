"""Entries as a chain: none is changed, taken out or moved unseen.

Each owner has a chain of its own. An entry names the hash of the one before it, and its own hash
is the SHA-256 of its RFC 8785 form without ``hash``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from chatgrid_auth.domain.actors import JWT
from chatgrid_auth.domain.audit import AuditEvent, Entry, Head, Verification
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.services.audit.canonical_json import canonical
from chatgrid_auth.services.instants import iso_instant


def linked(event: AuditEvent, *, head: Head, entropy: Callable[[int], bytes]) -> Entry:
    """The entry for an event, next in a chain that ends there.

    Raises:
        ValueError: the changes hold what is no JSON value without fractions.
    """
    actor = event.actor
    body: dict[str, Any] = {
        "id": uuid7(now_ms=event.at_ms, entropy=entropy),
        "seq": head.seq + 1,
        "action": event.action,
        "actor": {
            "type": "user" if actor.type == JWT else actor.type,
            "id": actor.id,
            "key_id": actor.key_id,
            "source_ip": actor.source_ip,
        },
        "target": {"type": "api_key", "id": event.target_id},
        "changes": event.changes,
        "request_id": actor.request_id,
        "created_at": iso_instant(event.at_ms),
        "previous_hash": head.hash,
    }
    return Entry(owner=event.owner, document={**body, "hash": hash_of(body)})


def hash_of(document: Mapping[str, Any]) -> str:
    """The hash of an entry: SHA-256, in lower-case hex, of its canonical form without ``hash``.

    Raises:
        ValueError: it has no canonical form.
    """
    body = {name: value for name, value in document.items() if name != "hash"}
    return sha256(canonical(body)).hexdigest()


def verify(stored: Iterable[tuple[int, Mapping[str, Any]]], *, head: Head) -> Verification:
    """Whether a chain holds from its first entry to its head.

    Args:
        stored: the number under which each entry is kept, and the entry, in the numbers' order.
            Read after the head, so that what is added meanwhile lies behind it.
        head: where the chain ended when the reading began.
    """
    entries, broken, last = 0, None, Head()
    for seq, document in stored:
        entries += 1
        if broken is None and not _follows(document, seq=seq, last=last):
            broken = last.seq + 1
        elif broken is None:
            last = Head(seq=seq, hash=document["hash"])
            if seq == head.seq and last != head:
                broken = seq
    if broken is None and last.seq < head.seq:
        broken = last.seq + 1  # the end was cut off
    return Verification(entries=entries, first_broken_seq=broken)


def _follows(document: Mapping[str, Any], *, seq: int, last: Head) -> bool:
    try:
        return bool(
            seq == document["seq"] == last.seq + 1
            and document["previous_hash"] == last.hash
            and document["hash"] == hash_of(document)
        )
    except (KeyError, TypeError, ValueError):
        return False
