"""No user makes more than so many keys in any hour, however many of them are revoked again.

Nor does a key get more secrets than that: each leaves an alias for as long as revoked keys are
kept. They count for each key by itself, so that nobody who has one key in hand, and may rotate it,
keeps its owner from making others.
"""

from __future__ import annotations

from collections.abc import Sequence

from chatgrid_auth.domain.key_errors import CreationLimitReached, SecretLimitReached

HOUR_MS = 3_600_000


def another_secret(times_ms: Sequence[int], *, now_ms: int, most: int) -> tuple[int, ...] | None:
    """The times of the last hour's secrets of a key, one more made now; ``None`` if none count.

    Args:
        most: how many may lie in any hour; 0 for any number.

    Raises:
        SecretLimitReached: there are as many already.
    """
    if not most:
        return None
    return tuple(with_another(times_ms, now_ms=now_ms, most=most, reached=SecretLimitReached))


def with_another(
    times_ms: Sequence[int],
    *,
    now_ms: int,
    most: int,
    reached: type[CreationLimitReached] = CreationLimitReached,
) -> list[int]:
    """The times of the last hour's creations, one more made now.

    Args:
        times_ms: of earlier creations, in Unix milliseconds, at least those of the last hour.
        now_ms: the clock, in Unix milliseconds.
        most: how many may lie in any hour.
        reached: what is raised then.

    Raises:
        CreationLimitReached: there are as many already.
    """
    recent = sorted(time for time in times_ms if time > now_ms - HOUR_MS)
    if len(recent) >= most:
        free_ms = recent[-most] + HOUR_MS
        raise reached(most, retry_after_s=max(1, -((now_ms - free_ms) // 1_000)))
    return [*recent, now_ms]
