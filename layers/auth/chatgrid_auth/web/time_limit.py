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
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise OutOfTime
