"""A stack.json as ``make dev`` writes it, for a stack whose gateway does not run."""

from __future__ import annotations

import json
from pathlib import Path

from chatgrid_devkit.stack.aws_access import AwsAccess
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.operator_view import operator_view
from chatgrid_devkit.stack.system import TEMPLATE


def write_stack_file(state: Path, aws: AwsAccess, **parameters: str) -> None:
    """Tell ``chatgrid --local`` of the template's tables in an embedded AWS."""
    url = "http://127.0.0.1:9/v1"
    described = {
        "url": url,
        "dynamodb_endpoint": aws.endpoint,
        "access_key": aws.access_key,
        "parameters": parameters,
        **operator_view(
            read_deployment(TEMPLATE, parameters=parameters), url=url, aws_endpoint=aws.endpoint
        ),
    }
    (state / "stack.json").write_text(json.dumps(described), encoding="utf-8")
