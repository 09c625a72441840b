"""The keys that verify signatures at one moment; what is asked of them loads no PyJWT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey


class KeySet:
    """The keys of one moment; never changed, only replaced."""

    __slots__ = ("_by_id",)

    def __init__(self, keys: Iterable[VerificationKey]) -> None:
        self._by_id: dict[str, VerificationKey] = {}
        for key in keys:
            self._by_id.setdefault(key.key_id, key)

    def knows(self, key_id: str) -> bool:
        """Whether there is a key of this name, for whichever algorithm."""
        return key_id in self._by_id

    def get(self, key_id: str, algorithm: str) -> VerificationKey | None:
        """The key of this name if it is one for this algorithm."""
        key = self._by_id.get(key_id)
        return key if key is not None and key.algorithm == algorithm else None

    def keeps(self, earlier: KeySet) -> bool:
        """Whether everything that verified earlier still does: no key withdrawn or replaced."""
        return all(
            (mine := self._by_id.get(key_id)) is not None and mine.thumbprint == key.thumbprint
            for key_id, key in earlier._by_id.items()
        )
