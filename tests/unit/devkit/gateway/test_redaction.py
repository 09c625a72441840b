"""What looks like a credential does not pass into a log."""

from __future__ import annotations

import base64
import functools
import html
import json
import re
from collections.abc import Callable
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def percent(text: str) -> str:
    return "".join(f"%{ord(char):02X}" for char in text)


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


def base64url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def json_twice(text: str) -> str:
    return json.dumps(json.dumps({"a": text}) + text)


SPELLINGS: dict[str, Callable[[str], str]] = {
    "percent-encoded": percent,
    "one character of it": lambda text: text.replace("_", "%5f", 1),
    "JSON": escaped,
    "JSON in JSON": lambda text: json_twice(escaped(text)),
    "Python": lambda text: "".join(f"\\x{ord(char):02x}" for char in text),
    "HTML": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(char):X};" for char in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for addresses": base64url,
    "base64 within something": lambda text: base64url(f'{{"key": "{text}"}}'),
    "base64 behind a path": lambda text: "/v1/boards/" + base64url(text),
    "base64, slashes escaped": lambda text: json.dumps(base64url("??>>" + text)).replace(
        "_", "\\/"
    ),
    "base64 of base64": lambda text: base64url(base64url(text)),
    "base64, percent-encoded": lambda text: percent(base64url(text)),
    "percent-encoded, base64": lambda text: base64url(percent(text)),
    "percent-encoded thrice": lambda text: percent(percent(percent(text))),
    "percent-encoded ever again": lambda text: functools.reduce(
        lambda spelled, _: spelled.replace("%", "%25"), range(20), percent(text)
    ),
}


def every_reading(text: str) -> set[str]:
    """What somebody who undoes every spelling can read, up to a depth beyond what is searched."""
    found = {text}
    for _ in range(8):
        found |= {unquote(one) for one in found}
        found |= {html.unescape(one) for one in found}
        found |= {re.sub(r"\\+[ux]([0-9a-f]{2,4})", lambda m: chr(int(m[1], 16)), o) for o in found}
    pieces = {p for one in found for p in re.findall(r"[\w+/-]{16,}", one)}
    for piece in pieces:
        for start in range(4):
            part = piece[start:].replace("-", "+").replace("_", "/")
            part = part[: len(part) // 4 * 4]
            found.add(base64.b64decode(part).decode("latin-1"))
    return found


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("secret", [KEY, JWT])
def test_a_credential_is_found_in_every_spelling(spell: Callable[[str], str], secret: str) -> None:
    line = json.dumps({"method": "GET", "path": "kept/" + spell(secret), "status": 404})
    shown = redacted(line)
    assert MARK in shown
    assert shown.startswith('{"method": "GET", ')
    assert shown.endswith("404}")
    assert not [one for one in every_reading(shown) if secret[12:] in one]


@given(st.text() | st.text("%\\ux0123456789abcdefg_=&#;/+", max_size=80))
def test_no_text_makes_it_fail_and_what_is_clean_stays_so(text: str) -> None:
    once = redacted(text)
    assert redacted(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "/v1/boards/%5Bnothing%5D?after=" + "0123456789abcdef" * 8,
        json.dumps({"message": "caf\u00e9 \ud83d\ude00", "hash": "ab" * 32}),
        'WWW-Authenticate: Bearer"',
        "key_prefix cgk_live_a1b2",
        "/v1/me/api-keys/0195f7a0-0000-7000-8000-000000000000",
    ],
)
def test_everything_else_stays(text: str) -> None:
    assert redacted(text) == text
