"""Between a Lambda proxy event of an API Gateway REST API and an ASGI application.

The path that an application routes on is the resource that API Gateway matched with its
parameters filled in, never the path as the client spelled it: what the guard judged and what
runs are then one and the same, under a stage, a base path or any other spelling.
"""

from __future__ import annotations

import asyncio
import logging
import re
import weakref
from base64 import b64decode
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlencode

from aws_lambda_powertools.logging import correlation_paths
from aws_lambda_powertools.metrics import MetricUnit
from mangum import Mangum
from mangum.handlers.api_gateway import APIGateway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools import Logger, Metrics, Tracer
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from mangum.types import ASGI

    Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]
    #: (method, resource, status) → the metric that counts it.
    Milestones = Mapping[tuple[str, str, int], str]

_PARAMETER = re.compile(r"\{([^}+]+)\+?\}")


class ProxyRequest(APIGateway):
    """One proxy event, as an ASGI scope and a body; no header or path can make it fail."""

    @classmethod
    def infer(cls, *_: object) -> bool:
        """Every event is a REST proxy event here; one that is not fails, and is refused."""
        return True

    @property
    def body(self) -> bytes:
        """The request's body as it was sent."""
        text: str = self.event.get("body") or ""
        if self.event.get("isBase64Encoded"):
            return b64decode(text)
        return text.encode(errors="surrogatepass")

    @property
    def scope(self) -> dict[str, Any]:
        """The request as ASGI describes it."""
        identity = self.event["requestContext"].get("identity") or {}
        return {
            "type": "http",
            "http_version": "1.1",
            "method": self.event["httpMethod"],
            "headers": _headers(self.event),
            "path": _path(self.event),
            "raw_path": None,
            "root_path": "",
            "scheme": "https",
            "query_string": _query(self.event),
            "server": None,
            "client": (identity.get("sourceIp"), 0),
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "aws.event": self.event,
            "aws.context": self.context,
        }


def lambda_handler(
    app: ASGI, *, logger: Logger, tracer: Tracer | None, metrics: Metrics, milestones: Milestones
) -> Handler:
    """A Lambda handler for ``app`` that logs, traces and counts, and shows no credential.

    One line is logged for a request: method, resource, status, and who called. Neither the
    event nor the answer is logged or traced: either may hold a raw key.

    Args:
        app: the application, its guard included.
        tracer: ``None`` where nothing is traced.
        milestones: answers worth a metric of their own.
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)  # Mangum takes the current one, and warns where none is
    # It would log every path, and a client may have put its key there.
    logging.getLogger("mangum").setLevel(logging.WARNING)
    mangum = Mangum(app, lifespan="off", custom_handlers=[ProxyRequest])
    weakref.finalize(mangum, loop.close)  # with the handler, or when the process ends

    @logger.inject_lambda_context(
        log_event=False, correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True
    )
    @metrics.log_metrics(capture_cold_start_metric=True)
    def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        asyncio.set_event_loop(loop)  # again, in case something else has put it away
        response = mangum(event, cast("Any", context))
        status: int = response["statusCode"]
        method, resource = event["httpMethod"], event.get("resource", "")
        logger.info(
            "request",
            extra={"method": method, "resource": resource, "status": status, **_caller(event)},
        )
        metrics.add_metric(f"Responses{status // 100}xx", MetricUnit.Count, 1)
        if milestone := milestones.get((method, resource, status)):
            metrics.add_metric(milestone, MetricUnit.Count, 1)
        return response

    traced = tracer.capture_lambda_handler if tracer else _untraced
    return cast("Handler", traced(handle, capture_response=False, capture_error=False))


def _untraced(handle: Handler, **_: object) -> Handler:
    return handle


def _caller(event: dict[str, Any]) -> dict[str, str]:
    authorizer = event["requestContext"].get("authorizer") or {}
    names = ("user_id", "key_id", "auth_mode", "verdict")
    return {name: authorizer[name] for name in names if authorizer.get(name)}


def _path(event: dict[str, Any]) -> str:
    parameters = event.get("pathParameters") or {}

    def filled(found: re.Match[str]) -> str:
        # Quoted, so that no parameter can reach into another segment.
        return quote(parameters.get(found[1]) or "", safe="", errors="replace")

    return _PARAMETER.sub(filled, event.get("resource") or "")


def _headers(event: dict[str, Any]) -> list[tuple[bytes, bytes]]:
    many = event.get("multiValueHeaders") or {
        name: [value] for name, value in (event.get("headers") or {}).items()
    }
    return [
        (name.lower().encode(errors="replace"), ", ".join(values).encode(errors="replace"))
        for name, values in many.items()
    ]


def _query(event: dict[str, Any]) -> bytes:
    parameters = (
        event.get("multiValueQueryStringParameters") or event.get("queryStringParameters") or {}
    )
    return urlencode(parameters, doseq=True, errors="replace").encode()
