"""The port to where keys are kept."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from chatgrid_auth.services.key_filters import NO_FILTERS, KeyFilters

if TYPE_CHECKING:
    from chatgrid_auth.domain.audit import AuditEvent
    from chatgrid_auth.domain.credentials import ApiKey, Page
    from chatgrid_auth.services.descendants import Kin
    from chatgrid_auth.services.repeatable import NoteChange


class KeyStore(Protocol):
    """Where keys are kept. Every write is all or nothing, the entry of the audit log included."""

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
        """Keep a new key, and the note of the request that asked for it.

        Raises:
            CreationLimitReached: the owner made ``creations_per_hour`` keys in the last hour.
            KeyLimitReached: the owner already holds ``keys_per_user`` keys.
            MakerRevoked: the key that makes it has been revoked.
            StillRunning: the note is another by now.
            StoreUnavailable: the store is out; the key may or may not exist, unusable by
                anybody, since nobody has seen its raw form.
        """

    def page(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None,
        descending: bool,
        filters: KeyFilters = NO_FILTERS,
    ) -> Page:
        """The owner's keys that the filters take, in the order of their ids, ``after`` that id.

        With filters a page may be shorter than ``limit``, even empty, though there is more.
        """

    def get(self, owner: str, key_id: str) -> ApiKey | None:
        """One of the owner's non-revoked keys."""

    def revoke(self, owner: str, key_id: str, *, event: AuditEvent) -> bool:
        """Revoke for good; whether there was a non-revoked key of the owner to revoke."""

    def made_by_keys(self, owner: str) -> Iterable[Kin]:
        """Keys of the owner that other keys made, revoked ones too."""
