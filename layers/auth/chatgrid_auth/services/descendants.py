"""What a key has made, and what that has made in turn: a key that leaked may have left others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """A key that another key made.

    Attributes:
        id: the key.
        maker: the id of the key that made it.
        lives: whether it is not revoked.
    """

    id: str
    maker: str
    lives: bool


def living_descendants(key_id: str, kin: Iterable[Kin]) -> list[str]:
    """The non-revoked keys that this key made, by itself or through keys of whatever state.

    In the order of their making, so that what could make more goes first.
    """
    children: dict[str, dict[str, bool]] = {}
    for one in kin:
        # One that is being revoked meanwhile may be read twice, as living and as revoked.
        known = children.setdefault(one.maker, {})
        known[one.id] = known.get(one.id, True) and one.lives
    found: list[str] = []
    pending, seen = [key_id], {key_id}
    while pending:
        for child, lives in children.get(pending.pop(), {}).items():
            if child not in seen:
                seen.add(child)
                pending.append(child)
                if lives:
                    found.append(child)
    return sorted(found)
