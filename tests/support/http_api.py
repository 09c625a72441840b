"""Calls a function as API Gateway does: a real REST proxy event in, a proxy answer out."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aws_xray_sdk.core

from chatgrid_auth.domain import context as carried
from chatgrid_auth.domain.scopes import effective
from chatgrid_auth.domain.verdicts import Allowed, Caller, Forbidden, Limited, RateLimitStatus

# X-Ray opens a UDP socket when it is imported: now, while that is allowed, and none is needed.
aws_xray_sdk.core.xray_recorder.emitter._socket.close()

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]

FIGURES = RateLimitStatus(limit=120, remaining=119, more_s=1_800_000_004, reset_s=1_900_000_000)
JSON = {"Content-Type": "application/json"}


class Context:
    """Lambda's second argument."""

    function_name = "function"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:function"
    aws_request_id = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


def key_caller(
    *,
    user_id: str | None = None,
    scope: str = "admin",
    key_id: str = "",
    former: bool = False,
    permissions: tuple[str, ...] | None = None,
) -> Caller:
    """The holder of an API key; ``former`` for one who came with its former secret."""
    return Caller(
        user_id=user_id or str(uuid4()),
        auth_mode="api-key",
        scopes=effective([scope]),
        key_id=key_id or str(uuid4()),
        environment="live",
        former=former,
        permissions=permissions,
    )


def jwt_caller(*, email: str | None = "ada@example.com") -> Caller:
    """A user with a JWT."""
    return Caller(
        user_id=str(uuid4()), auth_mode="jwt", scopes=("read", "write", "admin"), email=email
    )


def context_of(verdict: Allowed | Forbidden | Limited) -> dict[str, str]:
    """The authorizer's context as API Gateway hands it on: strings."""
    values = {name: str(value) for name, value in carried.write(verdict).items()}
    return {**values, "principalId": values.get("user_id", "anonymous")}


def allowed(caller: Caller) -> dict[str, str]:
    """The context of an allowed request."""
    return context_of(Allowed(caller=caller, figures=FIGURES, usage_key="k"))


def proxy_event(
    method: str,
    resource: str,
    *,
    authorizer: Mapping[str, str] | None,
    id: str | None = None,  # noqa: A002 - the parameter's name in the API
    body: str | bytes | None = None,
    headers: Mapping[str, str] = JSON,
    query: Mapping[str, list[str]] | None = None,
) -> dict[str, Any]:
    """The event of a REST API's Lambda proxy integration."""
    path = resource.replace("{id}", id or "")
    encoded = isinstance(body, bytes)
    return {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in (query or {}).items()}
        or None,
        "multiValueQueryStringParameters": dict(query or {}) or None,
        "pathParameters": {"id": id} if id is not None else None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": resource,
            "httpMethod": method,
            "path": f"/v1{path}",
            "stage": "v1",
            "requestId": "0b5a2f6d-1e8c-4a70-9b5a-2f6d1e8c4a70",
            "identity": {"sourceIp": "203.0.113.7", "userAgent": "curl/8"},
            "apiId": "abcdefghij",
            "authorizer": None if authorizer is None else dict(authorizer),
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": encoded,
    }


@dataclass(frozen=True)
class Reply:
    """A proxy answer."""

    status: int
    headers: dict[str, str]
    # Not shown when a test fails: the answer to a creation holds a raw key.
    text: str = field(repr=False)

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def data(self) -> Any:
        return self.json["data"]

    def problem(self) -> tuple[int, str, str]:
        """Status, code and message, once the envelope has been found to be one."""
        error = self.json
        assert set(error) - {"details"} == {"object", "status", "code", "message"}
        assert error["object"] == "error"
        assert error["status"] == self.status
        assert self.headers["content-type"] == "application/json"
        return self.status, error["code"], error["message"]

    def details(self) -> list[tuple[str, str]]:
        """Code and path of each of the envelope's details."""
        assert self.problem()[1] == "validation_error"
        for entry in self.json["details"]:
            assert set(entry) == {"code", "path", "message"}
        return [(entry["code"], entry["path"]) for entry in self.json["details"]]


def lazily(compose: Callable[[], Handler]) -> Handler:
    """A handler that is composed when it is first called.

    Its logger holds on to the standard output of that moment, which is the test's own only
    once the test itself runs.
    """
    composed = functools.cache(compose)

    def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
        return composed()(event, context)

    return handle


class Api:
    """One function, called by one caller unless another is named."""

    def __init__(self, handler: Handler, caller: Caller):
        self.handler = handler
        self.caller = caller

    def __call__(
        self,
        method: str,
        resource: str,
        *,
        caller: Caller | None = None,
        json_body: object = None,
        **parts: Any,
    ) -> Reply:
        if json_body is not None:
            parts["body"] = json.dumps(json_body)
        parts.setdefault("authorizer", allowed(caller or self.caller))
        return self.send(proxy_event(method, resource, **parts))

    def send(self, event: dict[str, Any]) -> Reply:
        answer = self.handler(event, Context())
        assert not answer["multiValueHeaders"]
        assert answer["isBase64Encoded"] is False
        return Reply(answer["statusCode"], answer["headers"], answer["body"])
