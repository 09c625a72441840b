"""What an entry tells of a key: its settings, as the API shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chatgrid_auth.domain.audit import CREATED, AuditEvent
from chatgrid_auth.services.instants import iso_instant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from chatgrid_auth.domain.actors import Actor
    from chatgrid_auth.domain.audit import Changes
    from chatgrid_auth.domain.credentials import ApiKey, Credits


def creation(key: ApiKey, *, actor: Actor, at_ms: int) -> AuditEvent:
    """The event of a key's making, issued or imported: all its settings are new."""
    return AuditEvent(
        action=CREATED,
        owner=key.owner,
        target_id=key.id,
        actor=actor,
        at_ms=at_ms,
        changes=between({}, settings(key)),
    )


def settings(key: ApiKey) -> dict[str, Any]:
    """What may be changed of a key, or chosen when it is made, as the API shows it."""
    expires = key.expires_at_ms
    return {
        "kind": key.kind,
        "name": key.name,
        "scopes": list(key.scopes),
        "environment": key.environment,
        "rate_limit": key.rate_limit,
        "enabled": key.enabled,
        "disabled_reason": key.disabled_reason,
        "self_rotation": key.self_rotation,
        "expires_at": None if expires is None else iso_instant(expires),
        "allowed_ips": _listed(key.allowed_ips),
        "allowed_origins": _listed(key.allowed_origins),
        "permissions": _listed(key.permissions),
        "metadata": dict(key.metadata),
        "credits": shown_credits(key.credits),
    }


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)


def disabled_by_the_system(why: str) -> Changes:
    """The changes of a key that was enabled until then."""
    return {
        "enabled": {"from": True, "to": False},
        "disabled_reason": {"from": None, "to": why},
    }


def shown_credits(held: Credits | None) -> dict[str, Any] | None:
    """Credits as the API shows them."""
    if held is None:
        return None
    refill = held.refill
    shown: dict[str, Any] = {"remaining": held.remaining, "refill": None}
    if refill is not None and held.next_at_ms is not None:
        next_at = iso_instant(held.next_at_ms)
        shown["refill"] = {
            "amount": refill.amount,
            "interval": refill.interval,
            "next_at": next_at,
        }
    return shown


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """What differs, field by field; a field that is not there is ``None``."""
    return {
        name: {"from": before.get(name), "to": value}
        for name, value in after.items()
        if before.get(name) != value
    }
