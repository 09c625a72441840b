"""A DynamoDB in the test's own process: the embedded AWS's code, without a server around it.

For searches of thousands of requests by one thread: each takes a quarter of what moto takes, and
no socket. What it finds out about the text of an expression it finds out once.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from tests.support.aws import VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.awsrequest import AWSPreparedRequest
    from types_boto3_dynamodb import DynamoDBClient


#: For what sends our own requests by the hundred, to see what comes of their order or number: this
#: store alone. What each request does in either store, the tests beside it say.
in_this_store = pytest.mark.parametrize("client", ["ministack"], indirect=True)


@cache
def _dynamodb() -> Any:
    # Loaded where it is asked for: it starts a thread, which looks for what has expired.
    from ministack.services import dynamodb  # noqa: PLC0415

    for name in ("_tokenize", "_condition_syntax_error"):  # pure, and most of its time
        setattr(dynamodb, name, lru_cache(getattr(dynamodb, name)))
    return dynamodb


class _Body(io.BytesIO):
    def stream(self, **_: object) -> Iterator[bytes]:
        yield self.read()


def _answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
    target = request.headers["X-Amz-Target"]
    asked = {"x-amz-target": target.decode() if isinstance(target, bytes) else target}
    running = _dynamodb().handle_request("POST", "/", asked, request.body, {})
    try:
        running.send(None)
    except StopIteration as done:  # it waits for nothing
        status, headers, body = done.value
    else:
        raise AssertionError("the embedded DynamoDB waits for something")
    raw: Any = _Body(body if isinstance(body, bytes) else body.encode())
    return AWSResponse(request.url, status, headers, raw)


@contextmanager
def in_process_dynamodb() -> Iterator[DynamoDBClient]:
    """A client of it; the tables that were made with it are gone in the end."""
    client: DynamoDBClient = boto3.client(
        "dynamodb",
        region_name=VARIABLES["AWS_REGION"],
        aws_access_key_id=VARIABLES["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=VARIABLES["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version=UNSIGNED),
    )
    answer: Any = _answer
    client.meta.events.register("before-send.dynamodb", answer)
    before = set(client.list_tables()["TableNames"])
    try:
        yield client
    finally:
        for name in client.list_tables()["TableNames"]:
            if name not in before:
                client.delete_table(TableName=name)
        client.close()
