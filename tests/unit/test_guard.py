"""The guard fails closed: nothing but an allowed verdict with the right scope reaches a handler."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.domain import context
from chatgrid_auth.domain.verdicts import Allowed, Caller, Forbidden, Limited, RateLimitStatus
from chatgrid_auth.guard import GuardMiddleware, guarded

NOW_S = 1_800_000_000.4
FIGURES = RateLimitStatus(limit=120, remaining=7, more_s=1_800_000_004, reset_s=1_800_000_009)
OK = {"statusCode": 200, "headers": {"X-Own": "1"}, "body": "ok"}


def caller(*scopes: str) -> Caller:
    return Caller(user_id="u", auth_mode="api-key", scopes=scopes, key_id="k")


def carried(verdict: Allowed | Forbidden | Limited) -> dict[str, str]:
    return {name: str(value) for name, value in context.write(verdict).items()}


def allowed(*scopes: str) -> dict[str, str]:
    return carried(Allowed(caller=caller(*scopes), figures=FIGURES, usage_key="t"))


def event(authorizer: Any, method: str = "GET", resource: str = "/boards") -> dict[str, Any]:
    return {
        "httpMethod": method,
        "resource": resource,
        "path": "/boards",
        "requestContext": {"authorizer": authorizer},
    }


def plain(incoming: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], list[Caller]]:
    """The answer of a guarded plain handler, and the callers that the handler met."""
    met: list[Caller] = []

    @guarded(clock=lambda: NOW_S, **settings)
    def handler(_event: Any, _context: Any, who: Caller) -> dict[str, Any]:
        met.append(who)
        return OK

    return handler(incoming, None), met


def asgi(incoming: dict[str, Any], **settings: Any) -> tuple[dict[str, Any], list[Caller]]:
    """The same through the middleware, told in the shape of a plain handler's answer."""
    met: list[Caller] = []

    async def app(scope: Any, _receive: Any, send: Any) -> None:
        met.append(scope["chatgrid.caller"])
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x-own", b"1")]})
        await send({"type": "http.response.body", "body": b"ok"})

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "aws.event": incoming}
    middleware = GuardMiddleware(app, clock=lambda: NOW_S, **settings)
    asyncio.run(middleware(scope, receive, send))
    start, body = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return {"statusCode": start["status"], "headers": headers, "body": body["body"].decode()}, met


BOTH = pytest.mark.parametrize("guard", [plain, asgi])


def header(answer: dict[str, Any], name: str) -> str | None:
    found = {key.lower(): value for key, value in answer["headers"].items()}.get(name.lower())
    return None if found is None else str(found)


def envelope(answer: dict[str, Any]) -> tuple[int, str, str]:
    body = json.loads(answer["body"])
    assert body["object"] == "error"
    assert body["status"] == answer["statusCode"]
    assert header(answer, "Content-Type") == "application/json"
    return body["status"], body["code"], body["message"]


@BOTH
def test_an_allowed_request_meets_its_handler_with_its_caller(guard: Any) -> None:
    answer, met = guard(event(allowed("read")))
    assert (answer["statusCode"], answer["body"], header(answer, "X-Own")) == (200, "ok", "1")
    assert [(who.user_id, who.key_id, who.scopes) for who in met] == [("u", "k", ("read",))]


@BOTH
def test_the_limits_headers_are_on_every_answer(guard: Any) -> None:
    for authorizer in (
        allowed("read"),
        carried(Forbidden(message="Missing required scope: read", reason="read", figures=FIGURES)),
        carried(Limited(figures=FIGURES, retry_after_s=4, usage_key="t")),
    ):
        answer, _ = guard(event(authorizer))
        assert header(answer, "X-RateLimit-Limit") == "120"
        assert header(answer, "X-RateLimit-Remaining") == "7"
        assert header(answer, "X-RateLimit-Reset") == "1800000009"
        assert header(answer, "RateLimit-Policy") == '"default";q=120;w=60'
        assert header(answer, "RateLimit") == '"default";r=7;t=4'


