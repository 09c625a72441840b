"""What a line of an import may say: each wrong field is named, and no value is ever repeated."""

from __future__ import annotations

import contextlib
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_cli.transfer.fields import BadField, ImportRules, imported_key
from chatgrid_cli.transfer.lines import BadFile, read_csv, read_jsonl

RULES = ImportRules(rate_limit_ceiling=1_000, now_ms=1_800_000_000_000)
SECRET = "sk-secret-0123456789"
GOOD: dict[str, Any] = {
    "hash": "ab" * 32,
    "owner": "0f8fad5b-d9cb-469f-a165-70867728950e",
    "scopes": ["read"],
}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"hash": None}, "missing_hash"),
        ({"hash": SECRET}, "bad_hash"),
        ({"hash": "ab" * 31 + "g0"}, "bad_hash"),
        ({"hash": 5}, "bad_hash"),
        ({"owner": None}, "missing_owner"),
        ({"owner": SECRET}, "bad_owner"),
        ({"id": SECRET}, "bad_id"),
        ({"name": ""}, "bad_name"),
        ({"name": "x" * 65}, "bad_name"),
        ({"name": f"{SECRET}\n"}, "bad_name"),
        ({"prefix": SECRET}, "bad_prefix"),
        ({"prefix": "schlüssel"}, "bad_prefix"),
        ({"scopes": None}, "missing_scopes"),
        ({"scopes": []}, "bad_scopes"),
        ({"scopes": ["read", SECRET]}, "bad_scopes"),
        ({"scopes": [["read"]]}, "bad_scopes"),
        ({"scopes": {"read": True}}, "bad_scopes"),
        ({"scopes": " "}, "bad_scopes"),
        ({"environment": SECRET}, "bad_environment"),
        ({"rate_limit": 0}, "bad_rate_limit"),
        ({"rate_limit": 1_001}, "bad_rate_limit"),
        ({"rate_limit": True}, "bad_rate_limit"),
        ({"rate_limit": 1.0}, "bad_rate_limit"),
        ({"rate_limit": SECRET}, "bad_rate_limit"),
        ({"created_at": SECRET}, "bad_created_at"),
        ({"created_at": "2099-01-01T00:00:00Z"}, "bad_created_at"),
        ({"created_at": "1960-01-01T00:00:00Z"}, "bad_created_at"),
        ({"expires_at": "2030-01-01T00:00:00"}, "bad_expires_at"),
        ({"expires_at": "2200-01-01T00:00:00Z"}, "bad_expires_at"),
        ({"revoked_at": "2020-01-01T00:00:00Z"}, "revoked"),
        ({"enabled": SECRET}, "bad_enabled"),
        ({"enabled": 1}, "bad_enabled"),
        ({"enabled": True, "disabled_reason": "exposed"}, "bad_enabled"),
        ({"disabled_reason": SECRET}, "bad_disabled_reason"),
        ({"disabled_reason": "revoked"}, "bad_disabled_reason"),
        ({"self_rotation": "yes"}, "bad_self_rotation"),
        ({"metadata": SECRET}, "bad_metadata"),
        ({"metadata": ["a"]}, "bad_metadata"),
        ({"metadata": {"a": 1}}, "bad_metadata"),
        ({"metadata": {"a": "x" * 3_000}}, "bad_metadata"),
        ({"metadata": "[" * 100_000}, "bad_metadata"),
        ({"allowed_origins": None, "kind": "publishable"}, "bad_allowed_origins"),
        (
            {"scopes": ["write"], "kind": "publishable", "allowed_origins": ["https://a.b"]},
            "bad_scopes",
        ),
        ({"allowed_origins": ["https://a.b"]}, "bad_allowed_origins"),
        ({"allowed_ips": [SECRET]}, "bad_allowed_ips"),
        ({"permissions": [SECRET]}, "bad_permissions"),
        ({"credits": SECRET}, "bad_credits"),
        ({"credits": {"remaining": "5"}}, "bad_credits"),
        ({"credits": {"remaining": True}}, "bad_credits"),
        ({"credits": {"remaining": -1}}, "bad_credits"),
        ({"credits": {SECRET: 1}}, "bad_credits"),
        ({"credits": {"refill": {"amount": 1, "interval": "day"}}}, "bad_credits"),
        ({"credits": {"remaining": 1, "refill": {"amount": 1, "interval": SECRET}}}, "bad_credits"),
        ({"raw_key": SECRET}, "unknown_field"),
        ({SECRET: "x"}, "unknown_field"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not_repeated(
    wrong: dict[str, Any], code: str
) -> None:
    with pytest.raises(BadField) as refused:
        imported_key({**GOOD, **wrong}, RULES)
    assert refused.value.code == code
    assert "secret" not in refused.value.text
    field = next(iter(wrong))
    if field != SECRET and code != "revoked":
        assert field in refused.value.text


def test_an_expired_key_is_imported_so_its_holder_learns_why() -> None:
    key = imported_key({**GOOD, "expires_at": "2020-01-01T00:00:00Z"}, RULES)
    assert key.expires_at_ms == 1_577_836_800_000


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\xff\xfe", "not_utf8"),
        (b"{", "not_json"),
        (b"5", "not_json"),
        (b"[" * 40_000, "not_json"),
        (b'{"hash": 1, "hash": 2}', "duplicate_field"),
        (b" " * 70_000 + b"{}", "too_long"),
        (b'"' + b"x" * 200_000 + b'"', "too_long"),
    ],
    ids=["bytes", "open", "number", "deep", "twice", "long", "very long"],
)
def test_a_bad_line_never_takes_a_good_one_with_it(raw: bytes, code: str) -> None:
    good = json.dumps(GOOD).encode()
    lines = list(read_jsonl(io.BytesIO(good + b"\n" + raw + b"\r\n\n" + good), RULES))
    assert [(line.number, line.code) for line in lines] == [(1, None), (2, code), (4, None)]
    assert [line.key is not None for line in lines] == [True, False, True]


