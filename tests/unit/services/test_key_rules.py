"""The rules of a new key, the same for everybody who makes one."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.services.key_rules import (
    ANY_LIFETIME,
    HIGHEST_RATE_LIMIT,
    LONGEST_LIFE_MS,
    LONGEST_LIFE_SECONDS,
    Lifetimes,
    check_expiry,
    check_new_key,
    resolve_expiry,
)

NOW_MS = 1_800_000_000_000
GOOD: dict[str, Any] = {
    "name": "CI",
    "scopes": ["read"],
    "environment": "live",
    "rate_limit": None,
    "of_expiry": [],
    "rate_limit_ceiling": 1_000,
}


def broken(**changed: Any) -> list[tuple[str, str]]:
    return [(path, code) for path, code, _ in check_new_key(**{**GOOD, **changed})]


def test_a_good_key_breaks_no_rule() -> None:
    assert broken() == []
    assert broken(rate_limit=1_000) == []
    assert check_expiry(NOW_MS + LONGEST_LIFE_MS, now_ms=NOW_MS) == []


def test_all_broken_rules_are_told_at_once_in_field_order() -> None:
    assert broken(
        name="",
        scopes=["read", 5],
        environment=None,
        rate_limit=1_001,
        of_expiry=check_expiry(NOW_MS, now_ms=NOW_MS),
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
    (problem,) = check_expiry(NOW_MS - 1, now_ms=NOW_MS)
    assert problem[:2] == ("expires_at", "too_small")
    assert check_expiry(NOW_MS - 1, now_ms=NOW_MS, may_have_expired=True) == []


DAY = 86_400
CAPPED = Lifetimes(default_seconds=DAY, ceiling_seconds=90 * DAY)


def ending(lifetimes: Lifetimes, **given: int | None) -> int | list[tuple[str, str]] | None:
    """Seconds until the key ends, ``None`` for never, or what is wrong."""
    ends_at_ms, problems = resolve_expiry(given, lifetimes=lifetimes, now_ms=NOW_MS)
    if problems:
        return [(path, code) for path, code, _ in problems]
    return None if ends_at_ms is None else (ends_at_ms - NOW_MS) // 1_000


@pytest.mark.parametrize(
    ("lifetimes", "seconds"),
    [
        (ANY_LIFETIME, None),
        (Lifetimes(default_seconds=60), 60),
        (CAPPED, DAY),
        (Lifetimes(ceiling_seconds=90), 90),
        (Lifetimes(default_seconds=100, ceiling_seconds=90), 90),
    ],
)
def test_a_key_of_which_nothing_is_said_lives_for_the_default(
    lifetimes: Lifetimes, seconds: int | None
) -> None:
    assert ending(lifetimes) == seconds


def test_a_lifetime_may_be_said_in_either_form_up_to_the_ceiling() -> None:
    assert ending(CAPPED, expires_in_seconds=90 * DAY) == 90 * DAY
    assert ending(CAPPED, expires_at=NOW_MS + 90 * DAY * 1_000) == 90 * DAY
    assert ending(ANY_LIFETIME, expires_in_seconds=LONGEST_LIFE_SECONDS) == LONGEST_LIFE_SECONDS


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"expires_at": None}, "expires_at"),
        ({"expires_in_seconds": None}, "expires_in_seconds"),
        ({"expires_at": NOW_MS + 90 * DAY * 1_000 + 1}, "expires_at"),
        ({"expires_in_seconds": 90 * DAY + 1}, "expires_in_seconds"),
    ],
)
def test_nobody_passes_the_longest_lifetime_by_saying_never_or_more(
    given: dict[str, int | None], path: str
) -> None:
    assert ending(CAPPED, **given) == [(path, "too_big")]


def test_never_is_said_where_no_ceiling_is_and_beats_the_default() -> None:
    assert ending(Lifetimes(default_seconds=60), expires_at=None) is None


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(0, "too_small"), (-1, "too_small"), (LONGEST_LIFE_SECONDS + 1, "too_big")],
)
def test_a_lifetime_lies_between_a_second_and_a_hundred_years(seconds: int, code: str) -> None:
    assert ending(ANY_LIFETIME, expires_in_seconds=seconds) == [("expires_in_seconds", code)]


@pytest.mark.parametrize("at", [None, NOW_MS + 1])
def test_an_expiry_is_never_said_in_both_forms(at: int | None) -> None:
    both = ending(ANY_LIFETIME, expires_at=at, expires_in_seconds=5)
    assert both == [("expires_in_seconds", "invalid_value")]


def test_a_limit_below_the_dearest_cost_is_too_small() -> None:
    assert broken(rate_limit=10, rate_limit_floor=10) == []
    assert broken(rate_limit=9, rate_limit_floor=10) == [("rate_limit", "too_small")]
    assert broken(rate_limit=None, rate_limit_floor=10) == []
