"""One DynamoDB after the other: what holds must hold in each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.support.tables.in_process import in_process_dynamodb
from tests.support.tables.stores import moto_client

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture(params=["moto", "ministack"])
def client(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    """A DynamoDB client of each store in turn."""
    with moto_client() if request.param == "moto" else in_process_dynamodb() as running:
        yield running
