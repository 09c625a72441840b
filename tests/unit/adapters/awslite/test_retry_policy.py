"""Pauses grow, stay within their limit, and may be any part of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy


@given(failures=st.integers(1, 60), entropy=st.binary(min_size=2, max_size=2))
def test_a_pause_is_a_part_of_a_limit_that_doubles(failures: int, entropy: bytes) -> None:
    retry_policy = RetryPolicy(backoff=0.01, backoff_limit=0.3)
    pause = retry_policy.pause(failures, lambda size: entropy[:size])
    limit = min(0.3, 0.01 * 2 ** (failures - 1))
    assert 0 <= pause <= limit
    assert pause == limit * int.from_bytes(entropy, "big") / 65535


def test_the_usual_budget_leaves_the_authorizer_time_to_refuse() -> None:
    retry_policy = RetryPolicy()
    assert retry_policy.connect + retry_policy.reply < retry_policy.budget
    assert retry_policy.budget <= 2.0
