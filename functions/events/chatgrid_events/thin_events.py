"""What the operator's rules are told of an entry: that it happened, to what, by whom. Ids alone.

Whoever needs more reads the audit log. Nothing that a user wrote is in an event (a key's name may
be anything), no address, and never a credential nor its hash.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "chatgrid.auth"


class NoEntry(ValueError):
    """A record of the stream holds none; its text is not repeated."""


def is_of_an_entry(record: Mapping[str, Any]) -> bool:
    """Whether a record of the stream tells of a new entry: not of a chain's end that moved."""
    place: str = record["dynamodb"]["Keys"]["sk"]["S"]
    return record["eventName"] == "INSERT" and place.isdecimal()


def thin_event(record: Mapping[str, Any], *, bus: str) -> dict[str, Any]:
    """The event of a record, as PutEvents takes it.

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
        return {
            "EventBusName": bus,
            "Source": SOURCE,
            "DetailType": entry["action"],
            "Detail": json.dumps(detail),
        }
    except (KeyError, TypeError, ValueError):
        raise NoEntry from None
