"""The settings of a local stack's functions: the template's, as ``make dev`` fills it in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.provision import JWT_SECRET_NAME
from chatgrid_devkit.stack.system import TEMPLATE


def local_environment(
    function: str,
    *,
    url: str,
    parameters: Mapping[str, str],
    client: Callable[[str], Any],
    endpoint: str,
) -> Mapping[str, str]:
    """The variables of one of the functions, by its logical id.

    Args:
        parameters: those that the stack was started with.
    """
    try:
        described = client("secretsmanager").describe_secret(SecretId=JWT_SECRET_NAME)
        secret_arn: str = described["ARN"]
    except ClientError:
        secret_arn = ""
    deployment = read_deployment(
        TEMPLATE,
        parameters={
            "SupabaseUrl": url.rsplit("/", 1)[0],
            "JwtAlgorithms": "ES256,RS256,EdDSA,HS256",
            "JwtSecretArn": secret_arn,
            **parameters,
        },
    )
    (found,) = (f for f in deployment.functions.values() if f.logical_id == function)
    return {**found.environment, "AWS_ENDPOINT_URL_SECRETS_MANAGER": endpoint}
