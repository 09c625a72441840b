"""Every new entry is put on the bus, in order, and what fails comes again from there on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import pytest

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.domain import audit
from chatgrid_auth.domain.audit import AuditEvent, Head
from chatgrid_auth.services.audit.chain import linked
from chatgrid_events.publishing import Publisher
from tests.support.audit import event

BUS = "arn:aws:events:eu-central-1:123456789012:event-bus/default"
SECRET_NAME = "cgk_live_a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"


def record(seq: int, *, happened: AuditEvent | None = None, **facts: Any) -> dict[str, Any]:
    happened = happened or event(audit.CREATED, "ada", f"key-{seq}", at_ms=1_773_133_200_000)
    entry = linked(happened, head=Head(seq=seq - 1, hash="0" * 64), entropy=os.urandom)
    image = layout.entry_item(entry)
    keys = {name: image[name] for name in ("pk", "sk")}
    plain: dict[str, Any] = {
        "eventName": "INSERT",
        "dynamodb": {"Keys": keys, "NewImage": image, "SequenceNumber": f"{seq:021d}"},
    }
    return {**plain, **facts}


def moved_head(seq: int) -> dict[str, Any]:
    image = layout.head_item("ada", Head(seq=seq, hash="0" * 64))
    keys = {name: image[name] for name in ("pk", "sk")}
    return {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": image}}


class Bridge:
    """EventBridge, as far as it is asked here."""

    def __init__(self) -> None:
        self.calls: list[list[dict[str, Any]]] = []
        self.refuses: set[str] = set()
        self.fault: Exception | None = None
        self.lines: list[str] = []
        self.publisher = Publisher(put=self.put, bus=BUS, log=self.lines.append)

    def put(self, question: Mapping[str, Any]) -> bytes:
        if self.fault is not None:
            raise self.fault
        events = question["Entries"]
        self.calls.append(events)
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        told = [
            refused if json.loads(one["Detail"])["key_id"] in self.refuses else {"EventId": "e"}
            for one in events
        ]
        return json.dumps({"FailedEntryCount": 0, "Entries": told}).encode()

    def handle(self, *records: dict[str, Any]) -> list[str]:
        failures = self.publisher.handle({"Records": list(records)})["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]

    def told(self) -> list[str]:
        return [json.loads(one["Detail"])["key_id"] for call in self.calls for one in call]


@pytest.fixture
def bridge() -> Bridge:
    return Bridge()


def test_an_event_is_thin_and_named_by_the_action(bridge: Bridge) -> None:
    named = AuditEvent(
        **{
            **{n: getattr(event("", "ada", "key-1", at_ms=1), n) for n in ("owner", "actor")},
            "action": audit.CREATED,
            "target_id": "key-1",
            "at_ms": 1_773_133_200_000,
            "changes": {"name": {"from": None, "to": SECRET_NAME}},
        }
    )
    assert bridge.handle(record(1, happened=named)) == []
    ((told,),) = bridge.calls
    assert (told["EventBusName"], told["Source"]) == (BUS, "chatgrid.auth")
    assert told["DetailType"] == "api_key.created"
    detail = json.loads(told["Detail"])
    assert detail.pop("entry_id")
    assert detail == {
        "seq": 1,
        "user_id": "ada",
        "key_id": "key-1",
        "actor": {"type": "user", "id": "ada", "key_id": None},
        "request_id": "request-1",
        "created_at": "2026-03-10T09:00:00.000Z",
    }
    assert SECRET_NAME not in json.dumps(told)


def test_only_new_entries_are_told_and_never_more_than_ten_at_once(bridge: Bridge) -> None:
    other = [moved_head(1), record(99, eventName="MODIFY"), record(98, eventName="REMOVE")]
    assert bridge.handle(*other, *(record(seq) for seq in range(1, 26))) == []
    assert bridge.told() == [f"key-{seq}" for seq in range(1, 26)]
    assert [len(call) for call in bridge.calls] == [10, 10, 5]


def test_what_the_bus_refuses_comes_again_from_there_on(bridge: Bridge) -> None:
    bridge.refuses = {"key-13"}
    assert bridge.handle(*(record(seq) for seq in range(1, 26))) == [f"{13:021d}"]
    assert "key-21" not in bridge.told(), "told before what came earlier"
    assert json.loads(bridge.lines[0])["code"] == "ThrottlingException"


@pytest.mark.parametrize("fault", [HttpFault("ReplyTimeout"), ValueError("no JSON")])
def test_a_bus_out_of_reach_loses_nothing(bridge: Bridge, fault: Exception) -> None:
    bridge.fault = fault
    assert bridge.handle(record(1), record(2)) == [f"{1:021d}"]


def test_a_spoiled_entry_holds_up_nothing_before_it(bridge: Bridge) -> None:
    spoiled = record(3)
    spoiled["dynamodb"]["NewImage"]["entry"] = {"S": '{"raw": "cgk_live_secret"}'}
    assert bridge.handle(record(1), record(2), spoiled, record(4)) == [f"{3:021d}"]
    assert bridge.told() == ["key-1", "key-2"]
    assert "cgk_live" not in "".join(bridge.lines)


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"Entries": []}', b'{"Entries": [1, 2]}'])
def test_what_is_no_response_of_eventbridge_counts_as_not_told(
    bridge: Bridge, answer: bytes
) -> None:
    publisher = Publisher(put=lambda _: answer, bus=BUS, log=bridge.lines.append)
    told = publisher.handle({"Records": [record(1), record(2)]})
    assert told["batchItemFailures"][0] == {"itemIdentifier": f"{1:021d}"}
