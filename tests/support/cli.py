"""An operator at a stack in memory: runs ``chatgrid`` as a shell would, on moto's tables."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
from typer.testing import CliRunner, Result

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_cli import main
from chatgrid_cli.main import app
from chatgrid_cli.stacks import Stack
from chatgrid_cli.values import now_ms
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, keys_table, rate_limits_table, usage_table

# A process runs one command, and makes Typer read what it takes: here hundreds run in one.
vars(main)["_loaded"] = cache(main._loaded)


@cache
def a_client(service: str) -> Any:
    """A client of moto, made once: making one takes longer than most tests."""
    make: Any = boto3.client
    return make(
        service,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


class Operator:
    """Runs commands, and looks at the store behind them."""

    def __init__(self) -> None:
        self.dynamodb: Any = a_client("dynamodb")
        self.table = keys_table(self.dynamodb)
        self.management = {
            "RATE_LIMIT_DEFAULT": "120",
            "RATE_LIMIT_CEILING": "1000",
            "KEYS_PER_USER": "5",
            "OWN_GATEWAY_KEYS": "true",
            "REVOKED_RETENTION_DAYS": "400",
            "KEY_LIFETIME_DEFAULT_SECONDS": "0",
            "KEY_LIFETIME_CEILING_SECONDS": "0",
            "KEYS_TABLE": self.table,
            "AUDIT_TABLE": audit_of(self.table),
        }
        users = rate_limits_table(self.dynamodb)
        self.usage_table = usage_table(self.dynamodb)
        self.authorizer = {
            "KEYS_TABLE": self.table,
            "RATE_LIMITS_TABLE": users,
            "TOKEN_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:tokens",
            "SUPABASE_URL": "https://project.supabase.co",
        }
        self.outputs = {
            "KeysTableName": self.table,
            "AuditTableName": audit_of(self.table),
            "RateLimitsTableName": users,
            "UsageTableName": self.usage_table,
        }
        self.fakes: dict[str, Any] = {}
        self.name = "gate"
        self.local = False
        logs = a_client("logs")
        with contextlib.suppress(logs.exceptions.ResourceAlreadyExistsException):
            logs.create_log_group(logGroupName="/aws/lambda/gate-management")
        self.parameters: dict[str, str] = {}
        self.status = "UPDATE_COMPLETE"

    def stack(self) -> Stack:
        """The stack that commands find."""
        environments: dict[str, Mapping[str, str]] = {
            "ManagementFunction": self.management,
            "AuthorizerFunction": self.authorizer,
            "ReconcilerFunction": {"DRY_RUN": "false"},
        }
        return Stack(
            name=self.name,
            local=self.local,
            status=self.status,
            outputs=self.outputs,
            parameters=self.parameters,
            client=lambda service: self.fakes.get(service) or a_client(service),
            environment=environments.__getitem__,
            credentials=None,
        )

    def run(self, *arguments: str, input: str | None = None) -> Result:  # noqa: A002
        """A command's exit code and what it printed."""
        result = CliRunner().invoke(app, arguments, input=input)
        assert "Traceback" not in result.output
        return result

    def answer(self, *arguments: str, input: str | None = None, exit_code: int = 0) -> Any:  # noqa: A002
        """The JSON document that a command printed."""
        result = self.run(*arguments, "--json", input=input)
        assert result.exit_code == exit_code, result.output
        return json.loads(result.stdout)

    def issue(self, owner: str | None = None, **facts: Any) -> IssuedKey:
        """A key, made without the command."""
        service = key_service(
            self.dynamodb,
            table=self.table,
            # An expired key was made before it expired.
            now_ms=lambda: min(now_ms(), (facts.get("expires_at_ms") or now_ms() + 1) - 1),
        )
        return new_key(service, owner or str(uuid4()), **facts)

    def gate(self) -> KeyDecisions:
        """The deciding request itself."""
        return KeyDecisions(Boto3Transport(self.dynamodb), table=self.table)

    def trail(self) -> list[dict[str, Any]]:
        """What the management function's log tells of operators."""
        found = a_client("logs").filter_log_events(logGroupName="/aws/lambda/gate-management")
        return [json.loads(event["message"]) for event in found["events"]]

    def items(self) -> list[dict[str, Any]]:
        """All that the keys table holds, in an order that is always the same."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.table)
        return sorted((item for page in pages for item in page["Items"]), key=str)


def keys_in(items: Iterable[Mapping[str, Any]]) -> int:
    """How many credentials there are among items."""
    return sum(item["pk"]["S"].startswith("KEY#") for item in items)
