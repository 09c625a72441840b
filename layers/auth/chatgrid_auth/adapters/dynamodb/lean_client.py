"""DynamoDB by the lean client, for functions behind the API: it fails while they are waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatgrid_auth import settings
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.awslite.dynamodb_responses import RetryPolicy
from chatgrid_auth.domain import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

#: A second try at most where it is unknown whether a write took effect: a third could make it
#: three times; and each adds to the load of a store that is too busy. Two tries of at most four
#: seconds stay well below API Gateway's 29 seconds.
PATIENCE = RetryPolicy(connect=1.0, reply=3.0, budget=8.0, attempts=3)
#: A batch of a hundred items has 16 MB at most, and base 64 makes more of it.
_BODY_LIMIT_BYTES = 32 * 1024 * 1024


def dynamodb(environ: Mapping[str, str]) -> DynamoDB:
    """The client; region, endpoint and credentials come from Lambda and the template.

    Raises:
        SettingError: there is no region.
        CredentialsUnavailable: there are no credentials.
    """
    client = DynamoDB(
        region=settings.text(environ, "AWS_REGION"),
        credentials=credentials_from(environ),
        errors=errors,
        endpoint=environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
        retry_policy=PATIENCE,
        body_limit_bytes=_BODY_LIMIT_BYTES,
    )
    if environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        # Connection and clock are the snapshot's. Credentials end by the time, and what is random
        # comes from the kernel each time.
        from snapshot_restore_py import register_after_restore  # noqa: PLC0415 - Lambda's own

        register_after_restore(client.reset)
    return client
