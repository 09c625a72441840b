"""A token that was seen before costs at most four times its SHA-256, before its counter request."""

from __future__ import annotations

import pytest

from tests.benchmarks.jwt_memory import recognising


@pytest.mark.parametrize(
    ("algorithm", "crowded"),
    [("ES256", False), ("RS256", False), ("ES256", True)],
    ids=["short", "long", "short among 4,096"],
)
def test_recognising_a_token_costs_at_most_four_hashes_of_it(algorithm: str, crowded: bool) -> None:
    assert recognising(algorithm, crowded=crowded) <= 4.0
