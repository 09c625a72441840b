"""What the operator's rules are told of an entry: that it happened, to what, by whom. Ids alone.

Whoever needs more reads the audit log. Nothing that a user wrote is in an event (a key's name may
be anything), and never a credential nor its hash; no address but that of who came with a canary.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "chatgrid.auth"
_DORMANT = "api_key.dormant"
_REVOKED, _EXPOSED, _EXPOSED_URL = "api_key.revoked", "api_key.exposed", "exposed_url"
_CANARY_USED = "api_key.canary_used"
#: The partitions of notices: of what will happen to keys, and of canaries that were used.
_NOTICE = "NOTICE#"


class NoEntry(ValueError):
    """A record of the stream holds none; its text is not repeated."""


def is_of_an_entry(record: Mapping[str, Any]) -> bool:
    """Whether a record tells of a new entry or notice: not of a chain's end that moved."""
    keys = record["dynamodb"]["Keys"]
    place: str = keys["sk"]["S"]
    told = place.isdecimal() or keys["pk"]["S"].startswith(_NOTICE)
    return bool(record["eventName"] == "INSERT" and told)


def thin_events(record: Mapping[str, Any], *, bus: str) -> list[dict[str, Any]]:
    """The events of a record, as PutEvents takes them.

    One, or two: a key that was disabled as dormant, or revoked as leaked, is told of as that too.

    Args:
        record: of the audit table's stream, with its new image.
        bus: the event bus, by name or ARN.

    Raises:
        NoEntry: there is none in it.
    """
    image = record["dynamodb"]["NewImage"]
    try:
        if image["pk"]["S"].startswith(_NOTICE):
            kind, told = image["kind"]["S"], json.loads(image["notice"]["S"])
            state = {} if kind == _CANARY_USED else {"state": "warned"}
            return [_event(kind, {**told, **state}, bus=bus)]
        entry = json.loads(image["entry"]["S"])
        why = entry["changes"].get("disabled_reason", {})
        leaked = entry["action"] == _REVOKED and _EXPOSED_URL in entry["changes"]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise NoEntry from None
    first = thin_event(record, bus=bus)
    if leaked:
        return [first, {**first, "DetailType": _EXPOSED}]
    if why.get("to") != "dormant":
        return [first]
    detail = {**json.loads(first["Detail"]), "state": "disabled"}
    return [first, _event(_DORMANT, detail, bus=bus)]


def _event(kind: str, detail: Mapping[str, Any], *, bus: str) -> dict[str, Any]:
    return {
        "EventBusName": bus,
        "Source": SOURCE,
        "DetailType": kind,
        "Detail": json.dumps(detail),
    }


def thin_event(record: Mapping[str, Any], *, bus: str) -> dict[str, Any]:
    """The event of a record with an entry, as PutEvents takes it.

    Args:
        record: of the audit table's stream, with its new image.
        bus: the event bus, by name or ARN.

    Raises:
        NoEntry: there is none in it.
    """
    try:
        image = record["dynamodb"]["NewImage"]
        entry = json.loads(image["entry"]["S"])
        actor = entry["actor"]
        detail = {
            "entry_id": entry["id"],
            "seq": entry["seq"],
            "user_id": image["pk"]["S"].partition("#")[2],
            "key_id": entry["target"]["id"],
            "actor": {name: actor[name] for name in ("type", "id", "key_id")},
            "request_id": entry["request_id"],
            "created_at": entry["created_at"],
        }
        return _event(entry["action"], detail, bus=bus)
    except (KeyError, TypeError, ValueError):
        raise NoEntry from None
