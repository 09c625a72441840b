"""What a body of POST /me/api-keys may not be, and what a query may not be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.http_api import Api
from tests.support.memory.key_store import MemoryKeyStore

KEYS = "/me/api-keys"


@pytest.fixture(autouse=True)
def _nothing_is_made(store: MemoryKeyStore) -> object:
    yield
    assert not store.keys


def years(count: float) -> str:
    return (datetime.now(UTC) + timedelta(days=365.25 * count)).isoformat()


@pytest.mark.parametrize(
    ("wrong", "details"),
    [
        ({"name": ""}, [("too_small", "name")]),
        ({"name": "x" * 65}, [("too_big", "name")]),
        ({"name": "   "}, [("invalid_value", "name")]),
        ({"name": "a\nb"}, [("invalid_value", "name")]),
        ({"name": "a\x00b"}, [("invalid_value", "name")]),
        ({"name": "\u200b\u202e \u2060"}, [("invalid_value", "name")]),
        ({"name": None}, [("invalid_type", "name")]),
        ({"name": 7}, [("invalid_type", "name")]),
        ({"name": ["x"]}, [("invalid_type", "name")]),
        ({"scopes": []}, [("too_small", "scopes")]),
        ({"scopes": None}, [("invalid_type", "scopes")]),
        ({"scopes": "read"}, [("invalid_type", "scopes")]),
        ({"scopes": {"read": True}}, [("invalid_type", "scopes")]),
        ({"scopes": ["read", "root"]}, [("invalid_value", "scopes.1")]),
        ({"scopes": ["READ"]}, [("invalid_value", "scopes.0")]),
        ({"scopes": [1]}, [("invalid_value", "scopes.0")]),
        ({"rate_limit": 0}, [("too_small", "rate_limit")]),
        ({"rate_limit": -1}, [("too_small", "rate_limit")]),
        ({"rate_limit": 5_001}, [("too_big", "rate_limit")]),
        ({"rate_limit": 10**400}, [("too_big", "rate_limit")]),
        ({"rate_limit": "120"}, [("invalid_type", "rate_limit")]),
        ({"rate_limit": True}, [("invalid_type", "rate_limit")]),
        ({"rate_limit": 1.5}, [("invalid_type", "rate_limit")]),
        ({"rate_limit": 1e400}, [("invalid_json", "body")]),
        ({"expires_at": "2026-03-10T09:00:00Z"}, [("too_small", "expires_at")]),
        ({"expires_at": years(-0.001)}, [("too_small", "expires_at")]),
        ({"expires_at": years(101)}, [("too_big", "expires_at")]),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, [("too_big", "expires_at")]),
        ({"expires_at": "2090-01-01"}, [("invalid_value", "expires_at")]),
        ({"expires_at": "2090-01-01T00:00:00"}, [("invalid_value", "expires_at")]),
        ({"expires_at": "2090-02-30T00:00:00Z"}, [("invalid_value", "expires_at")]),
        ({"expires_at": ""}, [("invalid_value", "expires_at")]),
        ({"expires_at": 3_786_912_000}, [("invalid_type", "expires_at")]),
        ({"environment": "prod"}, [("invalid_value", "environment")]),
        ({"environment": None}, [("invalid_value", "environment")]),
        ({"id": "x"}, [("unrecognized_key", "id")]),
        ({"__proto__": {}}, [("unrecognized_key", "__proto__")]),
        (
            {"name": "", "scopes": ["x"], "rate_limit": 0},
            [("too_small", "name"), ("invalid_value", "scopes.0"), ("too_small", "rate_limit")],
        ),
        (
            {"rate_limit": 5_001, "expires_at": "2026-03-10T09:00:00Z"},
            [("too_big", "rate_limit"), ("too_small", "expires_at")],
        ),
    ],
)
def test_each_rule_of_a_new_key_is_enforced_and_named(
    api: Api, wrong: dict[str, object], details: list[tuple[str, str]]
) -> None:
    reply = api("POST", KEYS, json_body={"name": "CI", **wrong})
    assert reply.problem() == (400, "validation_error", "Invalid request body")
    assert reply.details() == details


@pytest.mark.parametrize(
    ("body", "details"),
    [
        (None, [("required", "body")]),
        ("", [("required", "body")]),
        ("{}", [("required", "name")]),
        ("null", [("invalid_type", "body")]),
        ("[]", [("invalid_type", "body")]),
        ('"name"', [("invalid_type", "body")]),
        ("7", [("invalid_type", "body")]),
        ("{", [("invalid_json", "body")]),
        ("name=CI", [("invalid_json", "body")]),
        ('{"name": "CI", "rate_limit": NaN}', [("invalid_json", "body")]),
        ('{"name": "CI", "name": "CD"}', [("duplicate_key", "name")]),
        ('{"name": "\\ud800"}', [("invalid_json", "body")]),
        ('{"name": "a\ufffd\ufffd"}', [("invalid_json", "body")]),
        ('{"name": "CI", "rate_limit": 120.5}', [("invalid_type", "rate_limit")]),
        (b'{"name": "\xff"}', [("invalid_json", "body")]),
        ("[" * 60_000, [("invalid_json", "body")]),
        ('{"name": ' + "[" * 500 + "]" * 500 + "}", [("invalid_type", "name")]),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_body_that_is_no_object_in_json_is_the_clients_mistake(
    api: Api, body: str | bytes | None, details: list[tuple[str, str]]
) -> None:
    reply = api("POST", KEYS, body=body)
    assert reply.problem() == (400, "validation_error", "Invalid request body")
    assert reply.details() == details


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json, application/json",
        "application/json; charset=latin-1",
        "json",
    ],
)
def test_other_media_types_are_refused(api: Api, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    reply = api("POST", KEYS, json_body={"name": "CI"}, headers=headers)
    assert reply.problem() == (
        415,
        "unsupported_media_type",
        "Unsupported media type: send application/json",
    )


def test_a_compressed_body_is_refused(api: Api) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    reply = api("POST", KEYS, body=b"\x1f\x8b\x08", headers=headers)
    assert reply.problem()[0] == 415


def test_a_body_over_64_kib_is_refused_before_it_is_read(api: Api) -> None:
    reply = api("POST", KEYS, body='{"name": "' + "x" * 65_536)
    assert reply.problem() == (413, "payload_too_large", "Payload too large")


def test_the_size_is_that_of_the_bytes_and_64_kib_are_fine(api: Api) -> None:
    at_limit = b'{"name": "' + "é".encode() * 32_763
    assert api("POST", KEYS, body=at_limit).problem()[0] == 400
    assert api("POST", KEYS, body=at_limit + b"x").problem()[0] == 413


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ({"limit": ["0"]}, [("too_small", "limit")]),
        ({"limit": ["-1"]}, [("too_small", "limit")]),
        ({"limit": ["101"]}, [("too_big", "limit")]),
        ({"limit": ["9" * 18]}, [("too_big", "limit")]),
        ({"limit": ["9" * 5_000]}, [("invalid_type", "limit")]),
        ({"limit": [""]}, [("invalid_type", "limit")]),
        ({"limit": ["ten"]}, [("invalid_type", "limit")]),
        ({"limit": ["5.0"]}, [("invalid_type", "limit")]),
        ({"limit": [" 5"]}, [("invalid_type", "limit")]),
        ({"limit": ["1_0"]}, [("invalid_type", "limit")]),
        ({"limit": ["\N{ARABIC-INDIC DIGIT FIVE}"]}, [("invalid_type", "limit")]),
        ({"limit": ["5", "6"]}, [("invalid_value", "limit")]),
        ({"order": ["up"]}, [("invalid_value", "order")]),
        ({"order": ["ASC"]}, [("invalid_value", "order")]),
        ({"order": ["asc", "asc"]}, [("invalid_value", "order")]),
        ({"limit": ["0"], "order": ["up"]}, [("too_small", "limit"), ("invalid_value", "order")]),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_each_rule_of_a_page_is_enforced_and_named(
    api: Api, query: dict[str, list[str]], details: list[tuple[str, str]]
) -> None:
    reply = api("GET", KEYS, query=query)
    assert reply.problem() == (400, "validation_error", "Invalid query parameters")
    assert reply.details() == details


@pytest.mark.parametrize("cursor", ["", "x", "A" * 21 + "B", "A" * 5_000, "\N{ROCKET}", "null"])
def test_a_cursor_that_this_api_never_gave_is_malformed(api: Api, cursor: str) -> None:
    reply = api("GET", KEYS, query={"cursor": [cursor]})
    assert reply.problem() == (400, "invalid_cursor", "The cursor is malformed")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json;charset=UTF-8",
        'application/json; charset="utf-8"',
        "application/merge-patch+json",
    ],
)
def test_the_spellings_of_json_are_all_accepted(api: Api, content_type: str) -> None:
    reply = api("POST", KEYS, body="{}", headers={"content-TYPE": content_type})
    assert reply.details() == [("required", "name")]


def test_unknown_query_parameters_are_ignored(api: Api) -> None:
    assert api("GET", KEYS, query={"utm_source": ["x", "y"]}).status == 200
