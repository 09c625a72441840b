"""Identifiers whose order is the order of creation (UUID version 7, RFC 9562 section 5.7)."""

from __future__ import annotations

import re
from uuid import UUID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


def uuid7(*, now_ms: int, entropy: Callable[[int], bytes]) -> str:
    """A new identifier; those of a later millisecond sort after those of an earlier one.

    Args:
        now_ms: Unix time in milliseconds.
        entropy: gives that many random bytes; ``os.urandom`` outside tests.
    """
    random = int.from_bytes(entropy(10), "big")
    value = (
        (now_ms & (1 << 48) - 1) << 80
        | 0x7 << 76
        | (random >> 62 & 0xFFF) << 64
        | 0b10 << 62
        | random & (1 << 62) - 1
    )
    return str(UUID(int=value))


def is_uuid(candidate: str) -> bool:
    """Whether this is a UUID in its canonical lower-case form."""
    return _CANONICAL.fullmatch(candidate) is not None


def id_range(after: str | None, *, descending: bool) -> tuple[str, str]:
    """First and last id of what is left to read after that one, both included.

    Args:
        after: the last id that was read; ``None`` at the beginning.
        descending: whether the order is from the greatest id to the least.
    """
    first, last = 0, (1 << 128) - 1
    if after is not None:
        position = UUID(after).int
        first, last = (0, max(position - 1, 0)) if descending else (min(position + 1, last), last)
    return str(UUID(int=first)), str(UUID(int=last))


def canonical_id(text: str) -> str | None:
    """A UUID in its one canonical form; ``None`` for what can be no identifier."""
    lower = text.lower()
    return lower if is_uuid(lower) else None
