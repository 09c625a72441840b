"""What will happen to a key is told like what was done to it, and dormancy by its own name too."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import THE_SYSTEM
from chatgrid_auth.domain.audit import AuditEvent, Head
from chatgrid_auth.services.audit.chain import linked
from chatgrid_auth.services.audit.events import disabled_by_the_system
from chatgrid_auth.services.upkeep.notices import Notice
from chatgrid_events.publishing import Publisher
from chatgrid_events.thin_events import NoEntry, is_of_an_entry, thin_events

NOW_MS = 1_773_133_200_000


def record(item: dict[str, Any], seq: int = 1) -> dict[str, Any]:
    keys = {name: item[name] for name in ("pk", "sk")}
    told = {"Keys": keys, "NewImage": item, "SequenceNumber": f"{seq:021d}"}
    return {"eventName": "INSERT", "dynamodb": told}


def notice() -> dict[str, Any]:
    due = Notice(
        kind="api_key.expiring",
        owner="ada",
        key_id="key-1",
        hangs_on_ms=NOW_MS,
        days=7,
        due_at_ms=NOW_MS,
    )
    return layout.notice_item(due, at_ms=NOW_MS - 1)


def disabled(seq: int, why: str) -> dict[str, Any]:
    event = AuditEvent(
        action=audit.DISABLED,
        owner="ada",
        target_id=f"key-{seq}",
        actor=THE_SYSTEM,
        at_ms=NOW_MS,
        changes=disabled_by_the_system(why),
    )
    head = Head(seq=seq - 1, hash="0" * 64)
    return record(layout.entry_item(linked(event, head=head, entropy=os.urandom)), seq)


def test_a_notice_is_an_event_with_ids_and_a_day() -> None:
    told = record(notice())
    assert is_of_an_entry(told)
    (event,) = thin_events(told, bus="bus")
    assert (event["Source"], event["DetailType"]) == ("chatgrid.auth", "api_key.expiring")
    assert json.loads(event["Detail"]) == {
        "notice_id": f"key-1#api_key.expiring#{NOW_MS}#7",
        "user_id": "ada",
        "key_id": "key-1",
        "days": 7,
        "due_at": "2026-03-10T09:00:00.000Z",
        "created_at": "2026-03-10T08:59:59.999Z",
        "state": "warned",
    }


def test_a_notice_that_holds_none_goes_to_the_dead_letters() -> None:
    with pytest.raises(NoEntry):
        thin_events(record({**notice(), "notice": {"S": "["}}), bus="bus")


@pytest.mark.parametrize(
    ("why", "kinds"),
    [
        ("dormant", ["api_key.disabled", "api_key.dormant"]),
        ("exposed", ["api_key.disabled"]),
    ],
)
def test_a_dormant_keys_end_is_told_by_both_names(why: str, kinds: list[str]) -> None:
    events = thin_events(disabled(1, why), bus="bus")
    assert [event["DetailType"] for event in events] == kinds


@pytest.mark.parametrize("url", ["https://example.com/.env", None])
def test_a_key_revoked_as_leaked_is_told_by_both_names(url: str | None) -> None:
    kept, another = (
        AuditEvent(
            action=audit.REVOKED,
            owner="ada",
            target_id="key-1",
            actor=THE_SYSTEM,
            at_ms=NOW_MS,
            changes={audit.REVOCATION_REASON: {"from": None, "to": "key_compromise"}, **more},
        )
        for more in ({audit.EXPOSED_URL: {"from": None, "to": url}}, {})
    )
    head = Head(seq=1, hash="0" * 64)
    told, other = (
        thin_events(record(layout.entry_item(linked(one, head=head, entropy=os.urandom))), bus="b")
        for one in (kept, another)
    )
    assert [event["DetailType"] for event in told] == ["api_key.revoked", "api_key.exposed"]
    assert told[0]["Detail"] == told[1]["Detail"]
    assert [event["DetailType"] for event in other] == ["api_key.revoked"]
    assert "example.com" not in str(told)


def test_what_fails_of_two_events_brings_the_whole_record_again() -> None:
    records = [disabled(seq, "dormant") for seq in range(1, 4)]
    calls: list[int] = []

    def put(question: dict[str, Any]) -> bytes:
        calls.append(len(question["Entries"]))
        codes: list[dict[str, str]] = [{"EventId": "e"}] * 3
        return json.dumps({"Entries": [*codes, {"ErrorCode": "x"}, *codes[:2]]}).encode()

    publisher = Publisher(put=put, bus="bus", log=lambda _line: None)
    answer = publisher.handle({"Records": records})
    assert calls == [6]
    assert answer["batchItemFailures"] == [{"itemIdentifier": f"{2:021d}"}]
