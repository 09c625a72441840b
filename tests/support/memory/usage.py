"""Buckets in memory, as ``services.usage.reports.UsageReader`` promises them."""

from __future__ import annotations

from collections.abc import Iterable

from chatgrid_auth.services.usage.reports import Bucket
from chatgrid_auth.services.usage.tallies import COLUMNS


class MemoryUsage:
    """What a test has said that happened; nothing else did."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str], list[Bucket]] = {}

    def happened(
        self, whose: str, granularity: str, start_ms: int, route: str = "GET /boards", **counts: int
    ) -> None:
        """Put a bucket there, of a key or a user."""
        told = {**dict.fromkeys(COLUMNS, 0), **counts}
        bucket = Bucket(start_ms=start_ms, counts=told, routes={route: told})
        self._buckets.setdefault((whose, granularity), []).append(bucket)

    def of_key(
        self, key_id: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterable[Bucket]:
        return self._of(key_id, granularity, from_ms, to_ms)

    def of_owner(
        self, owner: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterable[Bucket]:
        return self._of(owner, granularity, from_ms, to_ms)

    def of_all(self, *, granularity: str, from_ms: int, to_ms: int) -> Iterable[Bucket]:
        return self._of("", granularity, from_ms, to_ms)

    def _of(self, whose: str, granularity: str, from_ms: int, to_ms: int) -> Iterable[Bucket]:
        found = self._buckets.get((whose, granularity), [])
        return [bucket for bucket in found if from_ms <= bucket.start_ms < to_ms]