@BOTH
def test_more_is_never_promised_later_than_another_try(guard: Any) -> None:
    answer, _ = guard(event(carried(Limited(figures=FIGURES, retry_after_s=3, usage_key="t"))))
    assert header(answer, "Retry-After") == "3"
    assert header(answer, "RateLimit") == '"default";r=7;t=3'


@BOTH
def test_with_nothing_used_there_is_nothing_to_wait_for(guard: Any) -> None:
    whole = RateLimitStatus(limit=9, remaining=9, more_s=0, reset_s=int(NOW_S) + 1)
    answer, _ = guard(
        event(
            carried(Forbidden(message="Missing required scope: read", reason="read", figures=whole))
        )
    )
    assert header(answer, "RateLimit") == '"default";r=9;t=0'


@BOTH
def test_a_browser_may_read_every_answer(guard: Any) -> None:
    for authorizer in (allowed("read"), {}):
        answer, _ = guard(event(authorizer), allow_origin="https://app.example.org")
        assert header(answer, "Access-Control-Allow-Origin") == "https://app.example.org"
        assert header(answer, "Vary") == "Origin"
        assert "RateLimit" in str(header(answer, "Access-Control-Expose-Headers"))
    answer, _ = guard(event(allowed("read")))
    assert header(answer, "Access-Control-Allow-Origin") == "*"


@BOTH
def test_a_used_up_limit_is_a_429_with_a_wait(guard: Any) -> None:
    answer, met = guard(event(carried(Limited(figures=FIGURES, retry_after_s=9, usage_key="t"))))
    assert envelope(answer) == (429, "rate_limit_exceeded", "Rate limit exceeded")
    assert header(answer, "Retry-After") == "9"
    assert met == []


@BOTH
@pytest.mark.parametrize(
    ("method", "resource", "missing"),
    [
        ("POST", "/boards", "write"),
        ("GET", "/me/api-keys", "admin"),
        ("DELETE", "/me/api-keys/{id}", "admin"),
    ],
)
def test_an_allowed_caller_without_the_scope_is_refused_all_the_same(
    guard: Any, method: str, resource: str, missing: str
) -> None:
    answer, met = guard(event(allowed("read"), method, resource))
    assert envelope(answer) == (403, "forbidden", f"Missing required scope: {missing}")
    assert met == []


@BOTH
def test_a_forbidden_verdict_is_403_though_api_gateway_let_it_through(guard: Any) -> None:
    authorizer = carried(
        Forbidden(message="Missing required scope: write", reason="write", figures=FIGURES)
    )
    answer, met = guard(event(authorizer, "POST"))
    assert envelope(answer) == (403, "forbidden", "Missing required scope: write")
    assert met == []


@BOTH
@pytest.mark.parametrize(
    "authorizer",
    [
        None,
        {},
        [],
        "allowed",
        {"verdict": "allowed"},
        {"verdict": "allowed", "scopes": "read write admin"},
        {**allowed("read"), "verdict": "denied"},
        {**allowed("read"), "scopes": ""},
        {**allowed("read"), "user_id": ""},
        {**allowed("read"), "scopes": "reader readwrite"},
        {"principalId": "u", "claims": {"sub": "u"}},
    ],
)
def test_no_other_context_opens_the_door(guard: Any, authorizer: Any) -> None:
    answer, met = guard(event(authorizer))
    assert envelope(answer)[:2] == (403, "forbidden")
    assert met == []


@BOTH
def test_the_path_that_the_client_spelled_plays_no_part(guard: Any) -> None:
    incoming = event(allowed("read"), "GET", "/me/api-keys")
    for path in ("/boards", "/me/../boards", "/me/%61pi-keys", "//me/api-keys"):
        answer, met = guard({**incoming, "path": path})
        assert answer["statusCode"] == 403
        assert met == []


