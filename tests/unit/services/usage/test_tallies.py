"""Each decision line is counted once, for whom and where it belongs; no other line is."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from uuid import UUID

import pytest

from chatgrid_auth.services.usage.tallies import tally

NOON_MS = 1_800_000_000_000
ADA = "0195b6f0-0000-7000-8000-00000000ada0"
KEY = "0195b6f0-0000-7000-8000-000000000001"


def line(outcome: str = "allowed", **facts: Any) -> str:
    told = {"message": "decision", "correlation_id": "r-1", "method": "GET", "resource": "/boards"}
    return json.dumps({**told, "outcome": outcome, "user_id": ADA, "key_id": KEY, **facts})


def test_outcomes_go_into_their_columns() -> None:
    outcomes = ("allowed", "allowed", "refused", "rate_limited", "forbidden")

    sums = tally((NOON_MS, line(outcome)) for outcome in outcomes)

    assert sums == {(NOON_MS, ADA, KEY, "GET /boards"): [2, 3, 1, 1, 0]}


def test_credits_are_what_allowed_requests_spent() -> None:
    lines = [line(credits=3), line(credits=4), line("rate_limited", credits=9)]

    (counts,) = tally((NOON_MS, text) for text in lines).values()

    assert counts == [2, 1, 1, 0, 7]


def test_a_line_counts_for_the_minute_it_was_written_in() -> None:
    sums = tally([(NOON_MS + 59_999, line()), (NOON_MS + 60_000, line())])

    assert [at_ms for at_ms, *_ in sums] == [NOON_MS, NOON_MS + 60_000]


def test_an_owner_in_twenty_two_characters_is_the_same_owner() -> None:
    short = b64encode(UUID(ADA).bytes).decode().rstrip("=")

    assert tally([(NOON_MS, line(user_id=None, own=short))]) == tally([(NOON_MS, line())])


def test_a_path_that_a_client_spelled_is_no_route() -> None:
    ((_, _, _, route),) = tally([(NOON_MS, line(correlation_id="", resource="/boards/cgk_"))])

    assert route == "other"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "decision",
        "[]",
        "null",
        "{",
        '{"message":"decision"}',
        '{"message":"reconciled","outcome":"allowed"}',
        '{"_aws":{},"Decisions":[1]}',
        "[" * 100_000,
    ],
)
def test_what_is_no_decision_line_is_passed_over(text: str) -> None:
    assert tally([(NOON_MS, text)]) == {}
