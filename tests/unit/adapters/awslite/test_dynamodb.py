"""The client is made for one region's DynamoDB, or for the one endpoint that it is given."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.awslite.credentials import Credentials, FixedCredentials
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.domain import errors

CREDENTIALS = FixedCredentials(Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="x"))


def test_without_an_endpoint_the_regions_own_is_asked() -> None:
    client = DynamoDB(errors=errors, region="eu-central-1", credentials=CREDENTIALS)
    assert repr(client) == "<DynamoDB at dynamodb.eu-central-1.amazonaws.com>"


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1/path", "127.0.0.1:1", "ftp://127.0.0.1"])
def test_an_endpoint_that_cannot_be_one_is_refused_at_once(endpoint: str) -> None:
    with pytest.raises(ValueError, match=r"endpoint|URL"):
        DynamoDB(errors=errors, region="eu-central-1", credentials=CREDENTIALS, endpoint=endpoint)
