"""DynamoDB's client for functions behind the API: it fails while the client still waits."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

#: Three tries of at most four seconds stay well below API Gateway's 29 seconds.
_CONFIG = Config(
    connect_timeout=1,
    read_timeout=3,
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)


def dynamodb() -> DynamoDBClient:
    """The low-level client; region, endpoint and credentials come from Lambda."""
    # At DEBUG it logs every request with its headers, the function's session token included.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    return boto3.client("dynamodb", config=_CONFIG)
