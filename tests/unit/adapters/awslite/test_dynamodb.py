"""The client is made for one region's DynamoDB, or for the one endpoint that it is given."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB, endpoint_of

CREDENTIALS = FixedCredentials(Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="x"))


@pytest.mark.parametrize(
    ("region", "endpoint"),
    [
        ("eu-central-1", "https://dynamodb.eu-central-1.amazonaws.com"),
        ("us-gov-west-1", "https://dynamodb.us-gov-west-1.amazonaws.com"),
        ("cn-north-1", "https://dynamodb.cn-north-1.amazonaws.com.cn"),
    ],
)
def test_each_region_has_its_endpoint(region: str, endpoint: str) -> None:
    assert endpoint_of(region) == endpoint
    assert repr(DynamoDB(region=region, credentials=CREDENTIALS)) == f"<DynamoDB at {endpoint[8:]}>"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/path", "127.0.0.1:1", "ftp://127.0.0.1"])
def test_an_endpoint_that_cannot_be_one_is_refused_at_once(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint|URL"):
        DynamoDB(region="eu-central-1", credentials=CREDENTIALS, endpoint=endpoint)
