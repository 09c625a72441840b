"""The stores that a contract suite runs against: moto in this process, ministack in another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
from botocore.config import Config
from moto import mock_aws

from tests.support.aws import ACCESS_KEY, VARIABLES

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2})


def dynamodb(endpoint: str | None = None, *, access_key: str = ACCESS_KEY) -> DynamoDBClient:
    """A DynamoDB client, of an embedded AWS that this run started when no access key is given."""
    return boto3.client(
        "dynamodb",
        endpoint_url=endpoint,
        region_name=VARIABLES["AWS_REGION"],
        aws_access_key_id=access_key,
        aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        config=_CONFIG,
    )


@contextmanager
def moto_client() -> Iterator[DynamoDBClient]:
    """An empty moto. For one thread only: it admits too much under several."""
    with mock_aws():
        yield dynamodb()


def keys_table(client: DynamoDBClient) -> str:
    """A new table with the keys table's keys, and an audit table beside it."""
    name = _table(client, "pk", "sk")
    _table(client, "pk", "sk", name=audit_of(name))
    return name


def audit_of(table: str) -> str:
    """The audit table that was made beside a keys table."""
    return f"{table}-audit"


def rate_limits_table(client: DynamoDBClient) -> str:
    """A new table with the rate-limits table's key."""
    return _table(client, "pk")


def usage_table(client: DynamoDBClient) -> str:
    """A new table with the usage table's keys."""
    return _table(client, "pk", "sk")


def _table(client: DynamoDBClient, *attributes: str, name: str | None = None) -> str:
    name = name or f"t-{uuid4()}"
    kinds = zip(attributes, ("HASH", "RANGE"), strict=False)
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": "S"} for a in attributes],
        KeySchema=[{"AttributeName": a, "KeyType": k} for a, k in kinds],  # type: ignore[typeddict-item]
    )
    return name


def counting(client: DynamoDBClient) -> Callable[[], int]:
    """How many requests this client has sent so far, counted where they leave it."""
    sent = 0

    def count(**_: object) -> None:
        nonlocal sent
        sent += 1

    client.meta.events.register("before-send.dynamodb", count)
    return lambda: sent
