"""Each function's first request, and the environment that it starts in: for budgets of a start."""

from __future__ import annotations

import json
from base64 import b64encode
from gzip import compress
from typing import Any, NamedTuple

from tests.support.http_api import allowed, jwt_caller, proxy_event

_AWS = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "a-secret",
    "AWS_SESSION_TOKEN": "x" * 800,
    "AWS_LAMBDA_FUNCTION_NAME": "a-function",
    "LAMBDA_TASK_ROOT": "/var/task",  # without it Powertools takes itself for a local run
    "PYTHONUNBUFFERED": "1",
}
_LIMITS = {
    "RATE_LIMIT_DEFAULT": "120",
    "RATE_LIMIT_CEILING": "1000",
    "KEY_LIFETIME_DEFAULT_SECONDS": "0",
    "KEY_LIFETIME_CEILING_SECONDS": "0",
}
_KEYS = {
    "KEYS_TABLE": "keys",
    "AUDIT_TABLE": "audit",
    "OWN_GATEWAY_KEYS": "true",
    "REVOKED_RETENTION_DAYS": "400",
}


def _powertools(service: str) -> dict[str, str]:
    return {
        "PYDANTIC_DISABLE_PLUGINS": "true",
        "POWERTOOLS_SERVICE_NAME": service,
        "POWERTOOLS_METRICS_NAMESPACE": "ChatGrid/test",
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_TRACE_DISABLED": "true",
    }


class First(NamedTuple):
    """A function's first request.

    Attributes:
        function: its folder.
        event: what Lambda hands it.
        settings: what the template tells it.
    """

    function: str
    event: dict[str, Any]
    settings: dict[str, str]

    @property
    def handler(self) -> str:
        """The module that Lambda loads."""
        return f"chatgrid_{self.function}.handler"

    def environment(self, endpoint: str) -> dict[str, str]:
        """All that it finds, with DynamoDB and what else it calls at this endpoint."""
        services = ("DYNAMODB", "EVENTBRIDGE", "SECRETS_MANAGER", "SQS", "API_GATEWAY")
        urls = {f"AWS_ENDPOINT_URL_{service}": endpoint for service in services}
        return {**_AWS, **urls, **self.settings}


def _web(method: str, resource: str, **more: Any) -> dict[str, Any]:
    return proxy_event(method, resource, authorizer=allowed(jwt_caller()), **more)


def _lines() -> str:
    line = {"time": "2026-11-24T10:15:00.000Z", "message": "decision", "outcome": "allowed"}
    batch = {
        "messageType": "DATA_MESSAGE",
        "logGroup": "g",
        "logStream": "s",
        "logEvents": [{"id": "1", "timestamp": 1_795_000_000_000, "message": json.dumps(line)}],
    }
    return b64encode(compress(json.dumps(batch).encode())).decode()


FIRST = {
    "management": First(
        "management",
        _web("GET", "/me/api-keys"),
        {
            **_KEYS,
            **_LIMITS,
            **_powertools("management"),
            "USAGE_TABLE": "usage",
            "KEYS_PER_USER": "1000",
            "KEY_CREATIONS_PER_HOUR": "0",
            "TRUSTED_PROXIES": "0",
            "ALLOWED_ORIGIN": "*",
            "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:tokens",
        },
    ),
    "boards": First(
        "boards",
        _web("GET", "/boards"),
        {"BOARDS_TABLE": "boards", "ALLOWED_ORIGIN": "*", **_powertools("boards")},
    ),
    "leaks": First(
        "leaks",
        {"Records": []},
        {
            **_KEYS,
            **_powertools("leaks"),
            "LEAKS_QUEUE_URL": "https://sqs.eu-central-1.amazonaws.com/1/leaks",
            "LEAK_RESPONSE": "disable",
            "GITHUB_KEYS_URL": "https://127.0.0.1:9/keys",
            "ALLOW_IMPORTED_KEYS": "false",
        },
    ),
    "reconciler": First(
        "reconciler",
        {},
        {
            **_KEYS,
            **_powertools("reconciler"),
            "USAGE_PLAN_STANDARD": "plan",
            "USAGE_KEY_NAME_PREFIX": "stack",
            "GATEWAY_KEY_CEILING": "9000",
            "DRY_RUN": "false",
            "CONTROL_PLANE_CALLS_PER_SECOND": "2",
            "DORMANT_AFTER_DAYS": "0",
        },
    ),
    "events": First("events", {"Records": []}, {"EVENT_BUS": "bus"}),
    "usage": First(
        "usage", {"awslogs": {"data": _lines()}}, {"USAGE_TABLE": "usage", "AUDIT_TABLE": "audit"}
    ),
    "pages": First("pages", _web("GET", "/dashboard"), {**_LIMITS, "SUPABASE_URL": ""}),
}
