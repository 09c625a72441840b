"""What the operator's command is told of a local stack, in place of CloudFormation and Lambda."""

from __future__ import annotations

from typing import Any

from chatgrid_devkit.template.description import Deployment


def operator_view(deployment: Deployment, *, url: str, aws_endpoint: str) -> dict[str, Any]:
    """The part of stack.json that ``chatgrid --local`` reads besides addresses and access key.

    Args:
        url: the API's, with the stage.
        aws_endpoint: the embedded AWS.
    """
    # The authorizer's HS256 secret lies in the embedded AWS too.
    secrets = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": aws_endpoint}
    tables = {f"{table.logical_id}Name": table.name for table in deployment.tables}
    return {
        "outputs": {**tables, "ApiUrl": url},
        "environments": {
            function.logical_id: {**function.environment, **secrets}
            for function in deployment.functions.values()
        },
    }
