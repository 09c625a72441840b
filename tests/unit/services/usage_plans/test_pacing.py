"""Calls are spaced, throttled ones repeated, and none is begun past the time there is."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain.usage_keys import ControlPlaneRefused, ControlPlaneThrottled
from chatgrid_auth.services.usage_plans.pacing import OutOfTime, Pace
from tests.support.control_plane import Clock


class Calls:
    """An operation that notes when it was called, and is throttled the first few times."""

    def __init__(self, clock: Clock, *, throttled: int = 0) -> None:
        self._clock = clock
        self._began = clock.now()
        self._throttled = throttled
        self.at: list[float] = []

    def __call__(self) -> str:
        self.at.append(round(self._clock.now() - self._began, 3))
        if len(self.at) <= self._throttled:
            raise ControlPlaneThrottled("CreateApiKey", "TooManyRequestsException")
        return "done"


def pace_of(
    clock: Clock, *, seconds: float = 1000, fraction: float = 1.0, calls_per_second: float = 10.0
) -> Pace:
    began = clock.now()
    return Pace(
        clock=clock.now,
        sleep=clock.sleep,
        fraction=lambda: fraction,
        time_left=lambda: began + seconds - clock.now(),
        calls_per_second=calls_per_second,
    )


def test_all_calls_keep_one_pace() -> None:
    clock = Clock()
    pace, calls = pace_of(clock, calls_per_second=4.0), Calls(clock)

    for _ in range(4):
        pace.call(calls)

    assert calls.at == [0.0, 0.25, 0.5, 0.75]


def test_a_throttled_call_repeats_with_waits_doubling_to_eight_seconds() -> None:
    clock = Clock()
    pace, calls = pace_of(clock), Calls(clock, throttled=8)

    assert pace.call(calls) == "done"

    waits = [round(later - earlier, 3) for earlier, later in zip(calls.at, calls.at[1:])]  # noqa: B905
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 8.0, 8.0]
    assert pace.throttled == 8


def test_a_wait_is_drawn_at_random() -> None:
    clock = Clock()
    pace, calls = pace_of(clock, fraction=0.5), Calls(clock, throttled=2)

    pace.call(calls)

    assert calls.at == [0.0, 0.1, 0.3]


def test_a_call_that_would_have_to_wait_too_long_is_not_begun() -> None:
    clock = Clock()
    pace, calls = pace_of(clock, seconds=1.0), Calls(clock, throttled=99)

    with pytest.raises(OutOfTime):
        pace.call(calls)

    assert calls.at == [0.0, 0.2, 0.6], "the wait of 0.8 s would end past the second there is"


def test_without_time_nothing_is_begun() -> None:
    clock = Clock()
    pace, calls = pace_of(clock, seconds=0.0), Calls(clock)

    with pytest.raises(OutOfTime):
        pace.call(calls)
    with pytest.raises(OutOfTime):
        pace.check()

    assert calls.at == []


def test_an_overdue_call_is_not_begun_after_the_time_ends() -> None:
    clock = Clock()
    pace, calls = pace_of(clock, seconds=1.0), Calls(clock)
    pace.call(calls)

    clock.sleep(2.0)  # a step that took longer than there was time

    with pytest.raises(OutOfTime):
        pace.call(calls)
    assert calls.at == [0.0]


def test_only_throttling_is_repeated() -> None:
    def refuse() -> None:
        raise ControlPlaneRefused("CreateApiKey", "BadRequestException")

    pace = pace_of(Clock())

    with pytest.raises(ControlPlaneRefused):
        pace.call(refuse)
    assert pace.throttled == 0
