"""An end to waiting, even for a store that drips its answer byte by byte.

A client's time-outs start anew with each byte, and several calls add up: without this, the
function would be ended in the middle by Lambda, and API Gateway would answer for it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

#: Raised inside a finaliser or a weak reference's callback, an exception is dropped by Python.
_AGAIN_SECONDS = 0.2


class OutOfTime(BaseException):
    """The time is over. Not an ``Exception``: nobody on the way may take it for a retry's cue."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside, blocking system calls included, when the time is over.

    In the main thread only, where Lambda runs handlers; without effect in others.

    Raises:
        OutOfTime: it is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = False

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not over:
            raise OutOfTime

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
            yield
        finally:
            over = True  # from here on no signal can keep the alarm from being taken down
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
