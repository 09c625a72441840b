"""A template of another stack, read together with the running one whose outputs it imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chatgrid_devkit.beside.definition import HttpApi, read_http_api
from chatgrid_devkit.stack.deployment import ACCOUNT, REGION, Reader, api_ids
from chatgrid_devkit.template.api_definition import read_api
from chatgrid_devkit.template.description import Deployment
from chatgrid_devkit.template.expansion import TemplateInvalid, expand
from chatgrid_devkit.template.intrinsics import Resolver

STACK_NAME = "local-other"
#: What stands for the layer with the guard, as the running stack's output tells it.
LAYER_ARN = f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:chatgrid-auth:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another stack: its functions and the running stack's authorizer, and its API of either kind.

    Attributes:
        deployment: with the REST API; with the running stack's where the other has an HTTP API.
        http_api: the HTTP API; ``None`` where it is a REST API.
    """

    deployment: Deployment
    http_api: HttpApi | None


def read_beside(template: Path, main: Deployment, *, parameters: Mapping[str, str]) -> Beside:
    """The other stack.

    Args:
        template: the other stack's template.
        main: the running stack.
        parameters: values for the other's parameters.

    Raises:
        TemplateInvalid: it cannot be expanded, or has something that cannot run locally.
    """
    values = {"AuthLayerArn": LAYER_ARN, **parameters}
    expanded = expand(template, parameters=values, region=REGION)
    resolver = Resolver(
        expanded,
        parameters=values,
        physical_ids=api_ids(expanded),
        stack=STACK_NAME,
        region=REGION,
        account=ACCOUNT,
        exports=main.exports,
    )
    layer = main.root / "layers" / "auth"
    reader = Reader(expanded, resolver, template.parent.resolve(), layers={LAYER_ARN: layer})
    own = reader.functions()
    functions = {**main.functions, **own}
    by_arn = {function.arn: function.name for function in functions.values()}
    http_api = read_http_api(reader.resources, functions=by_arn)
    api = main.api if http_api else read_api(reader.resources, functions=by_arn)
    plans = reader.plans(api.id, api.stage)
    called = {authorizer.function for authorizer in (http_api or api).authorizers.values()}
    missing = called - functions.keys()
    if missing:
        raise TemplateInvalid(f"its authorizer is of neither template: {', '.join(missing)}")
    kept = {n: f for n, f in functions.items() if n in own or n in called}
    return Beside(
        deployment=dataclasses.replace(
            main,
            name=STACK_NAME,
            api=api,
            functions=kept,
            plans=plans,
            keys=reader.keys(plans, given=main.keys),
            tables=reader.tables(),
            schedules=(),
            root=template.parent.resolve(),
        ),
        http_api=http_api,
    )
