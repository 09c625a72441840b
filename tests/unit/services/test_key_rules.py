"""The rules of a new key, the same for everybody who makes one."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.services.key_rules import HIGHEST_RATE_LIMIT, LONGEST_LIFE_MS, check_new_key

NOW_MS = 1_800_000_000_000
GOOD: dict[str, Any] = {
    "name": "CI",
    "scopes": ["read"],
    "environment": "live",
    "rate_limit": None,
    "expires_at_ms": None,
    "rate_limit_ceiling": 1_000,
    "now_ms": NOW_MS,
}


def broken(**changed: Any) -> list[tuple[str, str]]:
    return [(path, code) for path, code, _ in check_new_key(**{**GOOD, **changed})]


def test_a_good_key_breaks_no_rule() -> None:
    assert broken() == []
    assert broken(rate_limit=1_000, expires_at_ms=NOW_MS + LONGEST_LIFE_MS) == []


def test_all_broken_rules_are_told_at_once_in_the_order_of_the_fields() -> None:
    assert broken(
        name="", scopes=["read", 5], environment=None, rate_limit=1_001, expires_at_ms=NOW_MS
    ) == [
        ("name", "too_small"),
        ("scopes.1", "invalid_value"),
        ("rate_limit", "too_big"),
        ("expires_at", "too_small"),
        ("environment", "invalid_value"),
    ]


@pytest.mark.parametrize("ceiling", [HIGHEST_RATE_LIMIT, 10**9])
def test_no_ceiling_lets_a_limit_above_what_one_item_can_count(ceiling: int) -> None:
    assert broken(rate_limit=60_000, rate_limit_ceiling=ceiling) == []
    assert broken(rate_limit=60_001, rate_limit_ceiling=ceiling) == [("rate_limit", "too_big")]


def test_only_an_imported_key_may_have_expired_already() -> None:
    assert broken(expires_at_ms=NOW_MS - 1) == [("expires_at", "too_small")]
    assert broken(expires_at_ms=NOW_MS - 1, may_have_expired=True) == []
