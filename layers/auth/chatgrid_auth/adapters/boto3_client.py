"""DynamoDB's client for functions behind the API: it fails while the client still waits."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

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
    client = boto3.client("dynamodb", config=_CONFIG)
    client.meta.events.register("before-parse.dynamodb", refuse_nonsense)
    return client


class MalformedAnswer(BotoCoreError):
    """What came back with status 200 is not from DynamoDB."""

    fmt = "not an answer of DynamoDB"


def refuse_nonsense(response_dict: dict[str, Any], **_: object) -> None:
    """Take no page of a proxy, and nothing empty, for DynamoDB's consent.

    botocore reads a body that is not JSON as an answer without members: a transaction would be
    taken for done, an item for absent.

    Raises:
        MalformedAnswer: the status says success, and the body is no JSON object.
    """
    if response_dict["status_code"] >= 300:
        return
    try:
        answer = json.loads(response_dict["body"])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise MalformedAnswer
