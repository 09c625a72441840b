"""What clients were told, and whether the API kept to it."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from math import inf

from chatgrid_auth.services.gate.refusals import REMEMBERED_MS
from tests.support.tables.admissions import Admitted, fullest_window

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
class Secret:
    """A secret that a client was given.

    Attributes:
        passes: whether it does while its key is enabled; ``None`` when nobody can know.
        sure_until: where it has a grace, until when it certainly passes.
        over_by: where it has one, from when on it certainly does not.
    """

    raw: str = field(repr=False)
    passes: bool | None = True
    sure_until: float | None = None
    over_by: float | None = None

    def during(self, request: Admitted) -> bool | None:
        """Whether a request that arrived then had to be let through."""
        if self.passes and self.sure_until is not None and self.over_by is not None:
            if request.answered_at < self.sure_until:
                return True
            return False if request.sent_at > self.over_by else None
        return self.passes


@dataclass(slots=True)
class Limit:
    """A limit that was asked for; ``sure_at`` is when it was answered, if it ever was."""

    value: int
    began: float = -inf
    sure_at: float | None = -inf


@dataclass(slots=True)
class Key:
    """A key that a client was given.

    Attributes:
        secrets: all that were given, the current one last.
        shown: what it must show, by the API's names; what nobody can know is not in it.
        turn: goes up when a change begins and when it was answered: odd in between.
        deeds: for each action of the audit log how often it was certainly done, and how often it
            may have been beside.
        sure_from: when a container that refused it while it was disabled has forgotten that.
        history: the last changes that were asked for, and what they were answered.
    """

    id: str
    name: str
    raw: str = field(repr=False)
    limit: int
    state: State = State.LIVE
    revoked_at: float | None = None
    in_hand: bool = False  # somebody waits for the answer to its revocation, or to a change
    secrets: list[Secret] = field(default_factory=list, repr=False)
    limits: list[Limit] = field(default_factory=list)
    enabled: bool | None = True
    sure_from: float = -inf
    shown: dict[str, object] = field(default_factory=dict)
    turn: int = 0
    deeds: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))
    history: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    def __post_init__(self) -> None:
        self.secrets = self.secrets or [Secret(self.raw)]
        self.limits = self.limits or [Limit(self.limit)]

    def did(self, action: str, *, sure: bool = True) -> None:
        """Note a deed that the audit log tells of, or may tell of."""
        self.deeds[action][0 if sure else 1] += 1

    def enabled_again(self, answered_at: float) -> None:
        """Note that it passes as soon as its refusals are forgotten."""
        self.sure_from = answered_at + REMEMBERED_MS / 1000

    def note(self, change: str, status: int, request: Admitted) -> None:
        """Remember a change and its answer, for whoever reads why a promise was broken."""
        self.history.append(f"{request.sent_at:.1f}-{request.answered_at:.1f} {change}: {status}")

    def given(self, raw: str) -> Secret:
        """Note a secret that is the current one from now on."""
        secret = Secret(raw)
        self.secrets.append(secret)
        self.raw = raw
        return secret

    @property
    def unsure(self) -> bool:
        """Whether nobody can know which secrets it has, or whether they pass."""
        return self.enabled is None or any(secret.passes is None for secret in self.secrets)

    def sight(self, secret: Secret | None = None) -> Sight:
        """What is known of it before a request."""
        return Sight(self, secret or self.secrets[-1], self.turn)

    def highest_limit(self, began: float, ended: float) -> int:
        """The highest that may have been in force at some time between the two."""
        highest = 0
        for number, limit in enumerate(self.limits):
            over = any(
                later.sure_at is not None and later.sure_at < began
                for later in self.limits[number + 1 :]
            )
            if limit.began <= ended and not over:
                highest = max(highest, limit.value)
        return highest


@dataclass(frozen=True, slots=True)
class Sight:
    """What was known of a key and one of its secrets before a request was sent."""

    key: Key
    secret: Secret
    turn: int

    @property
    def steady(self) -> bool:
        """Whether no change was on its way, then or since."""
        return self.turn == self.key.turn and self.turn % 2 == 0

    def expects(self, request: Admitted) -> bool | None:
        """Whether the request had to be let through; ``None`` when nobody can know."""
        if not self.steady or self.key.enabled is None:
            return None
        if self.key.enabled and request.sent_at < self.key.sure_from:
            return None
        return self.key.enabled and self.secret.during(request)


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
        self._keys: dict[str, Key] = {}
        self._lock = threading.Lock()
        self._started = time.monotonic()

    def answered(self, what: str, status: int, *, seconds: float) -> None:
        """Count an answer, and mind how long it took."""
        with self._lock:
            self.outcomes[f"{what} {status}"] += 1
            self.slowest[what] = max(self.slowest[what], seconds)
        if seconds > PATIENCE_SECONDS:
            self.broke(f"{what} took {seconds:.1f} s")

    def used(
        self,
        key: Key,
        status: int,
        request: Admitted,
        *,
        wanted: Iterable[int],
        sight: Sight | None = None,
    ) -> None:
        """Judge what the holder of a key was answered.

        Args:
            sight: what was known before; by default what is known now.
        """
        sight = sight or key.sight()
        expected = sight.expects(request)
        if status in {200, 201, 204, 404}:
            self.admitted(key, request)
        if key.revoked_at is not None and request.sent_at > key.revoked_at:
            # A container that has just found it used up goes on saying so, without asking again.
            if status not in {401, 429, *FAULTS}:
                self.broke(f"key {key.id} was answered {status} after its revocation")
        elif status == 401 and key.state is State.LIVE and expected:
            self.broke(
                f"key {key.id} is good and was answered 401 {_circumstances(sight, request)}"
            )
        elif expected is False and status not in {401, 429, *FAULTS}:
            self.broke(
                f"key {key.id} was answered {status}, disabled or by a secret that ended"
                f" {_circumstances(sight, request)}"
            )
        elif status not in {*wanted, 401, 429, *FAULTS}:
            self.broke(f"key {key.id} was answered {status}")

    def admitted(self, key: Key, request: Admitted) -> None:
        """Count a request that was let through on the key's limit."""
        with self._lock:
            self._log[key.id].append(request)
            self._keys[key.id] = key

    def broke(self, promise: str) -> None:
        """Note a promise that was not kept."""
        with self._lock:
            self.broken.append(f"after {time.monotonic() - self._started:.1f} s: {promise}")

    @property
    def requests(self) -> int:
        """How many were answered."""
        return sum(self.outcomes.values())

    def windows(self) -> list[tuple[int, int]]:
        """For each key that was used: the most admitted in any 60 s, and its limit then."""
        found = []
        for key_id, log in self._log.items():
            most, limit = fullest_window(log, self._keys[key_id].highest_limit)
            found.append((most, limit))
            if most > limit:
                self.broke(f"key {key_id} was admitted {most} times in 60 s, its limit is {limit}")
        return sorted(found, key=lambda pair: pair[0] / pair[1], reverse=True)


def _circumstances(sight: Sight, request: Admitted) -> str:
    secret, key = sight.secret, sight.key
    age = len(key.secrets) - 1 - key.secrets.index(secret)
    return (
        f"({request.sent_at:.1f}-{request.answered_at:.1f}, by its secret {age} before the last, "
        f"sure until {secret.sure_until}; changes: {'; '.join(key.history) or 'none'})"
    )