@BOTH
@pytest.mark.parametrize("resource", [None, "", 7, ["/boards"]])
def test_without_the_resource_that_was_matched_nobody_gets_in(guard: Any, resource: Any) -> None:
    incoming = {**event(allowed("admin")), "resource": resource, "path": "/boards"}
    answer, met = guard(incoming)
    assert envelope(answer) == (403, "forbidden", "Access denied")
    assert met == []


@BOTH
def test_no_cache_keeps_an_answer_of_the_guards(guard: Any) -> None:
    for refused in ({}, {**allowed("read"), "verdict": "rate_limited", "retry_after": "7"}):
        answer, _ = guard(event(refused))
        assert header(answer, "Cache-Control") == "no-store"
    answer, _ = guard(event(allowed("read")))
    assert header(answer, "Cache-Control") is None, "the handler's own business"


@BOTH
def test_a_method_override_header_plays_no_part(guard: Any) -> None:
    incoming = event(allowed("read"), "DELETE", "/boards/{id}")
    answer, _ = guard({**incoming, "headers": {"X-HTTP-Method-Override": "GET"}})
    assert answer["statusCode"] == 403


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(_JSON, _JSON, _JSON)
def test_no_event_is_too_strange_to_be_refused(request: Any, method: Any, resource: Any) -> None:
    incoming = {"requestContext": request, "httpMethod": method, "resource": resource}
    answer, met = plain(incoming)
    assert answer["statusCode"] in {403, 429}
    assert met == []


@BOTH
def test_a_backend_may_bring_its_own_rule(guard: Any) -> None:
    def everything_is_read(_method: str, _resource: str) -> str:
        return "read"

    answer, _ = guard(event(allowed("read"), "POST"), required_scope=everything_is_read)
    assert answer["statusCode"] == 200


def test_outside_of_lambda_nothing_gets_through() -> None:
    async def app(*_: Any) -> None:
        pytest.fail("the app was reached")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {}

    asyncio.run(GuardMiddleware(app)({"type": "http"}, receive, send))
    assert sent[0]["status"] == 403


def test_a_websocket_is_closed_and_never_reaches_the_app() -> None:
    async def app(*_: Any) -> None:
        pytest.fail("the app was reached")

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    asyncio.run(GuardMiddleware(app)({"type": "websocket"}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_servers_lifespan_is_the_apps_own_business() -> None:
    met = list[str]()

    async def app(scope: Any, *_: Any) -> None:
        met.append(scope["type"])

    async def nothing(*_: Any) -> Any:
        return {}

    asyncio.run(GuardMiddleware(app)({"type": "lifespan"}, nothing, nothing))
    assert met == ["lifespan"]


@pytest.mark.parametrize("headers", [{}, {"headers": None}])
def test_a_handler_may_answer_without_headers(headers: dict[str, Any]) -> None:
    @guarded(clock=lambda: NOW_S)
    def handler(_event: Any, _context: Any, _caller: Caller) -> dict[str, Any]:
        return {"statusCode": 204, **headers}

    assert header(handler(event(allowed("read")), None), "X-RateLimit-Limit") == "120"


@BOTH
def test_a_number_that_is_too_long_for_one_is_none(guard: Any) -> None:
    answer, _ = guard(event({**allowed("read"), "rate_limit": "9" * 5_000}))
    assert answer["statusCode"] == 200
    assert header(answer, "X-RateLimit-Limit") is None


def test_a_handlers_own_headers_cannot_forge_the_figures() -> None:
    @guarded(clock=lambda: NOW_S)
    def handler(_event: Any, _context: Any, _caller: Caller) -> dict[str, Any]:
        return {"statusCode": 200, "headers": {"X-RateLimit-Limit": "9999"}, "body": ""}

    answer = handler(event(allowed("read")), None)
    assert header(answer, "X-RateLimit-Limit") == "120"
