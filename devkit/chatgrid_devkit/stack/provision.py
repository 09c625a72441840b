"""What CloudFormation would make, made in the embedded AWS; and the first user with a key.

Everything here may run again and again on the same state: what is there stays, and usage plans take
the limits that the template has now.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from chatgrid_auth import settings
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain import keys
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_devkit.gateway.key_source import read_plan
from chatgrid_devkit.template.description import Secret, Table, UsagePlan

if TYPE_CHECKING:
    from types_boto3_apigateway import APIGatewayClient
    from types_boto3_apigateway.type_defs import PatchOperationTypeDef
    from types_boto3_dynamodb import DynamoDBClient

JWT_SECRET_NAME = "chatgrid-development-jwt-secret"  # noqa: S105 - a name, not a secret
_ADMIN_KEYS_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Admin:
    """The first user of a local stack, and the admin key that was made for it."""

    user_id: str
    key: str = field(repr=False)


def make_tables(client: DynamoDBClient, tables: Iterable[Table]) -> None:
    """Make the template's tables where they are missing."""
    existing = set(client.list_tables()["TableNames"])
    for table in tables:
        if table.name in existing:
            continue
        properties = dict(table.properties)
        time_to_live = properties.pop("TimeToLiveSpecification", None)
        client.create_table(TableName=table.name, **properties)
        if time_to_live is not None:
            client.update_time_to_live(TableName=table.name, TimeToLiveSpecification=time_to_live)


def make_queues(client: Any, stack: str, queues: Iterable[str]) -> dict[str, str]:
    """Make the template's queues where they are missing; their URLs by logical id."""
    return {
        queue: client.create_queue(QueueName=f"{stack}-{queue}")["QueueUrl"] for queue in queues
    }


def make_plans(client: APIGatewayClient, plans: Mapping[str, UsagePlan]) -> dict[str, str]:
    """Make the template's usage plans where they are missing, and change those that differ.

    Args:
        plans: by logical id.

    Returns:
        The plans' ids in the embedded AWS, by logical id.
    """
    existing = {plan.name: plan for plan in map(read_plan, client.get_usage_plans()["items"])}
    ids: dict[str, str] = {}
    for logical_id, plan in plans.items():
        known = existing.get(plan.name)
        if known is None:
            ids[logical_id] = client.create_usage_plan(name=plan.name, **_limits(plan))["id"]
        else:
            ids[logical_id] = known.id
            _change_plan(client, known, plan)
    return ids


def _change_plan(client: APIGatewayClient, known: UsagePlan, wanted: UsagePlan) -> None:
    """Give a plan other limits; it keeps its id and its keys."""
    before, after = _limits(known), _limits(wanted)
    changes: list[PatchOperationTypeDef] = [
        {"op": "remove", "path": f"/{kind}"} for kind in before.keys() - after.keys()
    ]
    for kind, limits in after.items():
        if limits != before.get(kind):
            changes += [
                {"op": "replace", "path": f"/{kind}/{name}", "value": str(value)}
                for name, value in limits.items()
            ]
    if changes:
        client.update_usage_plan(usagePlanId=known.id, patchOperations=changes)


def _limits(plan: UsagePlan) -> dict[str, Any]:
    """A plan's throttle and quota in API Gateway's words."""
    limits: dict[str, Any] = {}
    if plan.throttle is not None:
        limits["throttle"] = {
            "rateLimit": plan.throttle.rate_per_second,
            "burstLimit": plan.throttle.burst,
        }
    if plan.quota is not None:
        limits["quota"] = {"limit": plan.quota.limit, "period": plan.quota.period}
    return limits


def keep_jwt_secret(client: Any, secret: str) -> str:
    """Keep the development HS256 secret where the authorizer looks for it; its ARN."""
    try:
        arn: str = client.create_secret(Name=JWT_SECRET_NAME, SecretString=secret)["ARN"]
    except client.exceptions.ResourceExistsException:
        arn = client.put_secret_value(SecretId=JWT_SECRET_NAME, SecretString=secret)["ARN"]
    return arn


def make_secrets(client: Any, wanted: Iterable[Secret]) -> dict[str, str]:
    """Make the template's secrets where they are missing; their ARNs, by logical id."""
    arns: dict[str, str] = {}
    for secret in wanted:
        try:
            arn = client.create_secret(Name=secret.name, SecretString=_made(secret.wanted))["ARN"]
        except client.exceptions.ResourceExistsException:
            arn = client.describe_secret(SecretId=secret.name)["ARN"]
        arns[secret.logical_id] = arn
    return arns


def _made(wanted: Mapping[str, Any]) -> str:
    """The text that CloudFormation would make: random letters and digits in a JSON object."""
    alphabet = ascii_letters + digits
    random = "".join(secrets.choice(alphabet) for _ in range(int(wanted["PasswordLength"])))
    template: dict[str, str] = json.loads(wanted["SecretStringTemplate"])
    return json.dumps({**template, wanted["GenerateStringKey"]: random})


def first_admin(
    client: DynamoDBClient, environment: Mapping[str, str], *, known: Admin | None
) -> Admin:
    """The first user with its admin key: the known one while it is good, else a new one.

    Args:
        environment: of the function that makes keys: the names of its tables, and whether keys get
            API Gateway keys of their own.
        known: what an earlier run made.
    """
    table = environment["KEYS_TABLE"]
    if known is not None and _is_good(client, table, known.key):
        return known
    issuing = ApiKeys(
        DynamoKeyStore(
            Boto3Transport(client),
            table=table,
            audit_table=environment["AUDIT_TABLE"],
            pause=time.sleep,
            own_gateway_keys=settings.flag(environment, "OWN_GATEWAY_KEYS", default=""),
        ),
        now_ms=lambda: time.time_ns() // 1_000_000,
        entropy=os.urandom,
        default_rate_limit=120,
        keys_per_user=_ADMIN_KEYS_LIMIT,
    )
    user_id = known.user_id if known is not None else str(uuid4())
    issued = issuing.issue(
        user_id,
        name="First admin key",
        scopes=["admin"],
        environment="live",
        rate_limit=None,
        expires_at_ms=None,
    )
    return Admin(user_id=user_id, key=issued.raw_key)


def _is_good(client: DynamoDBClient, table: str, raw_key: str) -> bool:
    response = client.get_item(
        TableName=table,
        Key={
            "pk": items.s(items.credential_pk(keys.hash_of(raw_key))),
            "sk": items.s(items.CREDENTIAL),
        },
    )
    item = response.get("Item", {})
    until = item.get(items.until(keys.tag_of(keys.hash_of(raw_key))), items.n(0))
    return items.LEVEL in item and int(until["N"]) > time.time() * 1000
