"""Behind trusted proxies the source is counted from the right, and never chosen by a client."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain.rules.sources import source_behind

CLIENT, PROXY, OUTER = "203.0.113.9", "192.0.2.1", "198.51.100.1"


def behind(*lines: str, proxies: int, peer: str = PROXY) -> str:
    event = {"multiValueHeaders": {"X-Forwarded-For": list(lines)}}
    return source_behind(event, peer, proxies=proxies)


@pytest.mark.parametrize(
    ("line", "proxies", "source"),
    [
        (f"{CLIENT}, {PROXY}", 0, PROXY),
        (f"{CLIENT}, {PROXY}", 1, CLIENT),
        (f"{CLIENT}", 1, CLIENT),  # where API Gateway's own source is not written
        (f"10.0.0.1, {CLIENT}, {PROXY}", 1, CLIENT),
        (f"{CLIENT}, {OUTER}, {PROXY}", 2, CLIENT),
        (f"{CLIENT}, {OUTER}, {PROXY}", 1, OUTER),
        (f"{CLIENT}, {PROXY}", 2, ""),
        (f"{PROXY}", 1, ""),
        ("", 1, ""),
    ],
)
def test_the_source_is_counted_from_the_right(line: str, proxies: int, source: str) -> None:
    assert behind(line, proxies=proxies) == source


def test_lines_count_in_their_order_and_two_spellings_count_for_nothing() -> None:
    assert behind("10.9.9.9", f"{CLIENT}, {PROXY}", proxies=1) == CLIENT
    headers = {"X-Forwarded-For": [f"{CLIENT}, {PROXY}"], "x-forwarded-for": ["10.9.9.9"]}
    assert source_behind({"multiValueHeaders": headers}, PROXY, proxies=1) == ""


@given(st.text(max_size=40))
def test_what_a_client_writes_ahead_never_changes_its_source(spoofed: str) -> None:
    assert behind(f"{spoofed}, {CLIENT}, {PROXY}", proxies=1) == CLIENT


@pytest.mark.parametrize(
    "written",
    [
        "unknown",
        "_hidden",
        "x" * 9_000,
        "cgk_live_a",
        "203.0.113.9:4711",
        "[2001:db8::1]",
        "01.2.3.4",
    ],
)
def test_what_is_no_address_is_never_told_as_the_source(written: str) -> None:
    """It came past the proxies: logs, the audit log and memories by address shall not hold it."""
    assert behind(f"{written}, {PROXY}", proxies=1) == ""


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"headers": None, "multiValueHeaders": None},
        {"multiValueHeaders": {"X-Forwarded-For": []}},
        {"multiValueHeaders": {"X-Forwarded-For": [7]}},
        {"multiValueHeaders": {"X-Forwarded-For": None}},
        {"multiValueHeaders": {7: ["x"]}},
        {"headers": {"X-Forwarded-For": 7}},
    ],
)
def test_a_source_that_cannot_be_known_is_empty(event: dict[str, Any]) -> None:
    assert source_behind(event, PROXY, proxies=1) == ""
    assert source_behind(event, PROXY, proxies=0) == PROXY
