"""The time is the server's, within a second at first and a quarter soon, however wrong ours."""

from __future__ import annotations

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.awslite.server_clock import (
    ACCURACY_SECONDS,
    MOST_AHEAD_SECONDS,
    ServerClock,
)
from chatgrid_auth.domain.limits.window import MAX_SKEW_MS

START = 1_800_000_000.25
#: A tenth of a millisecond for what floating point makes of it, and a whole one for `int`.
NEARLY = 0.0011

errors = st.floats(-100_000, 100_000) | st.floats(-3, 3) | st.sampled_from([0.0, -66.0, 66.0])
#: A step of less than two seconds may agree with what was known, and be noticed later.
jumps = st.just(0.0) | st.floats(3, 100_000) | st.floats(-100_000, -3)
gaps = st.floats(0, 20)
trips = st.floats(0, 0.4)


class World:
    """True time, and a machine whose clock is off by some seconds."""

    def __init__(self, *, off: float = 0.0) -> None:
        self.true = START
        self.off = off
        self.frozen = 0.0
        self.clock = ServerClock(lambda: self.true + self.off, lambda: self.true - self.frozen)

    def error(self) -> float:
        """How far the time is from the true one."""
        return self.clock.now_ms() / 1000 - self.true

    def exchange(self, out: float = 0.01, back: float = 0.01) -> tuple[float, bool]:
        """One request; how wrong its stamp was, and whether that counts."""
        error = self.error()
        sent_at = self.true + self.off
        self.true += out
        date = formatdate(int(self.true), usegmt=True).lower().encode()
        self.true += back
        return error, self.clock.heard(date, sent_at=sent_at)


@given(errors, st.lists(st.tuples(gaps, trips, trips), min_size=1, max_size=12))
def test_after_any_answer_the_time_is_within_a_second_and_its_trip(
    off: float, asked: list[tuple[float, float, float]]
) -> None:
    world = World(off=off)
    for gap, out, back in asked:
        world.true += gap
        world.exchange(out, back)
        assert abs(world.error()) <= 1 + out + back + NEARLY


@given(errors, st.lists(st.tuples(st.floats(0, 20), st.floats(0, 0.1)), max_size=20))
def test_answers_all_over_a_second_bring_two_clocks_within_half_a_second(
    off: float, between: list[tuple[float, float]]
) -> None:
    """Also whatever comes between them and after them."""
    world = World(off=off)
    for tenth in range(11):
        world.true = int(world.true) + 1 + tenth / 10
        world.exchange()
    for gap, trip in between:
        assert abs(world.error()) <= ACCURACY_SECONDS + NEARLY
        world.true += gap
        assert world.exchange(trip, trip)[1]
    assert 2 * ACCURACY_SECONDS * 1_000 <= MAX_SKEW_MS


@given(errors, st.lists(st.tuples(gaps, trips, trips, jumps), max_size=12))
def test_no_stamp_counts_beyond_its_bounds_and_half_a_second(
    off: float, asked: list[tuple[float, float, float, float]]
) -> None:
    world = World(off=off)
    for gap, out, back, jump in asked:
        world.true += gap
        world.off += jump
        error, counts = world.exchange(out, back)
        if counts:
            assert abs(error) <= 1.5 + 2 * (out + back) + NEARLY


@given(st.lists(st.tuples(gaps, trips, trips), max_size=20))
def test_every_stamp_of_a_right_clock_counts(asked: list[tuple[float, float, float]]) -> None:
    """A slow answer may leave the time unconfirmed, since it bounds less: that errs safely."""
    world = World()
    for gap, out, back in asked:
        world.true += gap
        error, counts = world.exchange(out, back)
        assert counts
        assert abs(error) <= ACCURACY_SECONDS + NEARLY
        if 1 + back + NEARLY <= MOST_AHEAD_SECONDS:
            assert world.clock.confirmed


@pytest.mark.parametrize("off", [-66.0, 66.0, -1.9, 1.9, 900.0])
def test_a_wrong_clock_counts_from_the_second_request_on(off: float) -> None:
    world = World(off=off)
    counted = []
    for _ in range(5):
        counted.append(world.exchange()[1])
        world.true += 0.37
    assert counted[1:] == [True] * 4
    assert counted[0] is (abs(off) < 2 and counted[0]), "a bracket of a second may hold 1.9"


@pytest.mark.parametrize("jump", [-66.0, 66.0])
def test_a_clock_that_jumps_does_not_count_once_and_is_right_then(jump: float) -> None:
    world = World()
    for _ in range(3):
        assert world.exchange()[1]
    world.off += jump
    assert [world.exchange()[1] for _ in range(3)] == [False, True, True]


def test_a_clock_set_back_within_an_exchange_does_not_count() -> None:
    world = World()
    world.exchange()
    sent_at = world.true + world.off
    world.off -= 30
    date = formatdate(int(world.true), usegmt=True).lower().encode()
    assert not world.clock.heard(date, sent_at=sent_at)
    assert not world.clock.confirmed


@pytest.mark.parametrize("what", ["never heard", "frozen", "set forward", "set back"])
def test_a_time_is_unconfirmed_until_it_was_heard_since(what: str) -> None:
    world = World()
    if what != "never heard":
        world.exchange()
        assert world.clock.confirmed
    world.true += 60
    world.frozen += 60 if what == "frozen" else 0
    world.off += {"set forward": 66, "set back": -66}.get(what, 0)
    world.clock.now_ms()
    assert not world.clock.confirmed
    world.exchange()
    assert world.clock.confirmed is (what in {"never heard", "frozen"})
    world.exchange()
    assert world.clock.confirmed


def test_a_restored_snapshot_knows_nothing_of_the_time_any_more() -> None:
    world = World(off=66)
    world.exchange()
    world.clock.forget()
    world.off = 0
    assert abs(world.error()) <= NEARLY
    assert not world.clock.confirmed


@pytest.mark.parametrize(
    "date",
    [
        None,
        b"",
        b"x",
        b"sun, 06 nov 1994 08:49:37",
        b"sun, 06 nov 1994 08:49:xx gmt",
        b"sun, 06 nov 1994 08-49-37 gmt",
        b"sun, 06 foo 1994 08:49:37 gmt",
        b"sunday, 06-nov-94 08:49:37 gmt",
        b"\xff" * 29,
    ],
)
def test_what_is_no_date_teaches_nothing(date: bytes | None) -> None:
    world = World()
    assert world.clock.heard(date, sent_at=world.true)
    assert not world.clock.confirmed
    assert abs(world.error()) <= NEARLY
