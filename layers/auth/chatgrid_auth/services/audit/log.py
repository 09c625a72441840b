"""Who did what to an owner's keys, for that owner: read and verified, never written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chatgrid_auth.domain.audit import Verification


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryPage:
    """One page of entries, as they are shown.

    Attributes:
        last_seq: the number under which the last one is kept, whatever it holds.
    """

    items: Sequence[Mapping[str, Any]]
    last_seq: int | None
    has_more: bool


class AuditLog(Protocol):
    """Where the owners' chains are."""

    def page(self, owner: str, *, limit: int, after: int | None, descending: bool) -> EntryPage:
        """The owner's entries in the order of their numbers, ``after`` that one."""

    def verify(self, owner: str) -> Verification:
        """Whether the owner's chain holds, every entry of it read."""
