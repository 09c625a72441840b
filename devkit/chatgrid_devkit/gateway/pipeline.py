"""A request's way through API Gateway, in API Gateway's order.

Route → stage throttle → identity source → authorizer → policy → usage plan → size → integration.
Each step either goes on or raises the gateway response that ends the request.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chatgrid_devkit.functions.invocation import Failed, Functions, Outcome
from chatgrid_devkit.gateway import events
from chatgrid_devkit.gateway.compression import compressed
from chatgrid_devkit.gateway.gateway_responses import GatewayError, render
from chatgrid_devkit.gateway.messages import Request, Response
from chatgrid_devkit.gateway.policy import (
    AuthorizerOutputInvalid,
    Grant,
    allows,
    explicitly_denies,
    read_output,
)
from chatgrid_devkit.gateway.proxy_response import MalformedResponse, read_proxy_response
from chatgrid_devkit.gateway.request_log import RequestRecord, decision_in
from chatgrid_devkit.gateway.routing import Match, Router
from chatgrid_devkit.gateway.usage_plans import KeySource, Throttler, UsagePlans
from chatgrid_devkit.template.description import Authorizer, Deployment, Mock, UsageKey

BODY_LIMIT_BYTES = 10 * 1024 * 1024
INTEGRATION_SECONDS = 29.0
_ARN_LIMIT_BYTES = 1600
_EXPLICIT_DENY = "User is not authorized to access this resource with an explicit deny"

ReadBody = Callable[[int], Awaitable[bytes | None]]
"""Reads the whole body; `None` when it is longer than so many bytes."""


@dataclass(slots=True)
class _Passage:
    """What has been found out about one request so far."""

    request: Request
    record: RequestRecord
    match: Match | None = None
    grant: Grant | None = None
    authorizer: dict[str, Any] | None = None
    key: UsageKey | None = None


class Pipeline:
    """One API, answering requests as API Gateway would.

    Args:
        clock_ms: the time for throttles and quotas.
        timer: seconds that only grow, for durations.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        functions: Functions,
        keys: KeySource,
        timer: Callable[[], float],
        integration_seconds: float = INTEGRATION_SECONDS,
    ) -> None:
        self._deployment = deployment
        self._api = deployment.api
        self._router = Router(deployment.api.routes)
        self._functions = functions
        self._plans = UsagePlans(keys)
        self._stage = Throttler()
        self._timer = timer
        self._integration_seconds = integration_seconds
        self._running: set[asyncio.Task[Outcome]] = set()

    async def answer(
        self, request: Request, read_body: ReadBody, record: RequestRecord
    ) -> Response:
        """The response to a request, whatever happens to it; the record is filled in."""
        passage = _Passage(request, record)
        try:
            return await self._pass(passage, read_body)
        except GatewayError as error:
            if error.reason and record.outcome != "forbidden":  # that is reason enough
                record.reason = error.reason
            return self._refuse(passage, error)

    def fault(self, request: Request, record: RequestRecord) -> Response:
        """The response when the gateway itself failed."""
        record.reason = "a fault of the gateway"
        passage = _Passage(request, record)
        return self._refuse(passage, GatewayError("API_CONFIGURATION_ERROR"))

    async def _pass(self, passage: _Passage, read_body: ReadBody) -> Response:
        request = passage.request
        passage.match = match = self._router.match(request.method, request.path)
        if match is None:
            raise GatewayError("MISSING_AUTHENTICATION_TOKEN", reason="no such path or method")
        route = match.route
        passage.record.resource = route.resource
        throttle = self._api.throttle
        if throttle and not self._stage.take("stage", throttle, request.received_ms):
            raise GatewayError("THROTTLED", reason="stage")
        if route.authorizer:
            await self._authorize(passage, match, self._api.authorizers[route.authorizer])
        if route.key_required:
            passage.key = await self._plans.admit(self._key_value(passage), request.received_ms)
        body = await read_body(BODY_LIMIT_BYTES)
        if body is None:
            raise GatewayError("REQUEST_TOO_LARGE")
        passage.request = dataclasses.replace(request, body=body)
        if route.mock is not None:
            return _fixed(route.mock, request.id)
        return await self._integrate(passage, match)

    def _key_value(self, passage: _Passage) -> str | None:
        if self._api.key_source == "AUTHORIZER":
            return passage.grant.usage_key if passage.grant else None
        return passage.request.header("X-Api-Key")

    async def _authorize(self, passage: _Passage, match: Match, authorizer: Authorizer) -> None:
        request, deployment = passage.request, self._deployment
        for header in authorizer.identity_headers:
            self._require_identity(request, header, authorizer)
        arn = events.method_arn(
            self._api, request, region=deployment.region, account=deployment.account
        )
        if len(arn.encode()) > _ARN_LIMIT_BYTES:
            raise GatewayError("DEFAULT_4XX", status=414, message="Request URI too long")
        if authorizer.kind == "TOKEN":
            header = authorizer.identity_headers[0]
            event = events.token_event(request, arn=arn, header=header)
        else:
            event = events.request_event(
                self._api, request, match, arn=arn, account=deployment.account
            )
        started = self._timer()
        outcome = await self._functions.invoke(authorizer.function, event)
        passage.record.authorizer_ms = (self._timer() - started) * 1000
        grant = passage.grant = _grant(outcome)
        passage.authorizer = {
            **grant.context,
            "principalId": grant.principal,
            "integrationLatency": round(passage.record.authorizer_ms),
        }
        passage.record.outcome, passage.record.reason = decision_in(grant.context)
        if not allows(grant, arn):
            message = _EXPLICIT_DENY if explicitly_denies(grant, arn) else None
            reason = passage.record.reason or str(grant.context.get("message") or "")
            raise GatewayError("ACCESS_DENIED", message=message, reason=reason)

    @staticmethod
    def _require_identity(request: Request, header: str, authorizer: Authorizer) -> None:
        value = request.header(header)
        if value is None or not value.strip():
            reason = f"no {header} header"
            if request.header("X-Api-Key") is not None:
                reason += f"; x-api-key is not read, {header} is"
            raise GatewayError("UNAUTHORIZED", reason=reason)
        if authorizer.validation and not re.fullmatch(authorizer.validation, value):
            raise GatewayError("UNAUTHORIZED", reason=f"the {header} header does not match")

    async def _integrate(self, passage: _Passage, match: Match) -> Response:
        function = match.route.function
        assert function is not None  # noqa: S101  # a route is a mock or has a function
        event = events.proxy_event(
            self._api,
            passage.request,
            match,
            account=self._deployment.account,
            authorizer=passage.authorizer,
            key=passage.key,
        )
        started = self._timer()
        try:
            outcome = await self._within_the_limit(self._functions.invoke(function, event))
        except TimeoutError:
            raise GatewayError("INTEGRATION_TIMEOUT") from None
        finally:
            passage.record.integration_ms = (self._timer() - started) * 1000
        if isinstance(outcome, Failed):
            raise GatewayError("INTEGRATION_FAILURE", reason=str(outcome))
        try:
            response = read_proxy_response(outcome.value, request_id=passage.request.id)
        except MalformedResponse as error:
            raise GatewayError("INTEGRATION_FAILURE", reason=f"malformed: {error}") from error
        return compressed(
            response, passage.request, minimum_bytes=self._api.minimum_compression_bytes
        )

    async def _within_the_limit(self, call: Any) -> Outcome:
        """The outcome, or TimeoutError; the function then runs on, as it does on AWS."""
        task: asyncio.Task[Outcome] = asyncio.ensure_future(call)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.wait_for(asyncio.shield(task), self._integration_seconds)

    def _refuse(self, passage: _Passage, error: GatewayError) -> Response:
        resource = passage.match.route.resource if passage.match else None
        context = events.request_context(
            self._api, passage.request, resource, account=self._deployment.account
        )
        return render(
            error,
            responses=self._api.responses,
            request=passage.request,
            context={**context, "authorizer": passage.authorizer or {}},
        )


def _grant(outcome: Outcome) -> Grant:
    if isinstance(outcome, Failed):
        if outcome.kind == "error" and outcome.message == "Unauthorized":
            raise GatewayError("UNAUTHORIZED", reason="the authorizer said so")
        raise GatewayError("AUTHORIZER_FAILURE", reason=str(outcome))
    try:
        return read_output(outcome.value)
    except AuthorizerOutputInvalid as error:
        raise GatewayError("AUTHORIZER_CONFIGURATION_ERROR", reason=str(error)) from error


def _fixed(mock: Mock, request_id: str) -> Response:
    return Response(
        status=mock.status,
        headers=(
            ("Content-Type", "application/json"),
            *mock.headers,
            ("x-amzn-RequestId", request_id),
        ),
        body=mock.body.encode(),
    )
