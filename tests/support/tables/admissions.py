"""Whether a limit held, by what clients alone saw: an exact log of admitted requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
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
    return max((inside for _, inside in _windows(log, seconds)), default=0)


def fullest_window(
    log: Iterable[Admitted], limit: Callable[[float, float], int]
) -> tuple[int, int]:
    """As many as arrived in the window that is fullest by its limit, and that limit.

    Args:
        limit: the highest limit that may have held at some time between the two.
    """
    windows = (
        (inside, limit(began, began + WINDOW_SECONDS))
        for began, inside in _windows(log, WINDOW_SECONDS)
    )
    return max(windows, key=lambda window: window[0] / window[1])


def _windows(log: Iterable[Admitted], seconds: float) -> Iterator[tuple[float, int]]:
    """Where each window begins, and how many arrived in it."""
    by_sending = sorted(log)
    for number, first in enumerate(by_sending):
        end = first.sent_at + seconds
        inside = 0
        for later in by_sending[number:]:
            if later.sent_at > end:
                break
            inside += later.answered_at <= end
        yield first.sent_at, inside
