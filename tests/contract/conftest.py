"""One DynamoDB after the other: what holds must hold in each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.stores import dynamodb, moto_client

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@pytest.fixture(params=["moto", "ministack"])
def client(request: pytest.FixtureRequest) -> Iterator[DynamoDBClient]:
    """A DynamoDB client of each store in turn."""
    if request.param == "moto":
        with moto_client() as moto:
            yield moto
    else:
        ministack: Ministack = request.getfixturevalue("ministack")
        yield dynamodb(ministack.endpoint)
