"""Calls to a control plane, never faster than it allows and never past the time there is.

Two limits of API Gateway's control plane matter: all operations together, and the creation (and,
separately, the deletion) of keys. Both are for the whole account, so others may use them up: what
is refused nevertheless is tried again, after a wait that doubles and is drawn at random, so that
two callers who met once do not meet again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

from chatgrid_auth.domain.usage_keys import ControlPlaneThrottled

#: API Gateway's limit for all control-plane operations of an account and Region.
CALLS_PER_SECOND = 10.0
_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 8.0

Lane = Literal["any", "create", "delete"]
T = TypeVar("T")


class OutOfTime(Exception):
    """There is no time for another call: the rest is the next run's."""


class Pace:
    """Spaces calls, and repeats throttled ones, for as long as there is time.

    Args:
        clock: seconds on a clock that never goes back.
        sleep: waits that many seconds.
        fraction: a random number from 0 to below 1.
        time_left: seconds until no further call may start.
        create_rate: creations of keys a second, and as many deletions.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        fraction: Callable[[], float],
        time_left: Callable[[], float],
        create_rate: float,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._fraction = fraction
        self._time_left = time_left
        self._spacing: dict[Lane, float] = {
            "any": 1 / CALLS_PER_SECOND,
            "create": 1 / create_rate,
            "delete": 1 / create_rate,
        }
        self._free_at: dict[Lane, float] = dict.fromkeys(self._spacing, clock())
        #: How often the control plane has asked us to slow down.
        self.throttled = 0

    def call(self, operation: Callable[[], T], *, lane: Lane = "any") -> T:
        """The operation's result, once it is not throttled.

        Raises:
            OutOfTime: the wait for the next try would outlast the time there is.
        """
        longest = _FIRST_BACKOFF_SECONDS
        while True:
            self._take_turn(lane)
            try:
                return operation()
            except ControlPlaneThrottled:
                self.throttled += 1
            self._wait(self._fraction() * longest)
            longest = min(2 * longest, _LONGEST_BACKOFF_SECONDS)

    def check(self) -> None:
        """Whether there is time to start something.

        Raises:
            OutOfTime: there is none.
        """
        if self._time_left() <= 0:
            raise OutOfTime

    def _take_turn(self, lane: Lane) -> None:
        """Wait until this lane and the one for all are free, and take both."""
        lanes = {lane, "any"}
        self._wait(max(self._free_at[each] for each in lanes) - self._clock())
        now = self._clock()
        for each in lanes:
            self._free_at[each] = now + self._spacing[each]

    def _wait(self, seconds: float) -> None:
        seconds = max(seconds, 0)  # a turn that came long ago makes no time
        if seconds >= self._time_left():
            raise OutOfTime
        if seconds > 0:
            self._sleep(seconds)
