"""Keys from elsewhere, kept fresh without making callers wait, and kept through outages.

All ages are by the wall clock that the caller brings along. A container restored from a snapshot,
or thawed after a day, therefore sees at once how old its keys are; there is nothing to reset.

===========================  =======================================================
age of the keys              what a caller gets
===========================  =======================================================
below the soft age           these keys
above it                     these keys, while a thread fetches new ones
above the stale age          new keys: the caller waits for the fetch, once; while the
                             provider is down, the last good ones
above the hard age, or none  new keys, or `IdentityProviderUnavailable`
===========================  =======================================================

The stale age is there because a container is frozen between requests: a thread alone could be
hours late, and a key withdrawn meanwhile would be good for one more request.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from chatgrid_auth.domain.errors import IdentityProviderUnavailable

if TYPE_CHECKING:
    from chatgrid_auth.adapters.jwt.key_set import KeySet
    from chatgrid_auth.adapters.jwt.verification_keys import VerificationKey

SOFT_AGE_MS = 300_000
STALE_AGE_MS = 600_000  # Supabase: do not keep keys for longer than its `max-age=600`
#: At most one fetch for unknown key ids in this time, however many arrive.
UNKNOWN_KEY_INTERVAL_MS = 10_000
FIRST_BACKOFF_MS = 2_000
LONGEST_BACKOFF_MS = 60_000
#: How long one decision waits for fetches, in all: a little more than a fetch may take. Together
#: with the store's two seconds it has to fit into the authorizer's own time-out of 5 seconds; it
#: does not where, in the same decision, the store's name is looked up of a server that is dead.
WAIT_SECONDS = 2.5
#: A fetch that has not landed after this long was frozen with its container; it no longer counts.
FLIGHT_LIFETIME_MS = 10_000


class _Flight:
    """One fetch on its way."""

    __slots__ = ("landed", "started_at_ms")

    def __init__(self, started_at_ms: int) -> None:
        self.started_at_ms = started_at_ms
        self.landed = Event()


class JwksCache:
    """The last good keys; at most one fetch at a time.

    Args:
        load: fetches the keys, told the time; any exception is a failure.
        hard_age_ms: the oldest keys that serve while the provider is down.
        on_withdrawn: called before keys are replaced by some that lack one of them. Readers are
            kept waiting meanwhile: it must not wait for anything, nor ask this cache.
        spawn: runs the fetch; a thread, unless a test wants to see it happen.
        wait_seconds: how long a decision waits for fetches, in all.
        monotonic: the clock that waiting is measured on, in seconds.

    Attributes:
        due_at_ms: before this moment, `current` has nothing to do.
        loaded_at_ms: when the keys were asked for that it has, in Unix milliseconds.
    """

    def __init__(
        self,
        load: Callable[[int], KeySet],
        *,
        hard_age_ms: int,
        on_withdrawn: Callable[[], None],
        spawn: Callable[[Callable[[], None]], None] | None = None,
        wait_seconds: float = WAIT_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._soft_age_ms = min(SOFT_AGE_MS, hard_age_ms // 2)
        self._stale_age_ms = min(STALE_AGE_MS, hard_age_ms)
        self._hard_age_ms = hard_age_ms
        self._on_withdrawn = on_withdrawn
        self._spawn = spawn or _in_thread
        self._wait_seconds = wait_seconds
        self._monotonic = monotonic
        self._lock = Lock()
        self._keys: KeySet | None = None
        self.loaded_at_ms = 0
        self._attempted_at_ms = 0
        self._failures = 0
        self._retry_at_ms = 0
        self._flight: _Flight | None = None
        self.due_at_ms = 0

    def deadline(self) -> float:
        """Until when a decision that begins now may wait, for whatever and however often."""
        return self._monotonic() + self._wait_seconds

    def ask_ahead(self, now_ms: int) -> None:
        """Let the first keys be fetched while the caller has something else to do."""
        if self._keys is None:
            self._begin(now_ms)

    def current(self, now_ms: int, *, deadline: float | None = None) -> KeySet:
        """The keys to go by at this moment.

        Args:
            now_ms: the wall clock.
            deadline: the decision's `deadline`; without it, waiting begins now.

        Raises:
            IdentityProviderUnavailable: there are none young enough.
        """
        with self._lock:  # also for the quick way: see `_take_in`
            if self._keys is not None and now_ms < self.due_at_ms:
                return self._keys
            age_ms = now_ms - self.loaded_at_ms
            # With the provider down one caller in a back-off interval would wait in vain:
            # after a first failure, old keys serve and the thread alone looks for new ones.
            waits = self._keys is None or age_ms >= (
                self._hard_age_ms if self._failures else self._stale_age_ms
            )
        flight = self._begin(now_ms)
        if flight is not None and waits:
            self._wait(flight, self.deadline() if deadline is None else deadline)
        with self._lock:
            if self._keys is None or now_ms - self.loaded_at_ms >= self._hard_age_ms:
                raise IdentityProviderUnavailable("no keys that are young enough")
            return self._keys

    def find(
        self, key_id: str, algorithm: str, *, now_ms: int, deadline: float | None = None
    ) -> VerificationKey | None:
        """The key of this name and algorithm; ``None`` when the provider has no such key.

        A name that is not in the set is looked up once more, within `UNKNOWN_KEY_INTERVAL_MS`.

        Args:
            key_id: its name.
            algorithm: its algorithm.
            now_ms: the wall clock.
            deadline: the decision's `deadline`; without it, waiting begins now.

        Raises:
            IdentityProviderUnavailable: whether there is such a key cannot be known.
        """
        if deadline is None:
            deadline = self.deadline()
        keys = self.current(now_ms, deadline=deadline)
        if keys.knows(key_id):
            return keys.get(key_id, algorithm)
        flight = self._begin(now_ms, not_before_ms=UNKNOWN_KEY_INTERVAL_MS)
        if flight is not None:
            self._wait(flight, deadline)
        with self._lock:
            keys = self._keys or keys
            unsure = self._failures > 0 or (flight is not None and not flight.landed.is_set())
        key = keys.get(key_id, algorithm)
        if key is None and unsure:
            # The set that lacks it may be an old one: that is not the caller's fault.
            raise IdentityProviderUnavailable("the key may be a new one")
        return key

    def _wait(self, flight: _Flight, deadline: float) -> None:
        flight.landed.wait(max(0.0, deadline - self._monotonic()))

    def _begin(self, now_ms: int, *, not_before_ms: int = 0) -> _Flight | None:
        """The fetch under way, or a new one, or ``None`` when it is too early for another."""
        with self._lock:
            flight = self._flight
            if flight is not None and now_ms - flight.started_at_ms < FLIGHT_LIFETIME_MS:
                return flight
            if now_ms < max(self._retry_at_ms, self._attempted_at_ms + not_before_ms):
                return None
            flight = self._flight = _Flight(now_ms)
            self._attempted_at_ms = now_ms
        try:
            self._spawn(lambda: self._start_fetch(flight))
        except RuntimeError:  # no more threads to be had
            self._finish(flight, None)
        return flight

    def _start_fetch(self, flight: _Flight) -> None:
        try:
            keys = self._load(flight.started_at_ms)
        except Exception:  # a thread has nobody to tell; counted as a failure
            self._finish(flight, None)
        else:
            self._finish(flight, keys)

    def _finish(self, flight: _Flight, keys: KeySet | None) -> None:
        with self._lock:
            if self._flight is flight:  # otherwise overdue, and another has taken its place
                self._flight = None
                self._take_in(flight.started_at_ms, keys)
        flight.landed.set()

    def _take_in(self, started_at_ms: int, keys: KeySet | None) -> None:
        """Keep what a fetch brought; the caller holds the lock."""
        if keys is None:
            self._failures += 1
            backoff_ms = min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS << min(self._failures - 1, 8))
            self._retry_at_ms = started_at_ms + backoff_ms
            self._plan(max(self._retry_at_ms, self.loaded_at_ms + self._soft_age_ms))
            return
        # Under the lock that keys are given out under: when the new ones are out, what a lost one
        # signed is forgotten already, and nobody is given the lost one between the two, to
        # remember anew what it signed.
        if self._keys is not None and not keys.keeps(self._keys):
            self._on_withdrawn()
        self._keys = keys
        self.loaded_at_ms = started_at_ms
        self._failures = 0
        self._retry_at_ms = 0
        self._plan(started_at_ms + self._soft_age_ms)

    def _plan(self, due_at_ms: int) -> None:
        self.due_at_ms = min(due_at_ms, self.loaded_at_ms + self._hard_age_ms)


def _in_thread(work: Callable[[], None]) -> None:
    Thread(target=work, name="jwks", daemon=True).start()
