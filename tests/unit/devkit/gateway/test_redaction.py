"""What looks like a credential does not pass into a log."""

from __future__ import annotations

import pytest

from chatgrid_devkit.gateway.redaction import MARK, redacted

KEY = "cgk_live_" + "a1b2" * 8
JWT = "eyJhbGciOiJFUzI1NiJ9" + ".eyJzdWIiOiIxIn0" + ".c2lnbmF0dXJl-_"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"key {KEY}.", KEY),
        (f"key {KEY.upper()}", KEY.upper()),
        (f"path=/v1/boards/{KEY}/x", KEY),
        (f'{{"token": "{JWT}"}}', JWT),
        ("Authorization: Bearer opaque-text", "opaque-text"),
        ("{'authorization': 'bearer opaque-text'}", "opaque-text"),
        (KEY.replace("live", "test")[:25], KEY.replace("live", "test")[:25]),
    ],
)
def test_credentials_are_replaced_by_a_mark(text: str, secret: str) -> None:
    assert secret not in redacted(text)
    assert MARK in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        'WWW-Authenticate: Bearer"',
        "key_prefix cgk_live_a1b2",
        "/v1/me/api-keys/0195f7a0-0000-7000-8000-000000000000",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redacted(text) == text
