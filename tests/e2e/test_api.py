"""The edges of the API: unknown paths, wrong methods, preflight, bodies, paging."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.support.stack.api import Api, problem

#: An id that nobody has; fixed, so that every process names the same tests.
NOBODYS = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"


@pytest.fixture(scope="module")
def admin(as_user: Callable[..., Api]) -> Api:
    """An admin key of a user of this module's own."""
    user = as_user(str(uuid4()))
    return user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])


@pytest.mark.parametrize(
    "path", ["/nothing", "/boards/a/b", "/me/api-keys/a/b", "//me", "/Boards", "/me%2Fx"]
)
def test_an_unknown_path_is_a_404(admin: Api, http: httpx.Client, path: str) -> None:
    for api in (admin, Api(http, None)):
        response = api.ask("GET", str(http.base_url).rstrip("/") + path)
        assert problem(response)[:2] == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/boards", {"GET", "HEAD", "POST"}),
        ("POST", "/me", {"GET", "HEAD"}),
        ("PATCH", "/me/api-keys", {"GET", "HEAD", "POST"}),
        ("POST", f"/boards/{NOBODYS}", {"GET", "HEAD", "PATCH", "DELETE"}),
    ],
)
def test_a_wrong_method_is_a_405_that_names_the_right_ones(
    admin: Api, method: str, path: str, allowed: set[str]
) -> None:
    response = admin.ask(method, path)
    assert problem(response)[:2] == (405, "method_not_allowed")
    named = {name.strip() for name in response.headers["allow"].split(",")}
    assert named - {"OPTIONS"} == allowed


def test_head_is_get_without_a_body(admin: Api) -> None:
    got, head = admin.ask("GET", "/boards"), admin.ask("HEAD", "/boards")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]


@pytest.mark.parametrize("path", ["/boards", "/boards/x", "/me", "/me/api-keys", "/me/api-keys/x"])
def test_a_browsers_preflight_needs_no_credential(http: httpx.Client, path: str) -> None:
    response = http.options(
        path.lstrip("/"),
        headers={
            "Origin": "https://app.example.org",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        },
    )
    assert response.status_code in {200, 204}
    allowed = response.headers["access-control-allow-headers"].lower()
    assert "authorization" in allowed
    assert "content-type" in allowed
    assert "access-control-allow-origin" in response.headers


def test_a_browser_can_read_every_answer(admin: Api, http: httpx.Client) -> None:
    answers = [
        admin.ask("GET", "/boards"),
        admin.ask("GET", "/nothing"),
        Api(http, None).ask("GET", "/boards"),
        Api(http, "nonsense").ask("GET", "/boards"),
        admin.holding(admin.create_key(scopes=["read"])["raw_key"]).ask("POST", "/boards"),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 401, 401, 403]
    for answer in answers:
        assert answer.headers["access-control-allow-origin"] == "*"
    assert "X-RateLimit-Remaining" in answers[0].headers["access-control-expose-headers"]


@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"", "application/json", (400, "validation_error")),
        (b"{", "application/json", (400, "validation_error")),
        (b"[]", "application/json", (400, "validation_error")),
        (b'{"name": 5}', "application/json", (400, "validation_error")),
        (b"name=x", "application/x-www-form-urlencoded", (415, "unsupported_media_type")),
        (b'{"name": "' + b"x" * 200_000 + b'"}', "application/json", (413, "payload_too_large")),
    ],
)
def test_a_body_that_cannot_be_is_the_callers_fault(
    admin: Api, content: bytes, content_type: str, expected: tuple[int, str]
) -> None:
    for path in ("/me/api-keys", "/boards"):
        response = admin.ask("POST", path, content=content, headers={"Content-Type": content_type})
        assert problem(response)[:2] == expected


def test_a_wrong_field_is_named(admin: Api) -> None:
    response = admin.ask("POST", "/me/api-keys", json={"name": "x", "rate_limit": 0})
    assert problem(response) == (400, "validation_error", "Invalid request body")
    (detail,) = response.json()["details"]
    assert detail["path"] == "rate_limit"


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 101}, {"order": "up"}, {"limit": "x"}])
def test_a_wrong_query_is_named(admin: Api, query: dict[str, str]) -> None:
    response = admin.ask("GET", "/boards", params=query)
    assert problem(response) == (400, "validation_error", "Invalid query parameters")


def test_a_made_up_cursor_is_refused(admin: Api) -> None:
    for path in ("/boards", "/me/api-keys"):
        response = admin.ask("GET", path, params={"cursor": "made-up"})
        assert problem(response)[:2] == (400, "invalid_cursor")


def test_a_board_lives(admin: Api) -> None:
    made = admin.ask("POST", "/boards", json={"name": "B", "view_mode": "canvas"})
    assert made.status_code == 201
    path = f"/boards/{made.json()['data']['id']}"
    assert admin.ask("GET", path).json()["data"] == made.json()["data"]
    patched = admin.ask("PATCH", path, json={"name": "C", "viewport_x": 1.5}).json()["data"]
    assert (patched["name"], patched["viewport_x"]) == ("C", 1.5)
    assert problem(admin.ask("PATCH", path, json={}))[:2] == (400, "no_updates")
    deleted = admin.ask("DELETE", path)
    assert deleted.json()["data"] == {"id": made.json()["data"]["id"], "deleted": True}
    assert problem(admin.ask("GET", path))[:2] == (404, "board_not_found")


def test_pages_give_130_keys_once_each_while_others_come_and_go(
    as_user: Callable[..., Api],
) -> None:
    user = as_user(str(uuid4()))
    admin = user.holding(user.create_key(scopes=["admin"], rate_limit=10_000)["raw_key"])
    with ThreadPoolExecutor(4) as pool:
        stay = set(pool.map(lambda _: admin.create_key()["id"], range(130)))
    come_and_go = [admin.create_key()["id"] for _ in range(10)]
    for order in ("asc", "desc"):
        found: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": 20, "order": order, **({"cursor": cursor} if cursor else {})}
            page = admin.ask("GET", "/me/api-keys", params=query).json()
            found += [key["id"] for key in page["data"]]
            cursor = page["cursor"]
            if not page["has_more"]:
                break
            assert admin.ask("DELETE", f"/me/api-keys/{come_and_go.pop()}").status_code == 200
            come_and_go.insert(0, admin.create_key()["id"])
        assert len(found) == len(set(found))
        assert stay <= set(found)
