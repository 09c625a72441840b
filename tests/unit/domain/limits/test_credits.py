"""When credits come back: always reckoned from the anchor, in UTC, whatever the months' lengths."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.limits.credits import Refill, boundary_after, parse

instants = st.datetimes(min_value=datetime(1999, 1, 1), max_value=datetime(2199, 12, 31)).map(
    lambda naive: naive.replace(tzinfo=UTC, microsecond=naive.microsecond // 1_000 * 1_000)
)


def ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def at(text: str) -> int:
    return ms(datetime.fromisoformat(text + "Z"))


def test_the_31st_comes_back_after_february() -> None:
    refill = Refill(5, "month", at("2027-01-31T12:00"))
    dates, now = [], at("2027-01-31T12:00")
    for _ in range(4):
        now = refill.next_after(now)
        dates.append(now)
    assert dates == [at(f"2027-{day}T12:00") for day in ("02-28", "03-31", "04-30", "05-31")]
    assert refill.next_after(at("2028-02-01T00:00")) == at("2028-02-29T12:00")


@given(anchor=instants, now=instants)
def test_the_next_month_is_the_first_after_now_on_the_anchors_day(
    anchor: datetime, now: datetime
) -> None:
    found = Refill(1, "month", ms(anchor)).next_after(ms(now))
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=found)
    assert moment > now
    assert moment - now <= timedelta(days=31)
    assert moment.time() == anchor.time()
    last = (moment.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    assert moment.day == min(anchor.day, last.day)


@given(anchor=instants, now=instants, interval=st.sampled_from([("day", 1), ("week", 7)]))
def test_days_and_weeks_have_one_length(
    anchor: datetime, now: datetime, interval: tuple[str, int]
) -> None:
    name, days = interval
    found = Refill(1, name, ms(anchor)).next_after(ms(now))
    assert 0 < found - ms(now) <= days * 86_400_000
    assert (found - ms(anchor)) % (days * 86_400_000) == 0


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("day", "2026-12-01T00:00"),
        ("week", "2026-12-07T00:00"),
        ("month", "2026-12-01T00:00"),
    ],
)
def test_without_a_time_the_next_boundary_is_taken(interval: str, expected: str) -> None:
    """The 30th of November 2026 is a Monday."""
    assert boundary_after(interval, at("2026-11-30T15:00")) == at(expected)


def test_a_refill_reads_back_from_its_text() -> None:
    refill = Refill(7, "week", 123)
    assert parse(str(refill)) == refill
    assert refill != Refill(8, "week", 123)
