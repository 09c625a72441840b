"""Entries form a chain in which nothing is changed, removed or moved unseen."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import Any

import pytest

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.domain.audit import AuditEvent, Entry, Head
from chatgrid_auth.services.audit.chain import hash_of, linked, verify

NOW_MS = 1_773_133_200_000
KEY = "0195b6f0-0000-7000-8000-000000000001"


def event(**facts: Any) -> AuditEvent:
    plain: dict[str, Any] = {
        "action": audit.CREATED,
        "owner": "alice",
        "target_id": KEY,
        "actor": Actor(type=JWT, id="alice", source_ip="203.0.113.7", request_id="r-1"),
        "at_ms": NOW_MS,
        "changes": {"name": {"from": None, "to": "Büro €"}},
    }
    return AuditEvent(**{**plain, **facts})


def chain(length: int) -> list[dict[str, Any]]:
    head, found = Head(), []
    for at in range(length):
        entry = linked(event(at_ms=NOW_MS + at), head=head, entropy=os.urandom)
        found.append(dict(entry.document))
        head = entry.head
    return found


def end_of(entries: list[dict[str, Any]]) -> Head:
    return Entry(owner="alice", document=entries[-1]).head


def broken_at(entries: list[dict[str, Any]], head: Head) -> int | None:
    stored = [(entry["seq"], entry) for entry in entries]
    return verify(stored, head=head).first_broken_seq


def test_an_entry_has_the_contracts_fields_and_nothing_else() -> None:
    entry = linked(event(), head=Head(), entropy=os.urandom).document
    assert list(entry) == [
        *("id", "seq", "action", "actor", "target", "changes", "request_id", "created_at"),
        *("previous_hash", "hash"),
    ]
    assert entry["actor"] == {
        "type": "user",
        "id": "alice",
        "key_id": None,
        "source_ip": "203.0.113.7",
    }
    assert entry["target"] == {"type": "api_key", "id": KEY}
    assert (entry["seq"], entry["previous_hash"]) == (1, None)
    assert entry["created_at"] == "2026-03-10T09:00:00.000Z"


def test_the_hash_is_that_of_the_rfc_8785_form_without_it() -> None:
    entry = dict(linked(event(), head=Head(), entropy=os.urandom).document)
    told = entry.pop("hash")
    # All names here are ASCII, so that Python's own order is the RFC's.
    text = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert told == sha256(text.encode()).hexdigest()


def test_a_whole_chain_holds() -> None:
    entries = chain(5)
    stored = [(entry["seq"], entry) for entry in entries]
    found = verify(stored, head=end_of(entries))
    assert (found.entries, found.first_broken_seq) == (5, None)
    assert verify([], head=Head()).first_broken_seq is None


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_changed_entry_is_found_with_its_number(at: int) -> None:
    entries = chain(5)
    head = end_of(entries)
    entries[at - 1]["actor"] = {**entries[at - 1]["actor"], "id": "mallory"}
    assert broken_at(entries, head) == at


@pytest.mark.parametrize("at", [1, 3, 5])
def test_a_removed_entry_is_found_with_its_number(at: int) -> None:
    entries = chain(5)
    head = end_of(entries)
    del entries[at - 1]
    assert broken_at(entries, head) == at


def test_swapped_entries_are_found_with_the_first_ones_number() -> None:
    entries = chain(5)
    head = end_of(entries)
    entries[1], entries[3] = entries[3], entries[1]
    stored = list(enumerate(entries, 1))
    assert verify(stored, head=head).first_broken_seq == 2


def test_an_entry_that_was_hashed_again_breaks_the_next_one() -> None:
    entries = chain(5)
    head = end_of(entries)
    entries[2]["request_id"] = "another"
    entries[2]["hash"] = hash_of(entries[2])
    assert broken_at(entries, head) == 4
    last = chain(5)
    head = end_of(last)
    last[4]["request_id"] = "another"
    last[4]["hash"] = hash_of(last[4])
    assert broken_at(last, head) == 5


@pytest.mark.parametrize("wrong", [{}, {"seq": 2}, {"changes": {"n": 1.5}}, {"hash": None}])
def test_what_is_no_entry_breaks_the_chain_and_nothing_else(wrong: dict[str, Any]) -> None:
    entries = chain(3)
    head = end_of(entries)
    bad = {**entries[1], **wrong} if wrong else {}
    stored = [(1, entries[0]), (2, bad), (3, entries[2])]
    assert verify(stored, head=head).first_broken_seq == (None if wrong == {"seq": 2} else 2)


def test_entries_that_came_after_the_head_was_read_are_no_break() -> None:
    entries = chain(5)
    assert broken_at(entries, end_of(entries[:3])) is None
