"""What a container remembers of refusals, so that hammering costs no further store requests.

Only refusals: an *allow* is never remembered. Each has an end: never for a revoked key, the known
moment for a limited one, a few seconds for an unknown or expired one. Bounded: the oldest goes
first.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from chatgrid_auth.domain.verdicts import Forbidden, Limited, Refused

    class Refusal(Protocol):
        """Something that can say no again without asking the store."""

        def verdict(self, *, scope: str, now_ms: int) -> Refused | Forbidden | Limited: ...


class Refusals:
    """A bounded memory of who was refused, and until when.

    Args:
        capacity: how many entries at most.
    """

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._entries: dict[str, tuple[int, Refusal]] = {}

    def recall(self, name: str, *, now_ms: int) -> Refusal | None:
        """The refusal that is remembered under this name and still holds at ``now_ms``."""
        entry = self._entries.get(name)
        if entry is None:
            return None
        if entry[0] <= now_ms:
            del self._entries[name]
            return None
        return entry[1]

    def remember(self, name: str, refusal: Refusal, *, until_ms: int) -> None:
        """Keep a refusal until ``until_ms``, in place of an older one of the same name."""
        self._entries.pop(name, None)
        if len(self._entries) >= self._capacity:
            del self._entries[next(iter(self._entries))]
        self._entries[name] = (until_ms, refusal)
