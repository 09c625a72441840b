"""Queries and bodies of all kinds: never a 5xx, and every refusal in the envelope."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import httpx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.stack.api import Api

BOUNDED = settings(
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = ["name", "scopes", "rate_limit", "expires_at", "environment", "view_mode", "viewport_x"]
QUERY = ["limit", "cursor", "order", "Authorization", "limit[]", "__proto__"]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
    | st.sampled_from(["2999-13-01T00:00:00Z", "9" * 400, "\x00", "admin", "\u202e", "$ref"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
bodies = st.one_of(
    st.binary(max_size=80),
    st.dictionaries(st.sampled_from(NAMES) | texts, values, max_size=5).map(
        lambda body: json.dumps(body).encode()
    ),
    st.integers(1, 2_000).map(lambda depth: b"[" * depth),
    st.integers(1, 2_000).map(lambda depth: b'{"name":' * depth + b"1" + b"}" * depth),
)
types = st.sampled_from(
    [
        "application/json",
        "application/json; charset=utf-16",
        "text/plain",
        "application/json;;=\tx",
        "",
    ]
)


def assert_no_fault(answer: httpx.Response) -> None:
    """`ask` has checked the envelope of what was refused."""
    assert answer.status_code < 500, answer.text
    assert answer.status_code not in {401, 403, 429}, "the key may all of this"


@BOUNDED
@given(content=bodies, content_type=types)
@example(content=b'{"name":"\\ud800"}', content_type="application/json")
@example(content=b'{"name":"x","rate_limit":1e400}', content_type="application/json")
@example(content=b'{"name":"x","rate_limit":NaN}', content_type="application/json")
@example(content=b'{"name":"x","name":"y"}', content_type="application/json")
@example(content=b'\xef\xbb\xbf{"name":"x"}', content_type="application/json")
@example(
    content=b'{"name":"x","expires_at":"9999-12-31T23:59:60Z"}', content_type="application/json"
)
@example(
    content=b'{"name":"x","expires_at":"0001-01-01T00:00:00+23:59"}',
    content_type="application/json",
)
@example(
    content=b'{"name":"x","rate_limit":' + b"9" * 5_000 + b"}", content_type="application/json"
)
def test_no_body_makes_the_api_fail(admin: Api, content: bytes, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}
    for path in ("/me/api-keys", "/boards"):
        assert_no_fault(admin.ask("POST", path, content=content, headers=headers))


@BOUNDED
@given(
    parameters=st.lists(
        st.tuples(st.sampled_from(QUERY) | texts, texts | st.integers().map(str)), max_size=4
    )
)
@example(parameters=[("limit", "1"), ("limit", "2")])
@example(parameters=[("limit", "\u0661")])
@example(parameters=[("limit", "1_0")])
@example(parameters=[("limit", "9" * 5_000)])
@example(parameters=[("cursor", "A" * 22)])
@example(parameters=[("cursor", "=" * 22)])
@example(parameters=[("order", "asc\x00")])
def test_no_query_makes_the_api_fail(admin: Api, parameters: list[tuple[str, str]]) -> None:
    query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)
    for path in ("/me/api-keys", "/boards"):
        assert_no_fault(admin.ask("GET", f"{path}?{query}"))


@BOUNDED
@given(name=texts.filter(lambda name: name not in {"", ".", ".."}), patch=values)
@example(name="a" * 800, patch={"name": "x"})
@example(name="\x00", patch={})
def test_no_identifier_makes_the_api_fail(admin: Api, name: str, patch: Any) -> None:
    for method, body in (("GET", None), ("PATCH", patch), ("DELETE", None)):
        sent = {} if body is None else {"json": body}
        answer = admin.ask(method, f"/boards/{quote(name, safe='')}", **sent)
        assert_no_fault(answer)
        assert answer.status_code >= 400
