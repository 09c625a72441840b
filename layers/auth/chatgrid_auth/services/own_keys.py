"""Look at API keys: what their owner, and they themselves, may see of them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from chatgrid_auth.domain.key_errors import NotFound
from chatgrid_auth.services.key_filters import ALL, NO_FILTERS, KeyFilters

if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.domain.credentials import ApiKey, Page
    from chatgrid_auth.services.key_store import KeyStore

_ANY_STATUS = KeyFilters(status=ALL)


class OwnKeys:
    """The keys of a caller's own user, and no others.

    Args:
        store: where keys are kept.
        now_ms: the clock, in Unix milliseconds.
    """

    def __init__(self, store: KeyStore, *, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms

    def list(
        self,
        owner: str,
        *,
        limit: int,
        after: str | None,
        descending: bool,
        filters: KeyFilters = NO_FILTERS,
    ) -> Page:
        """A page of the owner's keys: without filters, of those that are not revoked."""
        page = self._store.page(
            owner, limit=limit, after=after, descending=descending, filters=filters
        )
        now_ms = self._now_ms()
        return replace(page, items=[key.at(now_ms) for key in page.items])

    def get(self, owner: str, key_id: str) -> ApiKey:
        """One of the owner's non-revoked keys.

        Raises:
            NotFound: no such key, a revoked one, or somebody else's.
        """
        key = self._store.get(owner, key_id)
        if key is None:
            raise NotFound
        return key.at(self._now_ms())

    def known(self, owner: str, key_id: str) -> None:
        """Make sure that the owner has such a key, or had it: a revoked one is known for a while.

        Raises:
            NotFound: it is none of the owner's.
        """
        before = str(UUID(int=max(UUID(key_id).int - 1, 0)))
        page = self._store.page(owner, limit=1, after=before, descending=False, filters=_ANY_STATUS)
        if [key.id for key in page.items] != [key_id]:
            raise NotFound
