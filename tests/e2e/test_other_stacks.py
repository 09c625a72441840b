"""The examples of other stacks, copied away and run beside a system, respond as the contract says.

They run on built packages, the guards' wheel and tarball.

One function in Python and one in Node, behind a REST API and behind an HTTP API. What an HTTP API
cannot say in the contract's words is named by name at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.support import node_guard
from tests.support.stack.api import Api, assert_envelope

pytestmark = pytest.mark.skipif(bool(node_guard.missing()), reason=node_guard.missing())
ROUTES = pytest.mark.parametrize("path", ["/invoices", "/orders"])


@pytest.fixture(scope="module", params=["other-stack", "http-api"])
def example(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def other(example: str, beside: Callable[[str], str]) -> Iterator[httpx.Client]:
    """A client of the example's API."""
    with httpx.Client(base_url=beside(example), timeout=30) as client:
        yield client


@pytest.fixture
def admin(http: httpx.Client, stack: dict[str, Any]) -> Api:
    return Api(http, stack["admin_key"])


def refused(response: httpx.Response) -> tuple[int, str, str]:
    assert_envelope(response)
    assert response.headers["access-control-allow-origin"] == "*"
    body = response.json()
    assert body["status"] == response.status_code
    return body["status"], body["code"], body["message"]


ORIGIN = {"Origin": "https://app.example.org"}


def asked(other: httpx.Client, path: str, key: str, method: str = "GET") -> httpx.Response:
    return other.request(method, path, headers={**ORIGIN, "Authorization": f"Bearer {key}"})


@ROUTES
def test_an_allowed_request_tells_its_function_who_calls(
    other: httpx.Client, admin: Api, stack: dict[str, Any], path: str
) -> None:
    key = admin.create_key(scopes=["read"], rate_limit=50)
    response = asked(other, path, key["raw_key"])
    assert response.status_code == 200, response.text
    body = response.json()
    assert body[f"{path.removeprefix('/')}_of"] == stack["user_id"]
    assert (body["with"], body["may"]) == (key["id"], ["read"])
    assert response.headers["x-ratelimit-limit"] == "50"
    assert response.headers["x-ratelimit-remaining"] == "49"
    assert response.headers["ratelimit-policy"] == '"default";q=50;w=60'


@ROUTES
def test_each_refused_credential_is_401_in_the_contracts_words(
    other: httpx.Client, admin: Api, path: str
) -> None:
    revoked = admin.create_key()
    admin.ask("DELETE", f"/me/api-keys/{revoked['id']}")
    cases = {
        "not-a-credential": "Missing or invalid token",
        revoked["raw_key"][:-1]: "Missing or invalid token",
        revoked["raw_key"]: "API key has been revoked",
    }
    for credential, message in cases.items():
        response = asked(other, path, credential)
        assert refused(response) == (401, "unauthorized", message)
        assert response.headers["www-authenticate"] == "Bearer"
    without = other.get(path, headers=ORIGIN)
    assert refused(without) == (401, "unauthorized", "Missing or invalid token")
    assert without.headers["www-authenticate"] == "Bearer"


@ROUTES
def test_a_revoked_key_is_refused_on_its_very_next_request(
    other: httpx.Client, admin: Api, path: str
) -> None:
    key = admin.create_key()
    assert asked(other, path, key["raw_key"]).status_code == 200
    admin.ask("DELETE", f"/me/api-keys/{key['id']}")
    assert asked(other, path, key["raw_key"]).status_code == 401


@ROUTES
def test_a_missing_scope_is_403_and_names_it(other: httpx.Client, admin: Api, path: str) -> None:
    key = admin.create_key(scopes=["read"])
    response = asked(other, path, key["raw_key"], "POST")
    assert refused(response) == (403, "forbidden", "Missing required scope: write")


@ROUTES
def test_the_limit_is_exact_and_its_429_says_when_to_come_again(
    other: httpx.Client, admin: Api, path: str
) -> None:
    key = admin.create_key(rate_limit=3)
    statuses = [asked(other, path, key["raw_key"]).status_code for _ in range(3)]
    assert statuses == [200, 200, 200]
    response = asked(other, path, key["raw_key"])
    assert refused(response) == (429, "rate_limit_exceeded", "Rate limit exceeded")
    assert 1 <= int(response.headers["retry-after"]) <= 63
    assert response.headers["x-ratelimit-remaining"] == "0"


@ROUTES
def test_a_preflight_needs_no_credential(other: httpx.Client, path: str) -> None:
    asking = {**ORIGIN, "Access-Control-Request-Method": "GET"}
    response = other.options(path, headers=asking)
    assert response.status_code in {200, 204}
    assert "Authorization" in response.headers["access-control-allow-headers"]


@ROUTES
def test_two_credentials_are_none(other: httpx.Client, admin: Api, path: str) -> None:
    raw = admin.create_key()["raw_key"]
    twice = [
        ("Authorization", f"Bearer {raw}"),
        ("Authorization", f"Bearer {raw}"),
        *ORIGIN.items(),
    ]
    assert refused(other.get(path, headers=twice))[0] == 401


# ------------------------------------------------ what an HTTP API says in words of its own
def test_an_unknown_path_is_404_in_the_apis_own_words(
    other: httpx.Client, admin: Api, example: str
) -> None:
    response = asked(other, "/nowhere", admin.create_key()["raw_key"])
    assert response.status_code == 404
    if example == "http-api":
        assert response.json() == {"message": "Not Found"}
    else:
        assert_envelope(response)


def test_a_method_that_no_route_names_is_404_too(
    other: httpx.Client, admin: Api, example: str
) -> None:
    response = asked(other, "/orders", admin.create_key()["raw_key"], "DELETE")
    assert response.status_code == 404
    if example == "http-api":
        assert response.json() == {"message": "Not Found"}
