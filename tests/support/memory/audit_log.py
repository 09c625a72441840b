"""The audit log over what a memory store was told, as ``services.audit.log.AuditLog`` promises."""

from __future__ import annotations

import os
from typing import Any

from chatgrid_auth.domain.audit import Head, Verification
from chatgrid_auth.services.audit.chain import linked, verify
from chatgrid_auth.services.audit.log import EntryPage
from tests.support.memory.key_store import MemoryKeyStore


class MemoryAuditLog:
    """Each owner's events as a chain, made when it is first read."""

    def __init__(self, store: MemoryKeyStore) -> None:
        self._store = store
        #: By owner; a test may spoil them.
        self.chains: dict[str, list[dict[str, Any]]] = {}

    def page(self, owner: str, *, limit: int, after: int | None, descending: bool) -> EntryPage:
        chain = self._chain(owner)[:: -1 if descending else 1]
        if after is not None:
            chain = [e for e in chain if (e["seq"] < after if descending else e["seq"] > after)]
        shown = chain[:limit]
        return EntryPage(
            items=shown,
            last_seq=shown[-1]["seq"] if shown else None,
            has_more=len(chain) > limit,
        )

    def verify(self, owner: str) -> Verification:
        chain = self._chain(owner)
        head = Head(seq=chain[-1]["seq"], hash=chain[-1]["hash"]) if chain else Head()
        return verify(enumerate(chain, 1), head=head)

    def _chain(self, owner: str) -> list[dict[str, Any]]:
        self._store.may_fail()
        chain = self.chains.setdefault(owner, [])
        events = [event for event in self._store.events if event.owner == owner]
        for event in events[len(chain) :]:
            head = Head(seq=chain[-1]["seq"], hash=chain[-1]["hash"]) if chain else Head()
            chain.append(dict(linked(event, head=head, entropy=os.urandom).document))
        return chain
