"""Kinds of keys, and what belongs to each.

A canary is a trap: nobody has a use for it, and who comes with it has found it.
"""

from __future__ import annotations

from collections.abc import Iterable

from chatgrid_auth.domain.keys import CANARY, SECRET
from chatgrid_auth.services.key_rules import KeyProblem

#: What may be asked for.
OFFERED = (SECRET, CANARY)
#: What may be changed of a canary: what its owner knows it by.
_OF_A_CANARY = {"name", "metadata"}


def check_kind(kind: object) -> list[KeyProblem]:
    """What is wrong with a kind."""
    if kind in OFFERED:
        return []
    *others, last = (f"'{one}'" for one in OFFERED)
    return [KeyProblem("kind", "invalid_value", f"Expected {', '.join(others)} or {last}")]


def check_changes(kind: str, said: Iterable[str]) -> list[KeyProblem]:
    """What may not be changed of a key of this kind."""
    if kind != CANARY:
        return []
    rule = "A canary lets nobody in, so this cannot change"
    return [KeyProblem(name, "invalid_value", rule) for name in said if name not in _OF_A_CANARY]
