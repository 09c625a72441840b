"""What a record tells of changes that were begun: who does what, and what the books will need."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from chatgrid_auth.domain.actors import Actor
from chatgrid_auth.domain.audit import AuditEvent

#: A record's attributes that hold intents begin with this.
INTENT = "p_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One change, begun.

    Attributes:
        facts: what its cold writes need and no entry may hold.
    """

    token: str
    event: AuditEvent
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def attribute(self) -> str:
        """Where it lies on the record."""
        return INTENT + self.token

    def packed(self) -> str:
        """As it lies there."""
        event = asdict(self.event)
        del event["actor"]["permissions"]  # no entry tells of them, and they may be long
        return json.dumps({"event": event, "facts": self.facts}, separators=(",", ":"))


def new_token() -> str:
    """What an intent is called, and its mark."""
    return urlsafe_b64encode(os.urandom(6)).decode()[:6].replace("-", "a")


def all_intents(record: Mapping[str, Any]) -> list[Intent]:
    """Every change that a record tells of, committed or not."""
    return [
        _unpacked(name.removeprefix(INTENT), value["S"])
        for name, value in record.items()
        if name.startswith(INTENT)
    ]


def _unpacked(token: str, text: str) -> Intent:
    fields = json.loads(text)
    event = AuditEvent(**{**fields["event"], "actor": Actor(**fields["event"]["actor"])})
    return Intent(token=token, event=event, facts=fields["facts"])
