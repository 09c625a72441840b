"""The gateway over the small template of this folder, with functions that are plain callables."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from chatgrid_devkit.functions.invocation import Failed, Outcome, Returned
from chatgrid_devkit.gateway.app import Gateway
from chatgrid_devkit.gateway.key_source import TemplateKeys
from chatgrid_devkit.gateway.pipeline import Pipeline
from chatgrid_devkit.gateway.request_log import RequestLog
from chatgrid_devkit.openapi.pages import Pages
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.template.description import Deployment, GatewayResponse

FOLDER = Path(__file__).parent
TEMPLATE = FOLDER / "template.yaml"
AUTHORIZER = "chatgrid-local-AuthorizerFunction"
BOARDS = "chatgrid-local-BoardsFunction"
TIER_KEY = "shared-key-of-the-standard-tier"
ARN = "arn:aws:execute-api:us-east-1:000000000000:local0api0/v1/"


@cache
def fixture_deployment() -> Deployment:
    """The template of this folder, read once: its plan admits 2 at once and 5 a day."""
    return read_deployment(TEMPLATE)


def grant(event: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An authorizer's answer that lets the request through."""
    answer = {
        "principalId": "user-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": "execute-api:Invoke",
                    "Resource": event["methodArn"],
                }
            ],
        },
        "context": {"verdict": "allowed"},
        "usageIdentifierKey": TIER_KEY,
        **changes,
    }
    return {key: value for key, value in answer.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Reply:
    """What a client got."""

    status: int
    header_list: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.header_list}

    def json(self) -> Any:
        return json.loads(self.body)


Function = Callable[[dict[str, Any]], Any]


@dataclass(slots=True)
class World:
    """One gateway. Functions may be replaced between requests; they see their events."""

    deployment: Deployment = field(default_factory=fixture_deployment)
    authorizer: Function = grant
    boards: Function = lambda event: {"statusCode": 200, "body": "{}"}
    integration_seconds: float = 29.0
    root: Path = FOLDER
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    log: io.StringIO = field(default_factory=io.StringIO)
    _gateway: Gateway | None = None

    def responding(self, **responses: GatewayResponse) -> World:
        """The same with other gateway responses."""
        api = dataclasses.replace(self.deployment.api, responses=responses)
        self.deployment = dataclasses.replace(self.deployment, api=api)
        return self

    def with_api(self, **changes: Any) -> World:
        """The same with an API that differs."""
        api = dataclasses.replace(self.deployment.api, **changes)
        self.deployment = dataclasses.replace(self.deployment, api=api)
        return self

    async def invoke(self, name: str, event: Any) -> Outcome:
        event = json.loads(json.dumps(event))
        function = {AUTHORIZER: self.authorizer, BOARDS: self.boards}[name]
        self.events.append((name, event))
        result = function(event)
        if asyncio.iscoroutine(result):
            result = await result
        return result if isinstance(result, Failed) else Returned(result)

    def called(self, name: str) -> list[dict[str, Any]]:
        """The events that a function got."""
        return [event for called, event in self.events if called == name]

    @property
    def gateway(self) -> Gateway:
        if self._gateway is None:
            pipeline = Pipeline(
                self.deployment,
                functions=self,
                keys=TemplateKeys(self.deployment.keys),
                timer=lambda: 0.0,
                integration_seconds=self.integration_seconds,
            )
            self._gateway = Gateway(
                pipeline,
                stage=self.deployment.api.stage,
                pages=Pages(self.root, base_url="http://127.0.0.1:3000/v1"),
                log=RequestLog(self.log, verbose=True),
            )
        return self._gateway

    def ask(
        self,
        method: str,
        target: str,
        *,
        headers: list[tuple[str, str]] | None = None,
        body: bytes = b"",
    ) -> Reply:
        """Send one request; `target` goes out as it is written."""
        if headers is None:
            headers = [("Authorization", "Bearer something")]
        return asyncio.run(self.send(method, target, headers=headers, body=body))

    async def send(
        self, method: str, target: str, *, headers: list[tuple[str, str]], body: bytes = b""
    ) -> Reply:
        """The same, for tests that have several requests under way."""
        raw_path, _, query = target.encode().partition(b"?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": raw_path.decode(),
            "raw_path": raw_path,
            "query_string": query,
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in headers],
            "client": ("192.0.2.7", 50000),
        }
        chunks = [body[start : start + 65536] for start in range(0, len(body), 65536)] or [b""]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            chunk = chunks.pop(0)
            return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.gateway(scope, receive, send)
        start, *rest = sent
        return Reply(
            status=start["status"],
            header_list=[(k.decode(), v.decode("latin-1")) for k, v in start["headers"]],
            body=b"".join(message.get("body", b"") for message in rest),
        )

    @property
    def log_lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]
