"""The HTTP API of an expanded template: routes, authorizers, stage variables, CORS."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chatgrid_devkit.template.api_definition import Resources
from chatgrid_devkit.template.description import Authorizer, Route
from chatgrid_devkit.template.expansion import TemplateInvalid

API_ID = "local0http"

_FUNCTION_URI = re.compile(r"/functions/(arn:[^/]+)/invocations$")
_IDENTITY_HEADER = "$request.header."
_METHODS = {"get", "head", "post", "put", "patch", "delete", "options"}
_ANY = "x-amazon-apigateway-any-method"


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpApi:
    """An HTTP API with its one stage; a route's `resource` may be `$default`."""

    id: str
    stage: str
    routes: Sequence[Route]
    authorizers: Mapping[str, Authorizer]
    stage_variables: Mapping[str, str]
    allow_origins: Sequence[str] = ()
    allow_headers: Sequence[str] = ()
    allow_methods: Sequence[str] = ()
    expose_headers: Sequence[str] = ()


def read_http_api(resources: Resources, *, functions: Mapping[str, str]) -> HttpApi | None:
    """The template's one HTTP API; ``None`` where it has none.

    Args:
        resources: type and resolved properties of each resource.
        functions: the functions' names by ARN.

    Raises:
        TemplateInvalid: it has something that does not run here.
    """
    apis = [p for kind, p in resources.values() if kind == "AWS::ApiGatewayV2::Api"]
    if not apis:
        return None
    if len(apis) > 1 or not isinstance(apis[0].get("Body"), dict):
        raise TemplateInvalid("one HTTP API runs here, with its definition in the template")
    body = apis[0]["Body"]
    stage = next(p for kind, p in resources.values() if kind == "AWS::ApiGatewayV2::Stage")
    cors = body.get("x-amazon-apigateway-cors", {})

    def named(uri: str, owner: str) -> str:
        found = _FUNCTION_URI.search(uri)
        arn = ":".join(found[1].split(":")[:7]) if found else ""
        if arn not in functions:
            raise TemplateInvalid(f"{owner}: {uri} names no function of either template")
        return functions[arn]

    return HttpApi(
        id=API_ID,
        stage=stage["StageName"],
        routes=tuple(_routes(body, named)),
        authorizers=_authorizers(body, named),
        stage_variables=stage.get("StageVariables", {}),
        allow_origins=cors.get("allowOrigins", ()),
        allow_headers=cors.get("allowHeaders", ()),
        allow_methods=cors.get("allowMethods", ()),
        expose_headers=cors.get("exposeHeaders", ()),
    )


def _routes(body: Mapping[str, Any], named: Callable[[str, str], str]) -> list[Route]:
    found = []
    for resource, item in body.get("paths", {}).items():
        if "+}" in resource:
            raise TemplateInvalid(f"{resource}: greedy paths are not run locally")
        for key, operation in item.items():
            if key not in _METHODS | {_ANY}:
                continue
            integration = operation["x-amazon-apigateway-integration"]
            if str(integration.get("payloadFormatVersion")) != "2.0":
                raise TemplateInvalid(f"{resource}: only payload format 2.0 runs here")
            security = [name for need in operation.get("security", []) for name in need]
            found.append(
                Route(
                    method="ANY" if key == _ANY else key.upper(),
                    resource=resource.removeprefix("/") if "$default" in resource else resource,
                    authorizer=next(iter(security), None),
                    key_required=False,
                    function=named(integration["uri"], resource),
                )
            )
    return found


def _authorizers(
    body: Mapping[str, Any], named: Callable[[str, str], str]
) -> dict[str, Authorizer]:
    found = {}
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        setting = scheme["x-amazon-apigateway-authorizer"]
        version = str(setting.get("authorizerPayloadFormatVersion"))
        if version != "2.0" or setting.get("enableSimpleResponses") is not True:
            raise TemplateInvalid(f"{name}: only payload 2.0 with simple responses runs here")
        if int(setting.get("authorizerResultTtlInSeconds", 0)):
            raise TemplateInvalid(f"{name}: cached results are not run (ReauthorizeEvery: 0)")
        sources = setting.get("identitySource") or []
        sources = [sources] if isinstance(sources, str) else sources
        found[name] = Authorizer(
            function=named(setting["authorizerUri"], name),
            kind="REQUEST",
            identity_headers=tuple(s.removeprefix(_IDENTITY_HEADER) for s in sources),
            validation=None,
            ttl_seconds=0,
        )
    return found
