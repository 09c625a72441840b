"""Verified tokens are recognised by their hash, for as long as they are valid.

Only good tokens are remembered. A refusal never is: an unknown key may be published, a clock may
catch up with ``nbf``, and whoever sends rubbish must not be able to push good tokens out.
"""

from __future__ import annotations

from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")

DEFAULT_CAPACITY = 4_096


class TokenCache(Generic[T]):
    """At most ``capacity`` entries, the oldest making room; emptied in one stroke.

    Readers take the current `generation` themselves, a plain dict, since a look-up has to cost less
    than a few hashes. Whoever verifies a token takes the generation *before* it looks for the key,
    and puts the result there: when a key was withdrawn meanwhile, the generation was replaced, and
    a token of that key ends up in one that nobody reads any more. For that, whoever withdraws a key
    replaces the generation first, and from then on gives that key to nobody.
    """

    __slots__ = ("_capacity", "_lock", "generation")

    def __init__(self, capacity: int = DEFAULT_CAPACITY) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self.generation: dict[bytes, T] = {}

    def put(self, generation: dict[bytes, T], digest: bytes, entry: T) -> None:
        """Keep the entry on a generation that was taken earlier."""
        with self._lock:
            generation.pop(digest, None)
            while len(generation) >= self._capacity:
                del generation[next(iter(generation))]
            generation[digest] = entry

    def forget_all(self) -> None:
        """Nothing that was verified so far is recognised any more. Waits for nobody."""
        self.generation = {}
