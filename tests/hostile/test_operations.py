"""Every operation of the document, under hostile bodies, queries, headers and identifiers.

What is asked comes from the document, so no route and no field can be left out by forgetting.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.hostile.conftest import Hidden
from tests.hostile.operations import Operation, operations
from tests.support.stack.api import Api

# Each example is a request or two over HTTP; what fails is small enough as it is.
BOUNDED = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ALL = operations()
#: No credential is needed there.
PUBLIC = ("/leaks", "/leaks/github")
#: What only an operator may let a key do; its bodies are in tests/contract/test_verification.py.
VERIFIES = "/keys/verify"
#: What ends the key that everything else is asked with, and what no key may without its owner.
ENDS_ITSELF, ROTATES_ITSELF = "DELETE /me/api-key", "POST /me/api-key/rotate"

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
tricks = st.sampled_from(
    [
        *("2999-13-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00+23:59"),
        *("::ffff:1.2.3.4/96", "fe80::1%eth0", "0.0.0.0/0", "010.0.0.1", "1.2.3.4/33"),
        *("*", "*:*", "keys:verify", "me:admin", "a:b:c", "null", "https://evil.example:443"),
        *("minute", "day", "all", "revoked", "true", "key_compromise", "\x00", "\u202e", "9" * 400),
        *("__proto__", "$context.authorizer.user_id", "${aws:username}", '","scopes":"admin'),
    ]
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.sampled_from([0, 1, -1, 60, 3_600, 2**53, 2**63, 0.5, 1e308])
    | texts
    | tricks
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts | tricks, inner, max_size=4),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def victim(admin: Api) -> dict[str, Any]:
    """A key of the asking user, to be changed, rotated and asked about."""
    made = admin.create_key(scopes=["read"], metadata={"team": "data"}, self_rotation=True)
    return {**made, "raw_key": Hidden(made["raw_key"])}


def path_of(operation: Operation, identifier: str) -> str:
    return operation.path.replace("{id}", quote(identifier, safe=""))


def assert_withstood(operation: Operation, answer: httpx.Response, *secrets: str) -> None:
    """No fault, and of a credential nothing in a refusal; `ask` has checked the envelope."""
    assert answer.status_code < 500, (str(operation), answer.text)
    may_all = operation.path not in {*PUBLIC, VERIFIES} and str(operation) != ROTATES_ITSELF
    if may_all and answer.status_code in {401, 403}:
        assert answer.json()["message"] == "Beyond your own permissions", str(operation)
    assert answer.status_code != 429, str(operation)
    if answer.status_code >= 400:
        told = answer.text + repr(dict(answer.headers))
        assert not [secret for secret in secrets if secret[13:] in told], str(operation)


with_body = [operation for operation in ALL if operation.fields is not None]


@pytest.mark.parametrize("operation", with_body, ids=str)
def test_no_body_of_any_operation_makes_the_api_fail(
    operation: Operation, admin: Api, victim: dict[str, Any]
) -> None:
    assert operation.fields is not None
    names = st.sampled_from(operation.fields)

    @BOUNDED
    @given(
        body=st.dictionaries(names | texts, values | st.just(str(victim["raw_key"])), max_size=5)
    )
    @example(body=dict.fromkeys(operation.fields))
    @example(body=dict.fromkeys(operation.fields, victim["raw_key"]))
    @example(body={name: [victim["raw_key"]] for name in operation.fields})
    @example(body={name: {victim["raw_key"]: victim["raw_key"]} for name in operation.fields})
    @example(body={victim["raw_key"]: 1})
    def ask(body: Any) -> None:
        sent = json.dumps(body).encode()
        answer = admin.ask(
            operation.method,
            path_of(operation, victim["id"]),
            content=sent,
            headers={"Content-Type": "application/json"},
        )
        assert_withstood(operation, answer, victim["raw_key"])

    ask()
    for whole in (b"", b"null", b"[]", b'"x"', b"[" * 2_000, b'{"\\ud800":1}', b"\xff", b"{}" * 9):
        answer = admin.ask(
            operation.method,
            path_of(operation, victim["id"]),
            content=whole,
            headers={"Content-Type": "application/json"},
        )
        assert_withstood(operation, answer)


@pytest.mark.parametrize("operation", [one for one in ALL if one.query], ids=str)
def test_no_query_of_any_operation_makes_the_api_fail(
    operation: Operation, admin: Api, victim: dict[str, Any]
) -> None:
    raw_key = str(victim["raw_key"])
    said = st.tuples(st.sampled_from(operation.query) | texts, texts | tricks | st.just(raw_key))

    @BOUNDED
    @given(parameters=st.lists(said, max_size=4))
    @example(parameters=[(name, "1") for name in operation.query for _ in range(2)])
    @example(parameters=[(name, raw_key) for name in operation.query])
    @example(parameters=[("to", "9999-12-31T23:59:59.999Z")])
    @example(parameters=[("to", "0001-01-01T00:30:00Z")])
    def ask(parameters: list[tuple[str, str]]) -> None:
        if str(operation) == ENDS_ITSELF:
            parameters = [*parameters, ("reason", "nonsense"), ("reason", "unspecified")]
        query = "&".join(f"{quote(name)}={quote(value)}" for name, value in parameters)
        # What a DELETE would end is made up; what a GET reads is there.
        identifier = str(uuid4()) if operation.method == "DELETE" else victim["id"]
        answer = admin.ask(operation.method, f"{path_of(operation, identifier)}?{query}")
        assert_withstood(operation, answer, raw_key)

    ask()


@pytest.mark.parametrize("operation", [one for one in ALL if "{id}" in one.path], ids=str)
def test_no_identifier_of_any_operation_is_more_than_unknown(
    operation: Operation, admin: Api
) -> None:
    @BOUNDED
    @given(name=(texts | tricks).filter(lambda name: name not in {"", ".", ".."}))
    @example(name="a" * 800)
    @example(name="%00")
    @example(name="{id}")
    @example(name=str(uuid4()).upper())
    def ask(name: str) -> None:
        sent: dict[str, Any] = {"json": {"name": "x"}} if operation.method == "PATCH" else {}
        answer = admin.ask(operation.method, path_of(operation, name), **sent)
        assert_withstood(operation, answer)
        assert answer.status_code >= 400

    ask()


@pytest.mark.parametrize("operation", [one for one in ALL if one.headers], ids=str)
def test_no_header_of_any_operation_makes_the_api_fail(
    operation: Operation, admin: Api, victim: dict[str, Any]
) -> None:
    raw_key = str(victim["raw_key"])
    visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF), max_size=300)

    @BOUNDED
    @given(value=visible | st.just(raw_key))
    @example(value='"')
    @example(value='""')
    @example(value='"a')
    @example(value="a" * 256)
    @example(value="a b")
    @example(value=raw_key)
    def ask(value: str) -> None:
        headers = [(name.encode(), value.encode("latin-1")) for name in operation.headers]
        for sent in (headers, headers * 2):
            answer = admin.ask(
                operation.method,
                path_of(operation, str(uuid4())),
                content=b'{"nothing": 1}',
                headers=dict(sent) | {b"Content-Type": b"application/json"},
            )
            assert_withstood(operation, answer, raw_key)
            assert answer.status_code >= 400

    ask()


@pytest.mark.parametrize("operation", ALL, ids=str)
def test_no_operation_lets_a_stranger_or_a_lesser_key_do_more(
    operation: Operation, admin: Api, read_key: str, http: httpx.Client, victim: dict[str, Any]
) -> None:
    path = path_of(operation, victim["id"])
    sent: dict[str, Any] = {} if operation.fields is None else {"json": {"surprise": 1}}
    if operation.path not in PUBLIC:
        for credential in (None, "x", "cgt_live_" + "0" * 154, victim["raw_key"][:-1] + "!"):
            assert Api(http, credential).ask(operation.method, path, **sent).status_code == 401
    if operation.path.startswith(("/me/api-keys", "/me/audit-log")):
        answer = admin.holding(read_key).ask(operation.method, path, **sent)
        assert answer.status_code == 403
        assert answer.json()["message"] == "Missing required scope: admin"


@pytest.mark.parametrize(
    "operation", [one for one in ALL if one.path.startswith("/me/api-keys/{id}")], ids=str
)
def test_somebody_elses_key_is_unknown_to_every_operation(
    operation: Operation, as_user: Callable[..., Api], victim: dict[str, Any]
) -> None:
    stranger = as_user(str(uuid4()))
    sent: dict[str, Any] = {"json": {"name": "Mine now"}} if operation.method == "PATCH" else {}
    theirs, nobodys = (
        stranger.ask(operation.method, path_of(operation, one), **sent)
        for one in (victim["id"], str(uuid4()))
    )
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
