"""Dates are read as the standard library reads them, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.adapters.awslite.server_clock import from_http_date, from_iso_8601

SECONDS = st.integers(min_value=0, max_value=int(datetime(9999, 12, 31, tzinfo=UTC).timestamp()))


@given(SECONDS)
def test_every_http_date_is_read_back(second: int) -> None:
    text = format_datetime(datetime.fromtimestamp(second, UTC), usegmt=True)
    assert from_http_date(text) == second
    assert from_http_date(text.lower()) == second


@given(SECONDS)
def test_every_iso_instant_is_read_back(second: int) -> None:
    text = datetime.fromtimestamp(second, UTC).isoformat()
    assert from_iso_8601(text) == second
    assert from_iso_8601(text.replace("+00:00", "Z")) == second
    assert from_iso_8601(text.replace("+00:00", ".123456Z")) == second


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 CET",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:49 GMT",
        "Sun, 06 Nov -994 08:49:37 GMT",
        "Sun, 06 Nov ٠٩٩٤ 08:49:37 GMT",
    ],
)
def test_what_is_no_http_date_is_none(text: str) -> None:
    assert from_http_date(text) is None


@pytest.mark.parametrize(
    "text",
    ["", "2026-11-24", "2026-11-24T03:50:00", "2026-11-24T03:50:00+02:00", "2026-13-24T03:50:00Z"],
)
def test_what_is_no_utc_instant_is_none(text: str) -> None:
    assert from_iso_8601(text) is None
