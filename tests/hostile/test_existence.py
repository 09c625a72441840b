"""No answer tells whether a key, a board or a user of somebody else exists."""

from __future__ import annotations

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.domain.keys import generate
from tests.support.stack.api import Api

#: What differs from request to request, whoever asks for what.
VOLATILE = {
    "date",
    "x-amzn-requestid",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit",
}
BODIES: list[dict[str, Any]] = [
    {"json": {"name": "Mine now"}},
    {"json": {}},
    {"json": {"name": ""}},
    {"json": {"surprise": 1}},
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b"name=x", "headers": {"Content-Type": "text/plain"}},
    {},
]


def told(response: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """All that a client can see of an answer and that is not of the moment."""
    headers = {name: text for name, text in response.headers.items() if name not in VOLATILE}
    return response.status_code, response.content, headers


def absent(created_with: str) -> str:
    """An id made as ours are, in the same millisecond, that nobody has."""
    return str(uuid7(now_ms=UUID(created_with).int >> 80, entropy=os.urandom))


@pytest.fixture(scope="module")
def theirs(as_user: Callable[..., Api]) -> dict[str, str]:
    """Somebody else's key, revoked key and board."""
    other = as_user(str(uuid4()))
    revoked = other.create_key()
    assert other.ask("DELETE", f"/me/api-keys/{revoked['id']}").status_code == 200
    board = other.ask("POST", "/boards", json={"name": "Theirs", "view_mode": "docs"}).json()
    return {"key": other.create_key()["id"], "revoked": revoked["id"], "board": board["data"]["id"]}


@pytest.mark.parametrize("what", ["key", "revoked"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "PATCH"])
def test_somebody_elses_key_is_as_unknown_as_one_that_never_was(
    what: str, method: str, admin: Api, theirs: dict[str, str]
) -> None:
    given = theirs[what]
    body: dict[str, Any] = {"json": {"name": "Mine now"}} if method == "PATCH" else {}
    answers = [admin.ask(method, f"/me/api-keys/{key}", **body) for key in (given, absent(given))]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].status_code == 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_somebody_elses_board_is_as_unknown_as_one_that_never_was(
    method: str, admin: Api, theirs: dict[str, str]
) -> None:
    given = theirs["board"]
    answers = [admin.ask(method, f"/boards/{board}") for board in (given, absent(given))]
    assert told(answers[0]) == told(answers[1])
    assert answers[0].status_code == 404


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_no_body_tells_whether_somebody_elses_board_exists(
    body: dict[str, Any], admin: Api, theirs: dict[str, str]
) -> None:
    given = theirs["board"]
    first, second = (
        admin.ask("PATCH", f"/boards/{board}", **dict(body)) for board in (given, absent(given))
    )
    assert told(first) == told(second)
    assert 400 <= first.status_code < 500


def test_a_revoked_key_is_as_unknown_as_no_key(admin: Api) -> None:
    """Its id tells nobody that there was one."""
    own = admin.create_key()["id"]
    assert admin.ask("DELETE", f"/me/api-keys/{own}").status_code == 200
    for method in ("GET", "DELETE"):
        answers = [admin.ask(method, f"/me/api-keys/{key}") for key in (own, absent(own))]
        assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("path", ["/me/api-keys", "/boards"])
def test_a_cursor_made_of_somebody_elses_id_tells_nothing(
    path: str, as_user: Callable[..., Api], theirs: dict[str, str]
) -> None:
    nobody = as_user(str(uuid4()))
    pages = []
    given = theirs["board" if path == "/boards" else "key"]
    for name in (given, absent(given)):
        cursor = urlsafe_b64encode(UUID(name).bytes).rstrip(b"=").decode()
        pages.append(told(nobody.ask("GET", path, params={"cursor": cursor})))
    assert pages[0] == pages[1]
    assert pages[0][0] == 200


@pytest.mark.parametrize(
    "path", ["/me", "/me/api-keys", "/boards", "/boards/019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"]
)
def test_malformed_unknown_and_forged_credentials_get_the_same_answer(
    path: str, http: httpx.Client
) -> None:
    unknown = generate("live", entropy=os.urandom)
    mistyped = unknown[:-1] + ("a" if unknown[-1] != "a" else "b")
    given = [unknown, mistyped, generate("test", entropy=os.urandom), "x", "a.b.c", "x" * 4_000]
    answers = [told(Api(http, credential).ask("GET", path)) for credential in given]
    assert answers[0][0] == 401
    assert all(answer == answers[0] for answer in answers)
    # API Gateway answers by itself where there is no credential, and in the same words.
    missing = told(Api(http, None).ask("GET", path))
    unlike = {name for name, text in missing[2].items() if answers[0][2].get(name) != text}
    assert missing[:2] == answers[0][:2]
    assert unlike <= {"x-amzn-errortype"}


def test_a_new_user_is_answered_like_an_old_one(
    as_user: Callable[..., Api],
) -> None:
    """Who has no keys and no boards learns nothing of who has."""
    known = as_user(str(uuid4()))
    key = known.create_key()["id"]
    known.ask("DELETE", f"/me/api-keys/{key}")
    stranger = as_user(str(uuid4()))
    for path in ("/me/api-keys", "/boards", f"/me/api-keys/{uuid4()}", f"/boards/{uuid4()}"):
        assert told(known.ask("GET", path)) == told(stranger.ask("GET", path))
