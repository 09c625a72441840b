"""Who did what to which key, as one line of a log: ids only, never a credential nor its hash."""

from __future__ import annotations

from dataclasses import dataclass

from chatgrid_auth.domain.actors import JWT, Actor

CREATED = "api_key.created"
REVOKED = "api_key.revoked"
LIMIT_CHANGED = "api_key.limit_changed"
IMPORTED = "api_key.imported"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEvent:
    """One thing that was done to one key.

    Attributes:
        event: one of the words above.
        key_id: the key.
        owner: the user that it belongs to.
        actor: who did it.
        at_ms: when, in Unix milliseconds.
    """

    event: str
    key_id: str
    owner: str
    actor: Actor
    at_ms: int

    def fields(self) -> dict[str, object]:
        """The line's fields; ``at`` is in Unix milliseconds still."""
        kind = "user" if self.actor.type == JWT else self.actor.type
        return {
            "event": self.event,
            "key_id": self.key_id,
            "owner": self.owner,
            "actor": {"type": kind, "id": self.actor.id, "key_id": self.actor.key_id},
            "at": self.at_ms,
        }
