"""Unknown paths, wrong methods, faults, the guard and the headers of every answer."""

from __future__ import annotations

import os

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import StoreThrottled, StoreUnavailable
from chatgrid_auth.domain.verdicts import Forbidden, Limited, RateLimitStatus
from tests.support.http_api import Api, context_of, jwt_caller, proxy_event
from tests.support.memory.key_store import MemoryKeyStore

FIGURE_HEADERS = {
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "ratelimit-policy",
    "ratelimit",
}


@pytest.mark.parametrize(
    ("method", "resource", "allow"),
    [
        ("POST", "/me", "GET, HEAD, OPTIONS"),
        ("DELETE", "/me", "GET, HEAD, OPTIONS"),
        ("PUT", "/me/api-keys", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/me/api-keys", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/me/api-keys/{id}", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("POST", "/me/api-keys/{id}", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("BREW", "/me", "GET, HEAD, OPTIONS"),
    ],
)
def test_a_wrong_method_is_told_the_right_ones(
    api: Api, method: str, resource: str, allow: str
) -> None:
    reply = api(method, resource, id="x", body="{")
    assert reply.problem() == (405, "method_not_allowed", "Method not allowed")
    assert reply.headers["allow"] == allow


@pytest.mark.parametrize("resource", ["/", "/me/", "/docs", "/openapi.json", "/me/keys", "//me"])
def test_an_unknown_path_is_not_found(api: Api, resource: str) -> None:
    assert api("GET", resource).problem() == (404, "not_found", "Not found")


@pytest.mark.parametrize(
    ("method", "resource"),
    [
        ("POST", "/me/api-keys"),
        ("GET", "/me/api-keys"),
        ("GET", "/me/api-keys/{id}"),
        ("DELETE", "/me/api-keys/{id}"),
        ("GET", "/me"),
    ],
)
@pytest.mark.parametrize(
    "fault", [StoreUnavailable("Query", "EndpointConnectionError"), StoreThrottled("Query", "X")]
)
def test_a_store_that_is_out_is_a_503(
    api: Api, store: MemoryKeyStore, method: str, resource: str, fault: Exception
) -> None:
    """It says when to come back."""
    store.fault = fault
    key_id = "019cd6b2-8a00-7c3e-9b5a-2f6d1e8c4a70"
    reply = api(method, resource, id=key_id, json_body={"name": "CI"})
    assert reply.problem() == (503, "service_unavailable", "Service unavailable")
    assert int(reply.headers["retry-after"]) >= 1


def test_an_unexpected_fault_is_a_500_that_tells_nothing(
    api: Api, store: MemoryKeyStore, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happened is in a line of the log."""
    raw_key = keys.generate("live", entropy=os.urandom)
    store.fault = ZeroDivisionError(raw_key)
    reply = api("GET", "/me/api-keys")
    assert reply.problem() == (500, "internal_error", "Internal error")
    out, err = capsys.readouterr()
    assert '"fault":"ZeroDivisionError"' in out
    assert "may_fail" in out
    assert raw_key not in reply.text + out + err


def test_every_answer_carries_the_figures_and_cors(api: Api) -> None:
    replies = [
        api("GET", "/me", caller=jwt_caller()),
        api("HEAD", "/me", caller=jwt_caller()),
        api("GET", "/nowhere"),
        api("PUT", "/me"),
        api("POST", "/me/api-keys", body="{"),
        api("GET", "/me/api-keys", query={"cursor": ["x"]}),
    ]
    for reply in replies:
        assert set(reply.headers) >= FIGURE_HEADERS | {"access-control-allow-origin"}


def test_over_the_limit_nothing_runs(api: Api, store: MemoryKeyStore) -> None:
    figures = RateLimitStatus(limit=2, remaining=0, more_s=1_800_000_004, reset_s=1_900_000_000)
    context = context_of(Limited(figures=figures, retry_after_s=7, usage_key="k"))
    reply = api("POST", "/me/api-keys", json_body={"name": "CI"}, authorizer=context)
    assert reply.problem() == (429, "rate_limit_exceeded", "Rate limit exceeded")
    assert reply.headers["retry-after"] == "7"
    assert not store.keys


@pytest.mark.parametrize("authorizer", [None, {}, {"user_id": "u", "scopes": "admin"}])
def test_without_the_authorizers_word_nothing_runs(
    api: Api, store: MemoryKeyStore, authorizer: dict[str, str] | None
) -> None:
    event = proxy_event("POST", "/me/api-keys", authorizer=authorizer, body='{"name": "CI"}')
    assert api.send(event).problem()[:2] == (403, "forbidden")
    assert not store.keys


def test_a_missing_scope_is_named(api: Api) -> None:
    figures = RateLimitStatus(limit=2, remaining=1, more_s=1_800_000_004, reset_s=1_900_000_000)
    context = context_of(
        Forbidden(message="Missing required scope: admin", reason="admin", figures=figures)
    )
    reply = api("GET", "/me/api-keys", authorizer=context)
    assert reply.problem() == (403, "forbidden", "Missing required scope: admin")
