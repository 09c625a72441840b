"""DynamoDB through boto3, errors translated: for the command, and for customers' functions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from chatgrid_auth.adapters.awslite.dynamodb_responses import THROTTLED
from chatgrid_auth.domain.errors import (
    Cancelled,
    ConditionFailed,
    StoreThrottled,
    StoreUnavailable,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def fault_of(operation: str, error: ClientError | BotoCoreError) -> StoreUnavailable:
    """The fault that an error of boto3 stands for; texts of AWS's are left behind."""
    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "Unknown")
        kind = StoreThrottled if code in THROTTLED else StoreUnavailable
        return kind(operation, code)
    return StoreUnavailable(operation, type(error).__name__)


class Boto3Transport:
    """Calls of DynamoDB in its own JSON, by boto3's client.

    Args:
        client: boto3's low-level DynamoDB client, time-outs and retries set.
    """

    def __init__(self, client: DynamoDBClient) -> None:
        self.client = client

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        """Ask DynamoDB.

        Args:
            operation: for instance ``UpdateItem``.
            payload: the request in DynamoDB JSON.

        Raises:
            ConditionFailed: the condition of a write did not hold.
            Cancelled: a transaction was refused.
            StoreUnavailable: any fault.
        """
        try:
            response = getattr(self.client, xform_name(operation))(**payload)
        except self.client.exceptions.ConditionalCheckFailedException as refused:
            raise ConditionFailed(cast("Any", refused.response.get("Item"))) from None
        except self.client.exceptions.TransactionCanceledException as refused:
            reasons = refused.response.get("CancellationReasons", [])
            raise Cancelled([str(reason.get("Code")) for reason in reasons]) from None
        except (ClientError, BotoCoreError) as error:
            raise fault_of(operation, error) from None
        return cast("dict[str, Any]", response)

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        """As ``call``, for a request that is JSON already."""
        return self.call(operation, json.loads(body))
