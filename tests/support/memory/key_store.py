"""Keys in memory, as ``services.key_store.KeyStore`` promises, and faults on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chatgrid_auth.domain import audit
from chatgrid_auth.domain.audit import AuditEvent
from chatgrid_auth.domain.credentials import ApiKey, Page, PreviousSecret
from chatgrid_auth.domain.key_errors import (
    KeyLimitReached,
    MakerRevoked,
    StillRunning,
)
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.services.creations import with_another
from chatgrid_auth.services.descendants import Kin
from chatgrid_auth.services.key_changes.changing import Seen
from chatgrid_auth.services.key_filters import NO_FILTERS, KeyFilters
from chatgrid_auth.services.repeatable import Note, NoteChange, Repeatable
from chatgrid_auth.services.rotation import NewSecret, Standing


class MemoryKeyStore:
    """Non-revoked keys by owner and id."""

    def __init__(self) -> None:
        self.keys: dict[tuple[str, str], ApiKey] = {}
        self.revoked: dict[tuple[str, str], ApiKey] = {}
        self.known: dict[str, ApiKey] = {}
        self.hashes: list[str] = []
        self.homes: dict[str, str] = {}
        #: What the audit log would be told.
        self.events: list[AuditEvent] = []
        self.fault: Exception | None = None
        self.tags: dict[str, str] = {}
        self.rotations = MemoryRotations(self)
        self.notes = MemoryNotes(self)
        self.changes = MemoryKeyChanges(self)

    def create(
        self,
        key: ApiKey,
        *,
        key_hash: str,
        keys_per_user: int,
        event: AuditEvent,
        creations_per_hour: int = 0,
        note: NoteChange | None = None,
    ) -> None:
        self.may_fail()
        if creations_per_hour:
            made = [one.created_at_ms for one in self.known.values() if one.owner == key.owner]
            with_another(made, now_ms=key.created_at_ms, most=creations_per_hour)
        if sum(owner == key.owner for owner, _ in self.keys) >= keys_per_user:
            raise KeyLimitReached(keys_per_user)
        maker = key.created_by.key_id
        if maker is not None and (key.owner, maker) not in self.keys and maker in self.known:
            raise MakerRevoked
        if note is not None and not self.notes.change(note):
            raise StillRunning
        self.tags[key.prefix] = tag_of(key_hash)
        self.keys[key.owner, key.id] = key
        self.known[key.id] = key
        self.hashes.append(key_hash)
        self.homes[key.id] = key_hash
        self.events.append(event)

    def page(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None,
        descending: bool,
        filters: KeyFilters = NO_FILTERS,
    ) -> Page:
        self.may_fail()
        found = [
            key
            for (owner_, _), key in (self.keys | self.revoked).items()
            if owner_ == owner
            and filters.take_status(revoked=key.revoked_at_ms is not None)
            and filters.take(name=key.name, prefix=key.prefix, environment=key.environment)
            and (after is None or (key.id < after if descending else key.id > after))
        ]
        found.sort(key=lambda key: key.id, reverse=descending)
        shown = found[:limit]
        return Page(
            items=shown, has_more=len(found) > limit, last_id=shown[-1].id if shown else None
        )

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        self.may_fail()
        return self.keys.get((owner, key_id))

    def home_of(self, owner: str, key_id: str) -> tuple[ApiKey, str] | None:
        key = self.get(owner, key_id)
        return None if key is None else (key, self.homes[key.id])

    def revoke(self, owner: str, key_id: str, *, event: AuditEvent) -> bool:
        self.may_fail()
        key = self.keys.pop((owner, key_id), None)
        if key is None:
            return False
        reason = event.changes.get(audit.REVOCATION_REASON, {}).get("to", audit.UNSPECIFIED)
        self.revoked[owner, key_id] = replace(
            key, revoked_at_ms=event.at_ms, revocation_reason=reason
        )
        self.events.append(event)
        return True

    def made_by_keys(self, owner: str) -> list[Kin]:
        self.may_fail()
        return [
            Kin(id=key.id, maker=key.created_by.key_id, lives=(owner, key.id) in self.keys)
            for key in self.known.values()
            if key.owner == owner and key.created_by.key_id is not None
        ]

    def use(self, owner: str, key_id: str, *, at_ms: int) -> None:
        """As if the key had been used."""
        used = self.keys[owner, key_id]
        self.keys[owner, key_id] = replace(used, last_used_at_ms=at_ms)

    def may_fail(self) -> None:
        """Raise the fault that a test has set."""
        if self.fault is not None:
            raise self.fault


class MemoryRotations:
    """The secrets of those keys, as ``services.rotation.RotationStore`` promises.

    Attributes:
        meanwhile: is called between the look and the write, as if somebody else were faster.
        taken: beginnings of tags that no new secret may have.
    """

    def __init__(self, store: MemoryKeyStore) -> None:
        self._store = store
        self.minted_ms: dict[str, tuple[int, ...]] = {}
        self.meanwhile: Callable[[], object] = lambda: None
        self.taken: frozenset[str] = frozenset()

    def standing(self, owner: str, key_id: str, *, now_ms: int) -> Standing | None:
        key = self._store.get(owner, key_id)
        if key is None:
            return None
        shown, used_ms = key.at(now_ms), key.last_used_at_ms
        return Standing(
            key=shown,
            current=self._store.tags.get(key.prefix, key.prefix),
            current_used_at_ms=used_ms,
            taken=self.taken,
            seen=key,
            minted_ms=self.minted_ms.get(key.id, ()),
        )

    def rotate(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        key, previous = standing.key, None
        if secret.grace_until_ms is not None:
            ends_ms = min(secret.grace_until_ms, key.expires_at_ms or secret.grace_until_ms)
            previous = PreviousSecret(
                prefix=key.prefix,
                expires_at_ms=ends_ms,
                last_used_at_ms=standing.current_used_at_ms,
            )
        changed = replace(key, prefix=secret.prefix, previous_secret=previous)
        return self._give(standing, changed, secret, event)

    def reissue(self, standing: Standing, secret: NewSecret, *, event: AuditEvent) -> bool:
        changed = replace(standing.key, prefix=secret.prefix)
        return self._give(standing, changed, secret, event)

    def _give(
        self, standing: Standing, changed: ApiKey, secret: NewSecret, event: AuditEvent
    ) -> bool:
        if not self._change(standing, changed, event):
            return False
        if secret.minted_ms is not None:
            self.minted_ms[changed.id] = secret.minted_ms
        self._store.hashes.append(secret.hash)
        self._store.tags[changed.prefix] = tag_of(secret.hash)
        return True

    def end_previous(self, standing: Standing, *, event: AuditEvent) -> bool:
        return self._change(standing, replace(standing.key, previous_secret=None), event)

    def _change(self, standing: Standing, changed: ApiKey, event: AuditEvent) -> bool:
        self.meanwhile()
        self._store.may_fail()
        if self._store.keys.get((changed.owner, changed.id)) != standing.seen:
            return False
        self._store.keys[changed.owner, changed.id] = changed
        self._store.events.append(event)
        return True


class MemoryKeyChanges:
    """The settings of those keys, as ``services.key_changes.changing.KeyChangeStore`` promises.

    Attributes:
        meanwhile: is called between the look and the write, as if somebody else were faster.
    """

    def __init__(self, store: MemoryKeyStore) -> None:
        self._store = store
        self.meanwhile: Callable[[], object] = lambda: None

    def look(self, owner: str, key_id: str) -> Seen | None:
        key = self._store.get(owner, key_id)
        return None if key is None else Seen(key=key, store=key)

    def change(self, seen: Seen, became: ApiKey, *, event: AuditEvent) -> ApiKey | None:
        self.meanwhile()
        self._store.may_fail()
        place = became.owner, became.id
        if self._store.keys.get(place) != seen.store:
            return None
        self._store.keys[place] = became
        self._store.events.append(event)
        return became


class MemoryNotes:
    """What is remembered of requests, as ``services.idempotency.Notes`` promises."""

    def __init__(self, store: MemoryKeyStore) -> None:
        self._store = store
        self.kept: dict[Repeatable, Note] = {}

    def find(self, request: Repeatable) -> Note | None:
        self._store.may_fail()
        return self.kept.get(_nameless(request))

    def change(self, change: NoteChange) -> bool:
        self._store.may_fail()
        place = _nameless(change.request)
        if self.kept.get(place) != change.seen:
            return False
        self.kept.pop(place, None)
        if change.note is not None:
            self.kept[place] = change.note
        return True

    def any_key(self, owner: str, key_id: str) -> ApiKey | None:
        self._store.may_fail()
        return self._store.known.get(key_id)


def _nameless(request: Repeatable) -> Repeatable:
    return replace(request, body="")
