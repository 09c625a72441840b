"""This project's authorizer with boto3 in place of its own client: the same single UpdateItem."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import boto3
from botocore.config import Config

from chatgrid_auth import settings
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.decisions import _CONDITION, Credential
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.scopes import LEVELS
from chatgrid_auth.services.gate.authenticate import Authenticator
from chatgrid_auth.services.gate.requests import Request, Routes
from chatgrid_authorizer.response import Gate, respond


class Boto3Decisions:
    """Decides about keys through boto3; the expressions are kept for a second, as ours are."""

    def __init__(self, table: str) -> None:
        self._client = boto3.client(
            "dynamodb",
            config=Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard"}),
        )
        self._table = table

    def admit(
        self, key_hash: str, *, now_ms: int, request: Request, tag: str | None = None
    ) -> Credential | None:
        """Count one request on this key if everything about it allows that."""
        admission = window.MINUTE.admission(now_ms)
        tag = tag or tag_of(key_hash)
        try:
            item = self._client.update_item(
                TableName=self._table,
                Key={"pk": {"S": items.credential_pk(key_hash)}, "sk": {"S": items.CREDENTIAL}},
                ConditionExpression=_CONDITION + admission.condition,
                UpdateExpression=(
                    f"SET #s = :now, {admission.assignments} REMOVE {admission.removals}"
                ),
                ExpressionAttributeNames={
                    "#u": "used",
                    "#x": items.until(tag),
                    "#s": items.used_at(tag),
                },
                ExpressionAttributeValues={
                    ":c": {"N": "1"},
                    ":lvl": {"N": str(LEVELS[request.scope])},
                    ":v": {"N": "0"},
                    ":now": {"N": str(now_ms)},
                },
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )["Attributes"]
            admitted = True
        except self._client.exceptions.ConditionalCheckFailedException as refused:
            response: Any = refused.response
            if "Item" not in response:
                return None
            item, admitted = response["Item"], False
        return Credential(item, tag=tag, admitted=admitted, now_ms=now_ms)


def _no_tokens() -> Any:
    raise NotImplementedError


_gate = Gate(
    authenticator=Authenticator(
        keys=Boto3Decisions(settings.text(os.environ, "KEYS_TABLE")),
        users=None,  # type: ignore[arg-type]  # keys only
        tokens=_no_tokens,
        derived=_no_tokens,
        key_tier="standard",
        jwt_tier="web",
        limited_tier="limited",
    ),
    now_ms=lambda: time.time_ns() // 1_000_000,
    elapsed_ms=lambda: time.perf_counter_ns() / 1e6,
    store_waited_ms=lambda: 0.0,
    log=lambda text: sys.stdout.write(text + "\n"),  # type: ignore[arg-type]
    metrics_namespace="ChatGrid/benchmark",
    routes=Routes(permissions={}),
)


def handler(incoming: dict[str, Any], context: Any) -> dict[str, Any]:
    """As the authorizer's own."""
    return respond(incoming, gate=_gate, invocation_id=context.aws_request_id)