def test_an_open_quote_spoils_its_own_line_only() -> None:
    row = f"{GOOD['hash']},{GOOD['owner']},read"
    text = f'hash,owner,scopes\n"{row}\n{row}\n{row},more\n'.encode()
    lines = list(read_csv(io.BytesIO(text), RULES))
    assert [(line.number, line.code) for line in lines] == [
        (2, "not_csv"),
        (3, None),
        (4, "wrong_columns"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
FIELDS = st.sampled_from([*GOOD, "id", "name", "prefix", "rate_limit", "created_at", "expires_at"])


@given(st.dictionaries(FIELDS | st.text(max_size=6), JSON, max_size=4))
def test_every_line_is_a_key_or_is_reported_as_none(changed: dict[str, Any]) -> None:
    text = json.dumps({**GOOD, **changed}).encode()
    (line,) = read_jsonl(io.BytesIO(text), RULES)
    assert (line.key is None) != (line.problem is None)
    if line.key is not None:
        assert line.key.hash == line.key.hash.lower()
        assert line.key.scopes
        assert line.key.rate_limit is None or 1 <= line.key.rate_limit <= 1_000


@given(st.lists(st.binary(max_size=40).filter(lambda raw: b"\n" not in raw), max_size=6))
def test_every_line_that_is_not_blank_is_accounted_for(raws: list[bytes]) -> None:
    good = json.dumps(GOOD).encode()
    stream = io.BytesIO(b"".join(raw + b"\n" for raw in [*raws, good]))
    lines = {line.number: line for line in read_jsonl(stream, RULES)}
    assert lines[len(raws) + 1].key is not None
    for number, raw in enumerate(raws, 1):
        blank = not raw.decode("utf-8", "replace").strip("\ufeff" if number == 1 else "").strip()
        assert blank or number in lines


@given(st.binary(max_size=200))
def test_no_bytes_are_too_strange_for_a_csv_file(raw: bytes) -> None:
    rows = list(read_csv(io.BytesIO(b"hash,owner,scopes\n" + raw), RULES))
    assert all((row.key is None) != (row.problem is None) for row in rows)
    with contextlib.suppress(BadFile):
        list(read_csv(io.BytesIO(raw), RULES))
