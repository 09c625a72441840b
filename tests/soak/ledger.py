"""What clients were told, and whether the API kept to it."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from tests.support.tables.admissions import Admitted, most_in_a_window

#: What a fault may be answered with; 502 and 504 are the gateway's own, for a function that died.
FAULTS = frozenset({500, 502, 503, 504})
#: The longest that any answer may take, gateway and all.
PATIENCE_SECONDS = 25.0


class State(Enum):
    """What is known of a key."""

    LIVE = "live"
    REVOKING = "revoking"  # asked for; not answered, or answered with a fault
    REVOKED = "revoked"


@dataclass(slots=True)
class Key:
    """A key that a client was given."""

    id: str
    name: str
    raw: str = field(repr=False)
    limit: int
    state: State = State.LIVE
    revoked_at: float | None = None
    in_hand: bool = False  # somebody waits for the answer to its revocation


class Ledger:
    """Books of one run, for many threads.

    Attributes:
        broken: promises that were not kept, in words.
    """

    def __init__(self) -> None:
        self.broken: list[str] = []
        self.outcomes: Counter[str] = Counter()
        self.slowest: dict[str, float] = defaultdict(float)
        self._log: defaultdict[str, list[Admitted]] = defaultdict(list)
        self._limits: dict[str, int] = {}
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def answered(self, what: str, status: int, *, seconds: float) -> None:
        """Count an answer, and mind how long it took."""
        with self._lock:
            self.outcomes[f"{what} {status}"] += 1
            self.slowest[what] = max(self.slowest[what], seconds)
        if seconds > PATIENCE_SECONDS:
            self.broke(f"{what} took {seconds:.1f} s")

    def used(self, key: Key, status: int, request: Admitted, *, wanted: Iterable[int]) -> None:
        """Judge what the holder of a key was answered."""
        admitted = status in {200, 201, 204, 404}
        if admitted:
            with self._lock:
                self._log[key.id].append(request)
                self._limits[key.id] = key.limit
        if key.revoked_at is not None and request.sent_at > key.revoked_at:
            # A container that has just found it used up goes on saying so, without asking again.
            if status not in {401, 429, *FAULTS}:
                self.broke(f"key {key.id} was answered {status} after its revocation")
        elif status == 401 and key.state is State.LIVE:
            self.broke(f"key {key.id} is good and was answered 401")
        elif status not in {*wanted, 401, 429, *FAULTS}:
            self.broke(f"key {key.id} was answered {status}")

    def broke(self, promise: str) -> None:
        """Note a promise that was not kept."""
        with self._lock:
            self.broken.append(f"after {time.monotonic() - self._started:.1f} s: {promise}")

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(self.outcomes.values())

    def windows(self) -> list[tuple[int, int]]:
        """For each key that was used: the most admitted in any 60 s, and its limit."""
        found = []
        for key_id, log in self._log.items():
            most, limit = most_in_a_window(log), self._limits[key_id]
            found.append((most, limit))
            if most > limit:
                self.broke(f"key {key_id} was admitted {most} times in 60 s, its limit is {limit}")
        return sorted(found, key=lambda pair: pair[0] / pair[1], reverse=True)
