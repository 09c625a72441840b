"""A request's way through an HTTP API (payload format 2.0), in API Gateway's order.

Preflight → route → identity sources → authorizer → integration. There are no usage plans, and no
responses that anybody could shape: API Gateway's own have the bodies that it gives them.
Source: "Working with HTTP APIs", API Gateway developer guide.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from chatgrid_devkit.beside import http_events
from chatgrid_devkit.beside.definition import HttpApi
from chatgrid_devkit.functions.invocation import Failed, Functions
from chatgrid_devkit.gateway.messages import Headers, Request, Response
from chatgrid_devkit.gateway.pipeline import BODY_LIMIT_BYTES, ReadBody
from chatgrid_devkit.gateway.proxy_response import MalformedResponse, read_proxy_response
from chatgrid_devkit.gateway.request_log import RequestRecord, decision_in
from chatgrid_devkit.gateway.routing import Match, Router
from chatgrid_devkit.template.description import Route

INTEGRATION_SECONDS = 30.0
_DEFAULT = "$default"
_CORS = "access-control-"


class _Refused(Exception):
    """API Gateway responds by itself."""

    def __init__(self, status: int, message: str, *, reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


class HttpApiPipeline:
    """One HTTP API, answering requests as API Gateway would.

    Args:
        account: the AWS account that it lies in.
        timer: seconds that only grow, for durations.
    """

    def __init__(
        self,
        api: HttpApi,
        *,
        account: str,
        functions: Functions,
        timer: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._api = api
        self._account = account
        self._functions = functions
        self._timer = timer
        self._router = Router(route for route in api.routes if route.resource != _DEFAULT)
        self._default = next((r for r in api.routes if r.resource == _DEFAULT), None)

    async def answer(
        self, request: Request, read_body: ReadBody, record: RequestRecord
    ) -> Response:
        """The response to a request, whatever happens to it; the record is filled in."""
        try:
            headers, status, body = await self._pass(request, read_body, record)
        except _Refused as refused:
            record.reason = refused.reason or record.reason
            headers, status = [("Content-Type", "application/json")], refused.status
            body = json.dumps({"message": refused.message}, separators=(",", ":")).encode()
        headers = [*headers, *self._cors(request), ("apigw-requestid", request.id)]
        return Response(status=status, headers=headers, body=body)

    def fault(self, request: Request, record: RequestRecord) -> Response:
        """The response when the gateway itself failed."""
        record.reason = "a fault of the gateway"
        body = b'{"message":"Internal Server Error"}'
        return Response(status=500, headers=[("apigw-requestid", request.id)], body=body)

    async def _pass(
        self, request: Request, read_body: ReadBody, record: RequestRecord
    ) -> tuple[list[tuple[str, str]], int, bytes]:
        if self._api.allow_origins and self._is_preflight(request):
            return [], 204, b""
        match = self._router.match(request.method, request.path)
        if match is None and self._default is not None:
            match = Match(route=self._default, parameters={})
        if match is None:
            raise _Refused(404, "Not Found", reason="no such route")
        record.resource = match.route.resource
        told = await self._authorize(request, match, record)
        body = await read_body(BODY_LIMIT_BYTES)
        if body is None:
            raise _Refused(413, "Request Entity Too Large")
        request = dataclasses.replace(request, body=body)
        event = http_events.proxy_event(
            self._api, request, match, account=self._account, authorizer=told
        )
        return await self._integrate(match.route, event, request, record)

    async def _authorize(
        self, request: Request, match: Match, record: RequestRecord
    ) -> Mapping[str, Any] | None:
        """What the authorizer tells the backend; ``None`` for a route without one."""
        if match.route.authorizer is None:
            return None
        authorizer = self._api.authorizers[match.route.authorizer]
        for header in authorizer.identity_headers:
            if not (request.header(header) or "").strip():
                raise _Refused(401, "Unauthorized", reason="identity source missing")
        event = http_events.request_event(self._api, request, match, account=self._account)
        started = self._timer()
        outcome = await self._functions.invoke(authorizer.function, event)
        record.authorizer_ms = (self._timer() - started) * 1000
        given = None if isinstance(outcome, Failed) else outcome.value
        told = given.get("context", {}) if isinstance(given, dict) else None
        allowed = given.get("isAuthorized") if isinstance(given, dict) else None
        if not isinstance(allowed, bool) or not isinstance(told, dict):
            raise _Refused(500, "Internal Server Error", reason=f"the authorizer: {outcome}")
        texts = {name: str(value) for name, value in told.items()}
        record.outcome, record.reason = decision_in(texts)
        if not allowed:
            raise _Refused(403, "Forbidden", reason=record.reason or record.outcome or "")
        return told

    async def _integrate(
        self, route: Route, event: Any, request: Request, record: RequestRecord
    ) -> tuple[list[tuple[str, str]], int, bytes]:
        assert route.function is not None  # noqa: S101  # only functions are read
        started = self._timer()
        try:
            async with asyncio.timeout(INTEGRATION_SECONDS):
                outcome = await self._functions.invoke(route.function, event)
        except TimeoutError:
            raise _Refused(503, "Service Unavailable", reason="too slow") from None
        finally:
            record.integration_ms = (self._timer() - started) * 1000
        if isinstance(outcome, Failed):
            raise _Refused(500, "Internal Server Error", reason=str(outcome))
        try:
            response = read_proxy_response(_explicit(outcome.value), request_id=request.id)
        except MalformedResponse as error:
            raise _Refused(500, "Internal Server Error", reason=f"malformed: {error}") from error
        # Where the API has a CORS setting, a backend's headers of that kind are ignored.
        kept = [
            (name, value)
            for name, value in response.headers
            if name.lower() != "x-amzn-requestid"
            and not (self._api.allow_origins and name.lower().startswith(_CORS))
        ]
        return kept, response.status, response.body

    @staticmethod
    def _is_preflight(request: Request) -> bool:
        asks = request.header("Origin") and request.header("Access-Control-Request-Method")
        return request.method == "OPTIONS" and bool(asks)

    def _cors(self, request: Request) -> Headers:
        origin, allowed = request.header("Origin"), self._api.allow_origins
        if origin is None or not ("*" in allowed or origin in allowed):
            return []
        told = [("Access-Control-Allow-Origin", "*" if "*" in allowed else origin)]
        lists = {
            "Access-Control-Expose-Headers": self._api.expose_headers,
            **(
                {
                    "Access-Control-Allow-Headers": self._api.allow_headers,
                    "Access-Control-Allow-Methods": self._api.allow_methods,
                }
                if self._is_preflight(request)
                else {}
            ),
        }
        return told + [(name, ",".join(values)) for name, values in lists.items() if values]


def _explicit(value: Any) -> Any:
    """A function's response with its parts, from what payload 2.0 lets it give for short."""
    if isinstance(value, dict) and "statusCode" in value:
        return {name: part for name, part in value.items() if name != "cookies"}
    body = value if isinstance(value, str) else json.dumps(value)
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": body}
