"""No user makes more than so many keys in any hour, however many of them are revoked again."""

from __future__ import annotations

from collections.abc import Sequence

from chatgrid_auth.domain.errors import CreationLimitReached

HOUR_MS = 3_600_000


def with_another(times_ms: Sequence[int], *, now_ms: int, most: int) -> list[int]:
    """The times of the last hour's creations, one more made now.

    Args:
        times_ms: of earlier creations, in Unix milliseconds, at least those of the last hour.
        now_ms: the clock, in Unix milliseconds.
        most: how many may lie in any hour.

    Raises:
        CreationLimitReached: there are as many already.
    """
    recent = sorted(time for time in times_ms if time > now_ms - HOUR_MS)
    if len(recent) >= most:
        free_ms = recent[-most] + HOUR_MS
        raise CreationLimitReached(most, retry_after_s=max(1, -((now_ms - free_ms) // 1_000)))
    return [*recent, now_ms]
