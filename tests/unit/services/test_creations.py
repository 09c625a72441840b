"""No more keys of one user in any hour than allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.key_errors import CreationLimitReached
from chatgrid_auth.services.creations import HOUR_MS, with_another

NOW_MS = 1_800_000_000_000


@given(st.lists(st.integers(0, HOUR_MS // 2), max_size=60), st.integers(1, 5))
def test_no_hour_ever_holds_more_creations_than_allowed(gaps: list[int], most: int) -> None:
    times: list[int] = []
    made: list[int] = []
    now_ms = NOW_MS
    for gap in gaps:
        now_ms += gap
        try:
            times = with_another(times, now_ms=now_ms, most=most)
        except CreationLimitReached as reached:
            later_ms = now_ms + reached.retry_after_s * 1_000
            assert with_another(times, now_ms=later_ms, most=most)[-1] == later_ms
        else:
            made.append(now_ms)
    for time in made:
        assert sum(time - HOUR_MS < other <= time for other in made) <= most


def test_the_wait_is_what_the_oldest_of_them_has_left() -> None:
    times = [NOW_MS - HOUR_MS + 1_500, NOW_MS - 5]
    with pytest.raises(CreationLimitReached) as reached:
        with_another(times, now_ms=NOW_MS, most=2)
    assert (reached.value.maximum, reached.value.retry_after_s) == (2, 2)


def test_times_before_the_last_hour_are_not_kept() -> None:
    old = [NOW_MS - HOUR_MS, NOW_MS - 1]
    assert with_another(old, now_ms=NOW_MS, most=3) == [NOW_MS - 1, NOW_MS]
