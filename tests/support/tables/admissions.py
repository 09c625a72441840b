"""Whether a limit held, by what clients alone saw: an exact log of admitted requests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, order=True)
class Admitted:
    """A request that was answered with success, on a monotonic clock: it arrived in between."""

    sent_at: float
    answered_at: float


def most_in_a_window(log: Iterable[Admitted], *, seconds: float = WINDOW_SECONDS) -> int:
    """The most requests that certainly arrived within some window.

    Sent after its beginning and answered before its end: whatever the network did to them, they
    arrived in it. So a number over the limit is a broken promise, never bad luck.
    """
    by_sending = sorted(log)
    most = 0
    for number, first in enumerate(by_sending):
        end = first.sent_at + seconds
        inside = 0
        for later in by_sending[number:]:
            if later.sent_at > end:
                break
            inside += later.answered_at <= end
        most = max(most, inside)
    return most
