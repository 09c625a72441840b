"""Events of the audit log, for tests that are about something else."""

from __future__ import annotations

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.actors import JWT, Actor
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey


def created(key: ApiKey) -> AuditEvent:
    """That a key was made."""
    return event(audit.CREATED, key.owner, key.id, at_ms=key.created_at_ms)


def event(action: str, owner: str, key_id: str, *, at_ms: int) -> AuditEvent:
    """That its owner did something to a key."""
    actor = Actor(type=JWT, id=owner, source_ip="203.0.113.7", request_id="request-1")
    return AuditEvent(action=action, owner=owner, target_id=key_id, actor=actor, at_ms=at_ms)


def revoked(owner: str, key_id: str, *, at_ms: int) -> AuditEvent:
    """That a key was revoked."""
    return event(audit.REVOKED, owner, key_id, at_ms=at_ms)


def rotated(owner: str, key_id: str, *, at_ms: int) -> AuditEvent:
    """That a key got another secret."""
    return event(audit.ROTATED, owner, key_id, at_ms=at_ms)
