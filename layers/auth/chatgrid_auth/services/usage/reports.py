"""What is told of usage: every bucket of a span, zeros where there is nothing, and its routes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chatgrid_auth.services.usage.buckets import LENGTH_MS, MOST_BUCKETS, start_of
from chatgrid_auth.services.usage.tallies import COLUMNS

#: How many routes are told of: those with the most requests.
MOST_ROUTES = 20
#: The year 3000: an answer tells when its buckets end, and has no words for the year 10,000.
_LATEST_MS = 32_503_680_000_000

#: How many of each column.
Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What happened from one instant on, for as long as the granularity says.

    Attributes:
        start_ms: in Unix milliseconds.
        routes: the same by route.
    """

    start_ms: int
    counts: Counts
    routes: Mapping[str, Counts]


class UsageReader(Protocol):
    """Where the sums are."""

    def of_key(
        self, key_id: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterable[Bucket]:
        """A key's buckets that begin in this span, the end excluded; those with nothing left out.

        Raises:
            StoreUnavailable: the store cannot tell.
        """

    def of_owner(
        self, owner: str, *, granularity: str, from_ms: int, to_ms: int
    ) -> Iterable[Bucket]:
        """The same of all keys and sessions of one user."""

    def of_all(self, *, granularity: str, from_ms: int, to_ms: int) -> Iterable[Bucket]:
        """The same of everybody, and of requests of which nobody knows whose they were."""


class BadSpan(ValueError):
    """No span to ask for. The text says why, in one sentence.

    Attributes:
        field: what of the question is wrong: ``from`` or ``to``.
    """

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Whole buckets, from one instant to before another, in Unix milliseconds."""

    granularity: str
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The answer to a question about usage."""

    span: Span
    buckets: Sequence[Bucket]
    routes: Sequence[tuple[str, Counts]]


def span_of(*, granularity: str, from_ms: int | None, to_ms: int | None, now_ms: int) -> Span:
    """The whole buckets that a question is about.

    Args:
        granularity: ``minute``, ``hour`` or ``day``.
        from_ms: the first instant; a day before the end when not given.
        to_ms: the first instant that is not asked for; the end of the running bucket when not
            given.
        now_ms: Unix time in milliseconds.

    Raises:
        BadSpan: it ends before it begins, has too many buckets, or lies beyond the years in which
            anything can have happened.
    """
    length_ms = LENGTH_MS[granularity]
    if from_ms is not None and to_ms is not None and from_ms >= to_ms:
        raise BadSpan("from", "Must be before 'to'")
    last_ms = now_ms if to_ms is None else to_ms - 1
    ends_ms = start_of(last_ms, granularity) + length_ms
    begins_ms = ends_ms - LENGTH_MS["day"] if from_ms is None else start_of(from_ms, granularity)
    if begins_ms >= ends_ms:
        raise BadSpan("from", "Must be before 'to'")
    if begins_ms < 0 or ends_ms > _LATEST_MS:
        field = "from" if begins_ms < 0 and from_ms is not None else "to"
        raise BadSpan(field, "Must be within the years 1970 to 2999")
    if ends_ms - begins_ms > MOST_BUCKETS * length_ms:
        raise BadSpan(
            "from",
            f"More than {MOST_BUCKETS} buckets: ask for a shorter time or a coarser granularity",
        )
    return Span(granularity=granularity, from_ms=begins_ms, to_ms=ends_ms)


def report(found: Iterable[Bucket], span: Span) -> Report:
    """Every bucket of the span, and the routes with the most requests."""
    known = {bucket.start_ms: bucket for bucket in found}
    starts = range(span.from_ms, span.to_ms, LENGTH_MS[span.granularity])
    nothing = dict.fromkeys(COLUMNS, 0)
    buckets = [
        known.get(start) or Bucket(start_ms=start, counts=nothing, routes={}) for start in starts
    ]
    routes: dict[str, dict[str, int]] = {}
    for bucket in known.values():
        for route, counts in bucket.routes.items():
            sums = routes.setdefault(route, dict(nothing))
            for column, count in counts.items():
                sums[column] += count
    busiest = sorted(
        routes.items(), key=lambda one: (-one[1]["allowed"] - one[1]["refused"], one[0])
    )
    return Report(span=span, buckets=buckets, routes=busiest[:MOST_ROUTES])
