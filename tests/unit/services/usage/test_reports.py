"""A report has every bucket of its span, none twice, and sums that hold."""

from __future__ import annotations

import pytest

from chatgrid_auth.services.usage.reports import BadSpan, Bucket, Counts, report, span_of

HOUR_MS = 3_600_000
NOW_MS = 1_800_000_000_000 // HOUR_MS * HOUR_MS + 1_234_567


def counts(allowed: int, refused: int = 0) -> Counts:
    named = {"rate_limited": 0, "forbidden": 0, "credits": 0}
    return {"allowed": allowed, "refused": refused, **named}


def test_without_a_question_it_is_the_last_day_by_the_hour() -> None:
    span = span_of(granularity="hour", from_ms=None, to_ms=None, now_ms=NOW_MS)

    assert span.to_ms - HOUR_MS <= NOW_MS < span.to_ms
    assert span.to_ms - span.from_ms == 24 * HOUR_MS


def test_the_end_is_not_in_it_and_the_beginning_is() -> None:
    span = span_of(granularity="hour", from_ms=HOUR_MS, to_ms=3 * HOUR_MS, now_ms=NOW_MS)

    assert (span.from_ms, span.to_ms) == (HOUR_MS, 3 * HOUR_MS)


def test_instants_within_buckets_ask_for_the_whole_buckets() -> None:
    span = span_of(granularity="hour", from_ms=HOUR_MS + 1, to_ms=2 * HOUR_MS + 1, now_ms=NOW_MS)

    assert (span.from_ms, span.to_ms) == (HOUR_MS, 3 * HOUR_MS)


#: 0001-01-01T00:30 and 9999-12-31T23:59:59.999, the ends of what a client can name.
FIRST_MS, LAST_MS = -62_135_595_000_000, 253_402_300_799_999


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "field"),
    [
        (None, FIRST_MS, "to"),
        (FIRST_MS, FIRST_MS + 1, "from"),
        (None, LAST_MS, "to"),
        (LAST_MS - 1, LAST_MS, "to"),
        (-1, HOUR_MS, "from"),
    ],
)
def test_no_span_reaches_beyond_the_years_that_an_answer_can_tell(
    from_ms: int | None, to_ms: int, field: str
) -> None:
    with pytest.raises(BadSpan, match="1970 to 2999") as refused:
        span_of(granularity="hour", from_ms=from_ms, to_ms=to_ms, now_ms=NOW_MS)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("from_ms", "to_ms"), [(HOUR_MS, HOUR_MS), (HOUR_MS, 0), (0, 1_501 * HOUR_MS)]
)
def test_no_span_of_nothing_nor_of_too_much(from_ms: int, to_ms: int) -> None:
    with pytest.raises(BadSpan):
        span_of(granularity="hour", from_ms=from_ms, to_ms=to_ms, now_ms=NOW_MS)


def test_a_beginning_in_the_future_is_no_span() -> None:
    with pytest.raises(BadSpan):
        span_of(granularity="hour", from_ms=NOW_MS + HOUR_MS, to_ms=None, now_ms=NOW_MS)


def test_the_longest_span_is_answered() -> None:
    span = span_of(granularity="hour", from_ms=0, to_ms=1_500 * HOUR_MS, now_ms=NOW_MS)

    assert len(report([], span).buckets) == 1_500


def test_hours_without_requests_are_told_as_zeros() -> None:
    span = span_of(granularity="hour", from_ms=0, to_ms=3 * HOUR_MS, now_ms=NOW_MS)
    one = Bucket(start_ms=HOUR_MS, counts=counts(5), routes={"GET /boards": counts(5)})

    told = report([one], span)

    assert [(bucket.start_ms, bucket.counts["allowed"]) for bucket in told.buckets] == [
        (0, 0),
        (HOUR_MS, 5),
        (2 * HOUR_MS, 0),
    ]


def test_the_busiest_twenty_routes_are_told_summed() -> None:
    span = span_of(granularity="hour", from_ms=0, to_ms=2 * HOUR_MS, now_ms=NOW_MS)
    routes = {f"GET /r{number}": counts(number, refused=1) for number in range(30)}
    buckets = [Bucket(start_ms=at, counts=counts(0), routes=routes) for at in (0, HOUR_MS)]

    told = report(buckets, span).routes

    assert [route for route, _ in told] == [f"GET /r{number}" for number in range(29, 9, -1)]
    assert told[0][1]["allowed"] == 58
    assert told[0][1]["refused"] == 2
