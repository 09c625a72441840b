"""Calls to a control plane, one after the other, at one pace and never past the time there is.

API Gateway gives an account and Region 10 control-plane calls a second in all, 5 creations and 5
deletions of keys among them, and puts one key at a time into a plan. CloudFormation, the console
and other stacks live on the same 10, so this keeps well below them. What is refused nevertheless
is tried again, after a wait that doubles and is drawn at random, so that two callers who met once
do not meet again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from chatgrid_auth.domain.usage_keys import ControlPlaneThrottled

_FIRST_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF_SECONDS = 8.0

T = TypeVar("T")


class OutOfTime(Exception):
    """There is no time for another call: the rest is the next run's."""


class Pace:
    """Spaces calls, and repeats throttled ones, for as long as there is time.

    Args:
        clock: seconds on a clock that never goes back.
        sleep: waits that many seconds.
        fraction: a random number from 0 to below 1.
        time_left: seconds until no further call may start; may be exchanged for another.
        calls_per_second: of all kinds together.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        fraction: Callable[[], float],
        time_left: Callable[[], float],
        calls_per_second: float,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._fraction = fraction
        self.time_left = time_left
        self._spacing = 1 / calls_per_second
        self._free_at = clock()
        #: How often the control plane has asked us to slow down.
        self.throttled = 0

    def call(self, operation: Callable[[], T]) -> T:
        """The operation's result, once it is not throttled.

        Raises:
            OutOfTime: the wait for the next try would outlast the time there is.
        """
        attempt = 0
        while True:
            self._take_turn()
            try:
                return operation()
            except ControlPlaneThrottled:
                self.back_off(attempt)
            attempt += 1

    def back_off(self, attempt: int) -> None:
        """Wait after a call that met another, the longer the more often it did.

        Args:
            attempt: how many were waited out before this one.

        Raises:
            OutOfTime: the wait would outlast the time there is.
        """
        self.throttled += 1
        longest = min(_FIRST_BACKOFF_SECONDS * 2**attempt, _LONGEST_BACKOFF_SECONDS)
        self._wait(self._fraction() * longest)

    def check(self) -> None:
        """Whether there is time to start something.

        Raises:
            OutOfTime: there is none.
        """
        if self.time_left() <= 0:
            raise OutOfTime

    def _take_turn(self) -> None:
        self._wait(self._free_at - self._clock())
        self._free_at = self._clock() + self._spacing

    def _wait(self, seconds: float) -> None:
        seconds = max(seconds, 0)  # a turn that came long ago makes no time
        if seconds >= self.time_left():
            raise OutOfTime
        if seconds > 0:
            self._sleep(seconds)
