"""The local API Gateway as an ASGI application."""

from __future__ import annotations

import json
import time
import traceback
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Protocol

from chatgrid_devkit.gateway.gateway_responses import GatewayError
from chatgrid_devkit.gateway.messages import Request, Response, usual_spelling
from chatgrid_devkit.gateway.pipeline import ReadBody
from chatgrid_devkit.gateway.request_log import RequestLog, RequestRecord
from chatgrid_devkit.gateway.routing import without_stage
from chatgrid_devkit.openapi.pages import Pages

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_BODILESS = {204, 304}


class AnswersRequests(Protocol):
    """An API: its way from a request to a response."""

    async def answer(
        self, request: Request, read_body: ReadBody, record: RequestRecord
    ) -> Response:
        """The response to a request, whatever happens to it; the record is filled in."""

    def fault(self, request: Request, record: RequestRecord) -> Response:
        """The response when the gateway itself failed."""


class Gateway:
    """Serves the API under its stage, and the pages beside it; logs each request of the API."""

    def __init__(
        self, pipeline: AnswersRequests, *, stage: str, pages: Pages, log: RequestLog
    ) -> None:
        self._pipeline = pipeline
        self._stage = stage
        self._pages = pages
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = _request(scope, self._stage)
        if request is None:
            page = self._pages.answer(scope["method"], scope["path"], request_id=str(uuid.uuid4()))
            await _send(page, scope["method"], send)
            return
        record = RequestRecord(
            request_id=request.id,
            received_ms=request.received_ms,
            method=request.method,
            path=request.raw_path,
        )
        response = await self._respond(request, _body_reader(receive, request), record)
        record.status = response.status
        record.response_type = response.response_type
        record.message = _message_in(response)
        record.latency_ms = (time.perf_counter() - started) * 1000
        self._log.request(record)
        await _send(response, request.method, send)

    async def _respond(self, request: Request, read: ReadBody, record: RequestRecord) -> Response:
        try:
            return await self._pipeline.answer(request, read, record)
        except Exception:  # a fault of the gateway itself: the client still gets the envelope
            for line in traceback.format_exc().splitlines():
                self._log.note(line)
            return self._pipeline.fault(request, record)


def mounted(app: AsgiApp, mounts: Mapping[str, AsgiApp]) -> AsgiApp:
    """An ASGI app that hands the paths of ``mounts`` to their apps, and all others to ``app``."""

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        for prefix, other in mounts.items():
            if path == prefix or path.startswith(f"{prefix}/"):
                await other(scope, receive, send)
                return
        await app(scope, receive, send)

    return route


def _request(scope: Scope, stage: str) -> Request | None:
    """The request, if its path lies in the stage."""
    raw_path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    path = without_stage(raw_path, stage)
    if path is None:
        return None
    client = scope.get("client")
    return Request(
        id=str(uuid.uuid4()),
        received_ms=time.time_ns() // 1_000_000,
        method=scope["method"],
        raw_path=raw_path,
        path=path,
        query=scope.get("query_string", b"").decode("latin-1"),
        headers=[
            (usual_spelling(name.decode("latin-1")), value.decode("latin-1"))
            for name, value in scope["headers"]
        ],
        source_ip=client[0] if client else "127.0.0.1",
        protocol=f"HTTP/{scope.get('http_version', '1.1')}",
    )


def _message_in(response: Response) -> str | None:
    """What an error in the API's envelope says to people."""
    if response.status < 400:
        return None
    try:
        body = json.loads(response.body)
    except ValueError:
        return None
    message = body.get("message") if isinstance(body, dict) else None
    return message if isinstance(message, str) else None


def _body_reader(receive: Receive, request: Request) -> ReadBody:
    async def read(limit_bytes: int) -> bytes | None:
        declared = request.header("Content-Length") or ""
        if declared.isdigit() and int(declared) > limit_bytes:
            return None
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GatewayError("DEFAULT_4XX", reason="the client went away")
            body += message.get("body", b"")
            if len(body) > limit_bytes:
                return None
            if not message.get("more_body", False):
                return bytes(body)

    return read


async def _send(response: Response, method: str, send: Send) -> None:
    headers = [
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in response.headers
    ]
    bodiless = response.status in _BODILESS
    if not bodiless:
        headers.append((b"Content-Length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    body = b"" if bodiless or method == "HEAD" else response.body
    await send({"type": "http.response.body", "body": body})
