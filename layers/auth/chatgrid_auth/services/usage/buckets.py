"""Buckets of a minute, an hour and a day: where each begins, and how long it is kept."""

from __future__ import annotations

#: How long a bucket of each granularity lasts, in milliseconds. UTC days have no other length.
LENGTH_MS = {"minute": 60_000, "hour": 3_600_000, "day": 86_400_000}
#: How long it is kept after its end, in days.
KEPT_DAYS = {"minute": 2, "hour": 90, "day": 731}
#: The most that one question may ask for.
MOST_BUCKETS = 1_500


def start_of(at_ms: int, granularity: str) -> int:
    """When the bucket that holds this instant begins, in Unix milliseconds."""
    length_ms = LENGTH_MS[granularity]
    return at_ms // length_ms * length_ms


def expires_on(start_ms: int, granularity: str) -> int:
    """When a bucket may go, in Unix seconds, as DynamoDB's TTL wants it."""
    return (start_ms + LENGTH_MS[granularity]) // 1000 + KEPT_DAYS[granularity] * 86_400
