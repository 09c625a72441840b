"""Who did what to which key. Ids and settings only: never a credential nor its hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatgrid_auth.domain.actors import Actor

CREATED = "api_key.created"
UPDATED = "api_key.updated"
DISABLED = "api_key.disabled"
ENABLED = "api_key.enabled"
ROTATED = "api_key.rotated"
PREVIOUS_SECRET_ENDED = "api_key.previous_secret_ended"  # noqa: S105 - an action's name
SECRET_REISSUED = "api_key.secret_reissued"  # noqa: S105 - an action's name
REVOKED = "api_key.revoked"
EXPOSED = "api_key.exposed"
#: Of a key that leaked: where it was found, if that was told.
EXPOSED_URL = "exposed_url"
ACTIONS = (
    CREATED,
    UPDATED,
    DISABLED,
    ENABLED,
    ROTATED,
    PREVIOUS_SECRET_ENDED,
    SECRET_REISSUED,
    REVOKED,
    EXPOSED,
)

#: What an entry of a revocation calls its reason, and the reasons: RFC 5280 section 5.3.1.
REVOCATION_REASON = "revocation_reason"
UNSPECIFIED = "unspecified"
REVOCATION_REASONS = (
    UNSPECIFIED,
    "key_compromise",
    "superseded",
    "affiliation_changed",
    "cessation_of_operation",
)

#: field → {"from": before, "to": after}
Changes = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that was done to one key.

    Attributes:
        action: one of ``ACTIONS``.
        owner: the user that the key belongs to.
        target_id: the key.
        actor: who did it, and by which request.
        at_ms: when, in Unix milliseconds.
        changes: field → ``{"from", "to"}``, JSON values without fractions, as the API shows them.
    """

    action: str
    owner: str
    target_id: str
    actor: Actor
    at_ms: int
    changes: Changes = field(default_factory=dict)


def reason_of(event: AuditEvent) -> str:
    """Why a key was revoked, as the event of it says; nothing is said of one made by hand."""
    told: str = event.changes.get(REVOCATION_REASON, {}).get("to", UNSPECIFIED)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where an owner's chain ends: the last entry's number and hash; 0 and ``None`` before any."""

    seq: int = 0
    hash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One link of an owner's chain.

    Attributes:
        owner: whose chain it is in.
        document: the entry as it is shown, ``hash`` included.
    """

    owner: str
    document: Mapping[str, Any]

    @property
    def head(self) -> Head:
        """The end of the chain, if this is the last."""
        return Head(seq=self.document["seq"], hash=self.document["hash"])

    @property
    def line(self) -> dict[str, Any]:
        """The fields of the log line that anchors it in a second store: who did what, its hash."""
        told = self.document
        reason = told["changes"].get(REVOCATION_REASON)
        return {
            "event": told["action"],
            "key_id": told["target"]["id"],
            "owner": self.owner,
            "actor": told["actor"],
            "at": told["created_at"],
            "request_id": told["request_id"],
            "seq": told["seq"],
            "hash": told["hash"],
            **({"reason": reason["to"]} if reason else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What a chain turned out to be.

    Attributes:
        entries: how many entries there are.
        first_broken_seq: the first number at which it does not hold; ``None`` if it holds.
    """

    entries: int
    first_broken_seq: int | None
