"""What a protected backend puts in front of its handler: the second lock, and the renderer.

API Gateway has asked the authorizer already. The guard trusts nothing but the context that it
left: no context, a verdict other than *allowed*, or a scope or permissions that do not cover this
method and resource, and the handler does not run, whatever API Gateway did. It works out what is
needed by itself, from the resource that API Gateway matched and never from the path that the client
spelled. It also puts the caller's figures on every response, and answers 429 by itself.

``GuardMiddleware`` stands before an ASGI app that Mangum runs, ``guarded`` before a plain handler.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from chatgrid_auth import proxy_events, proxy_responses
from chatgrid_auth.domain import context as carried
from chatgrid_auth.domain import error_table, scopes
from chatgrid_auth.domain.rules import permissions
from chatgrid_auth.domain.verdicts import Caller as Caller  # noqa: PLC0414 - handlers name it
from chatgrid_auth.domain.verdicts import RateLimitStatus
from chatgrid_auth.rate_limit_headers import limit_refusal, rate_limit_headers, read_beyond

Event = Mapping[str, Any]
Headers = dict[str, str]
ScopeRule = Callable[[str, str], str]
Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
_NO_PERMISSIONS: Mapping[str, str] = {}
Handler = Callable[[Event, Any, Caller], dict[str, Any]]

#: Response headers that a browser's script may read.
EXPOSED_HEADERS = (
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Credits-Remaining, "
    "RateLimit-Policy, RateLimit, Retry-After, WWW-Authenticate, Idempotency-Replayed"
)


class Admission:
    """What the guard found: a caller to go on with, or an answer to give instead.

    Attributes:
        caller: who is calling; ``None`` when the handler must not run.
        figures: where the caller stands; ``None`` when the context told none.
        headers: what belongs on the response, whoever gives it.
        status, body: the answer when there is no caller.
    """

    __slots__ = ("body", "caller", "figures", "headers", "status")

    def __init__(
        self,
        *,
        headers: Headers,
        figures: RateLimitStatus | None,
        caller: Caller | None = None,
        status: int = 403,
        body: str = "",
    ) -> None:
        self.caller = caller
        self.figures = figures
        self.headers = headers
        self.status = status
        self.body = body


def inspect(
    event: object,
    *,
    allow_origin: str,
    required_scope: ScopeRule,
    now_s: float,
    route_permissions: Mapping[str, str] = _NO_PERMISSIONS,
) -> Admission:
    """Decide from a proxy event alone whether its handler may run. Never raises.

    Args:
        event: API Gateway's proxy event, of a REST API or of an HTTP API.
        allow_origin: the origin that browsers may call from, or ``*``.
        required_scope: gives the scope that a method and a resource need.
        now_s: Unix time in seconds.
        route_permissions: the deployment's own permissions by route, as the authorizer has them.
    """
    context, method, resource = proxy_events.read(event)
    figures = carried.read_figures(context)
    retry_after_s = carried.read_retry_after_s(context)
    beyond = read_beyond(context)
    standing = rate_limit_headers(figures, retry_after_s=retry_after_s, now_s=now_s, beyond=beyond)
    headers = {**_cors(allow_origin), **standing}
    refused = {**headers, "Cache-Control": "no-store"}
    if carried.is_limited(context):
        if retry_after_s is not None:
            refused["Retry-After"] = str(retry_after_s)
        return Admission(
            headers=refused,
            figures=figures,
            status=429,
            body=json.dumps(limit_refusal(beyond), separators=(",", ":")),
        )
    verdict = context.get("verdict")
    if verdict == carried.REFUSED:
        message = context.get("message")
        return Admission(
            headers={**refused, "WWW-Authenticate": "Bearer"},
            figures=None,
            status=401,
            body=_body(error_table.INVALID_TOKEN, message if isinstance(message, str) else ""),
        )
    if verdict == carried.UNAVAILABLE:
        return Admission(
            headers={**refused, "Retry-After": "1"},
            figures=None,
            status=503,
            body=_body(error_table.UNAVAILABLE),
        )
    body = _body(error_table.ACCESS_DENIED)
    # Without these API Gateway has matched nothing; without a verdict it asked nobody.
    if method is not None and resource is not None:
        needed = required_scope(method, resource)
        caller = carried.read_caller(context)
        permission = scopes.required_permission(
            method, resource, scope=needed, mapped=route_permissions
        )
        if caller is not None and needed in caller.scopes:
            if permissions.covers(caller.permissions, permission):
                return Admission(headers=headers, figures=figures, caller=caller)
            body = _body(*error_table.forbidden("permission", needed, permission))
        elif caller is not None or verdict == carried.FORBIDDEN:
            broken = carried.read_broken_rule(context)
            body = _body(*error_table.forbidden(broken, needed, permission))
    return Admission(headers=refused, figures=figures, body=body)


class GuardMiddleware:
    """An ASGI middleware: the app behind it sees allowed requests only.

    The app finds the ``Caller`` in ``scope["chatgrid.caller"]`` and the ``RateLimitStatus`` (or
    ``None``) in ``scope["chatgrid.rate_limit"]``. Outside Lambda there is no event, and nothing
    gets through.

    Args:
        app: the ASGI app to guard; Mangum runs the middleware.
        allow_origin: the origin that browsers may call from, or ``*``.
        required_scope: gives the scope that a method and a resource need.
        route_permissions: the deployment's own permissions by route, as the authorizer has them.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        app: AsgiApp,
        *,
        allow_origin: str = "*",
        required_scope: ScopeRule = scopes.required_scope,
        route_permissions: Mapping[str, str] = _NO_PERMISSIONS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._allow_origin = allow_origin
        self._required_scope = required_scope
        self._route_permissions = route_permissions
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":  # a server's own, with nobody behind it
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": f"{scope['type']}.close"})
            return
        admission = inspect(
            scope.get("aws.event") or {},
            allow_origin=self._allow_origin,
            required_scope=self._required_scope,
            route_permissions=self._route_permissions,
            now_s=self._clock(),
        )
        headers = [
            (name.lower().encode(), value.encode()) for name, value in admission.headers.items()
        ]

        taken = {name for name, _ in headers} - {b"vary"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = [pair for pair in message.get("headers", ()) if pair[0].lower() not in taken]
                message["headers"] = [*own, *headers]
            await send(message)

        if admission.caller is None:
            json_headers = [(b"content-type", b"application/json")]
            await send_with_headers(
                {
                    "type": "http.response.start",
                    "status": admission.status,
                    "headers": json_headers,
                }
            )
            await send({"type": "http.response.body", "body": admission.body.encode()})
            return
        scope["chatgrid.caller"] = admission.caller
        scope["chatgrid.rate_limit"] = admission.figures
        await self._app(scope, receive, send_with_headers)


def guarded(
    *,
    allow_origin: str = "*",
    required_scope: ScopeRule = scopes.required_scope,
    route_permissions: Mapping[str, str] = _NO_PERMISSIONS,
    clock: Callable[[], float] = time.time,
) -> Callable[[Handler], Callable[[Event, Any], dict[str, Any]]]:
    """Guard a plain proxy handler, which gets the caller as its third argument.

    Args:
        allow_origin: the origin that browsers may call from, or ``*``.
        required_scope: gives the scope that a method and a resource need.
        route_permissions: the deployment's own permissions by route, as the authorizer has them.
        clock: Unix time in seconds.
    """

    def decorate(handler: Handler) -> Callable[[Event, Any], dict[str, Any]]:
        @functools.wraps(handler)
        def guarded_handler(event: Event, context: Any) -> dict[str, Any]:
            admission = inspect(
                event,
                allow_origin=allow_origin,
                required_scope=required_scope,
                route_permissions=route_permissions,
                now_s=clock(),
            )
            if admission.caller is None:
                return {
                    "statusCode": admission.status,
                    "headers": {"Content-Type": "application/json", **admission.headers},
                    "body": admission.body,
                }
            response = handler(event, context, admission.caller)
            if event.get("version") == proxy_events.HTTP_API:
                response = proxy_responses.explicit(response)
            return proxy_responses.with_headers(response, admission.headers)

        return guarded_handler

    return decorate


def _cors(allow_origin: str) -> Headers:
    headers = {
        "Access-Control-Allow-Origin": allow_origin,
        "Access-Control-Expose-Headers": EXPOSED_HEADERS,
    }
    return headers if allow_origin == "*" else {**headers, "Vary": "Origin"}


def _body(kind: error_table.ErrorKind, message: str = "") -> str:
    return json.dumps(kind.envelope(message), separators=(",", ":"))


def __getattr__(name: str) -> Any:  # a backend's own limits, loaded for whoever names them
    if name == "Limits":
        from chatgrid_auth.limits import Limits  # noqa: PLC0415 - with its adapters

        return Limits
    raise AttributeError(name)
