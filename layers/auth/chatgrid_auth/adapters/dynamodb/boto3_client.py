"""What every client of boto3's in a function is made to keep to."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError

if TYPE_CHECKING:
    from botocore.client import BaseClient

Client = TypeVar("Client", bound="BaseClient")


class MalformedResponse(BotoCoreError):
    """What came back with a status of success is not from AWS."""

    fmt = "not an answer of AWS"


def rejecting_non_json(client: Client) -> Client:
    """The client, made to refuse what only looks like an answer, and to log no request."""
    # At DEBUG it logs every request with its headers, the function's session token included.
    logging.getLogger("botocore").setLevel(logging.WARNING)
    client.meta.events.register("before-parse", _refuse_nonsense)
    return client


def _refuse_nonsense(operation_model: Any, response_dict: dict[str, Any], **_: object) -> None:
    """Take no page of a proxy, and nothing empty, for AWS's consent.

    botocore reads a body that is not JSON as an answer without members: a transaction would be
    taken for done, an item for absent, a list for empty.

    Raises:
        MalformedResponse: the status says success, and the body is no JSON object where there is
            one to give.
    """
    shape = operation_model.output_shape
    if response_dict["status_code"] >= 300 or shape is None or not shape.members:
        return
    try:
        response = json.loads(response_dict["body"])
    except ValueError:
        response = None
    if not isinstance(response, dict):
        raise MalformedResponse
