"""The edge around an application, with an application of the test's own behind it."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Logger, Metrics, Tracer
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.types import Receive, Scope, Send

from chatgrid_auth.domain import keys
from chatgrid_auth.http_api.edge import ContractMiddleware
from chatgrid_auth.http_api.rest_api import lambda_handler
from tests.support.http_api import Api, Context, allowed, jwt_caller, proxy_event

if TYPE_CHECKING:
    from chatgrid_auth.http_api.rest_api import Handler


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers with what it was asked."""
    request = Request(scope, receive)
    body = await request.body()
    seen = {
        "method": request.method,
        "path": request.url.path,
        "query": request.query_params.multi_items(),
        "headers": dict(request.headers),
        "body": body.decode("latin-1"),
    }
    await JSONResponse(seen)(scope, receive, send)


async def broken(scope: Scope, receive: Receive, send: Send) -> None:
    """Fails before it answers."""
    raise RuntimeError(scope["path"])


async def late(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers, then fails, as a framework that raises once more."""
    await PlainTextResponse("done", status_code=500)(scope, receive, send)
    raise RuntimeError


def handler_of(app: Any, *, tracer: Tracer | None = None) -> Handler:
    return lambda_handler(
        ContractMiddleware(app),
        # A name of its own: a logger holds on to the standard output that it met first.
        logger=Logger(service=f"test-{uuid4()}"),
        tracer=tracer or Tracer(service="test", auto_patch=False),
        metrics=Metrics(service="test", namespace="Test"),
        milestones={("POST", "/keys", 200): "KeysMade"},
    )


@pytest.fixture
def api() -> Api:
    return Api(handler_of(echo), jwt_caller())


def test_a_handler_that_is_gone_leaves_nothing_open() -> None:
    def open_after(handlers: int) -> int:
        for _ in range(handlers):
            handler_of(echo)
        gc.collect()
        return len(list(Path("/dev/fd").iterdir()))

    after_one = open_after(1)
    assert open_after(10) <= after_one


def test_an_application_routes_on_the_resource_that_api_gateway_matched(api: Api) -> None:
    event = proxy_event("GET", "/me/{id}", authorizer=None, id="42")
    event["path"] = "/base/v1/me/api-keys"
    assert api.send(event).json["path"] == "/me/42"


@pytest.mark.parametrize("resource", [None, ""])
def test_where_api_gateway_matched_nothing_there_is_no_path_either(
    api: Api, resource: str | None
) -> None:
    event = proxy_event("GET", "/me", authorizer=None)
    event.update(resource=resource, path="/me/api-keys")
    assert "api-keys" not in api.send(event).json["path"]


@pytest.mark.parametrize("value", ["../keys", "a/b", "%2e%2e", "a?b", "a#b", "a;b", "\ud800"])
def test_no_parameter_reaches_out_of_its_segment(api: Api, value: str) -> None:
    path = api("GET", "/me/{id}", id=value).json["path"]
    assert path.startswith("/me/")
    assert path.count("/") == 2


def test_query_parameters_keep_every_value(api: Api) -> None:
    reply = api("GET", "/me", query={"a": ["1", "2"], "b": ["x&y=z"], "c": [""]})
    assert reply.json["query"] == [["a", "1"], ["a", "2"], ["b", "x&y=z"], ["c", ""]]


@pytest.mark.parametrize("host", ["[::1]:3000", "a:b:c", "", ":", "example.com:x"])
def test_no_host_header_makes_a_request_fail(api: Api, host: str) -> None:
    assert api("GET", "/me", headers={"Host": host}).json["headers"]["host"] == host


def test_a_body_arrives_as_the_bytes_that_were_sent(api: Api) -> None:
    assert api("POST", "/me", body=b"\x00\xff").json["body"] == "\x00\xff"
    assert api("POST", "/me", body="é").json["body"].encode("latin-1").decode() == "é"


def test_single_value_headers_serve_where_there_are_no_others(api: Api) -> None:
    event = proxy_event("GET", "/me", authorizer=None, headers={"X-Thing": "1"})
    event["multiValueHeaders"] = None
    assert api.send(event).json["headers"]["x-thing"] == "1"


def test_head_is_answered_as_get_without_a_body(api: Api) -> None:
    get, head = api("GET", "/me"), api("HEAD", "/me")
    assert get.json["method"] == "GET"
    assert (head.status, head.text) == (200, "")
    assert head.headers == {k: v for k, v in get.headers.items() if k != "content-length"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_nothing_may_be_stored(api: Api, method: str) -> None:
    assert api(method, "/me").headers["cache-control"] == "no-store"


def test_an_exception_that_nobody_caught_is_a_500_in_the_envelope() -> None:
    reply = Api(handler_of(broken), jwt_caller())("GET", "/me")
    assert reply.problem() == (500, "internal_error", "Internal error")
    assert reply.headers["cache-control"] == "no-store"


def test_an_answer_that_was_given_stands_whatever_is_raised_after_it() -> None:
    reply = Api(handler_of(late), jwt_caller())("GET", "/me")
    assert (reply.status, reply.text) == (500, "done")


def test_one_request_gets_one_answer_even_if_an_exception_follows_it() -> None:
    sent: list[str] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    asyncio.run(ContractMiddleware(late)({"type": "http", "method": "GET"}, receive, send))
    assert sent == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize("event", [{}, {"resource": "/me"}, {"Records": []}])
def test_an_event_of_another_kind_is_not_answered_at_all(event: dict[str, Any]) -> None:
    handler = handler_of(echo)
    with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is, Lambda reports it
        handler(event, Context())  # type: ignore[arg-type]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[dict[str, Any]]]:
    def read() -> list[dict[str, Any]]:
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return read


def test_a_request_is_one_line_that_names_the_caller_and_no_credential(
    lines: Callable[[], list[dict[str, Any]]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)  # as Lambda's own log format sets it
    caller = jwt_caller()
    raw_key = keys.generate("live", entropy=os.urandom)
    api = Api(handler_of(echo), caller)
    lines()
    event = proxy_event(
        "POST",
        "/me/{id}",
        authorizer=allowed(caller),
        id=raw_key,
        body=raw_key,
        headers={"Authorization": f"Bearer {raw_key}"},
        query={"key": [raw_key]},
    )
    api.send(event)
    written = lines()
    request = next(line for line in written if line.get("message") == "request")
    assert request["method"] == "POST"
    assert request["resource"] == "/me/{id}"
    assert request["status"] == 200
    assert request["user_id"] == caller.user_id
    assert request["correlation_id"] == event["requestContext"]["requestId"]
    assert raw_key not in json.dumps(written) + caplog.text
    assert [record.message for record in caplog.records] == ["request"]


def test_answers_and_milestones_are_counted(lines: Callable[[], list[dict[str, Any]]]) -> None:
    api = Api(handler_of(echo), jwt_caller())
    lines()
    api("POST", "/keys")
    api("GET", "/keys")
    counted = [line for line in lines() if "_aws" in line]
    assert [line.get("Responses2xx") for line in counted if "Responses2xx" in line] == [[1], [1]]
    assert [line["KeysMade"] for line in counted if "KeysMade" in line] == [[1]]


class Recorder:
    """Stands in for X-Ray, and remembers all that a trace would show."""

    def __init__(self) -> None:
        self.shown: list[object] = []

    @contextmanager
    def in_subsegment(self, **facts: object) -> Iterator[Recorder]:
        self.shown.append(facts)
        yield self

    def put_annotation(self, **facts: object) -> None:
        self.shown.append(facts)

    def put_metadata(self, **facts: object) -> None:
        self.shown.append(facts)


def test_a_trace_shows_neither_the_request_nor_the_answer() -> None:
    recorder: Any = Recorder()
    tracer = Tracer(service="test", provider=recorder, disabled=False, auto_patch=False)
    raw_key = keys.generate("live", entropy=os.urandom)
    api = Api(handler_of(echo, tracer=tracer), jwt_caller())
    assert raw_key in api("POST", "/keys", body=raw_key).text
    assert recorder.shown
    assert raw_key not in repr(recorder.shown)
