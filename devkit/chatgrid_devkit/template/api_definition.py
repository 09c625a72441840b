"""The REST API of an expanded template: routes, authorizers, gateway responses, preflight."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from chatgrid_devkit.template.description import (
    Api,
    Authorizer,
    GatewayResponse,
    Mock,
    Route,
    Throttle,
)
from chatgrid_devkit.template.expansion import TemplateInvalid

#: The id that the local API has wherever AWS would have given it one.
API_ID = "local0api0"

_ANY = "x-amazon-apigateway-any-method"
_INTEGRATION = "x-amazon-apigateway-integration"
_RESPONSES = "x-amazon-apigateway-gateway-responses"
_METHODS = {"get", "head", "post", "put", "patch", "delete", "options", _ANY}
_FUNCTION_URI = re.compile(r"/functions/(arn:[^/]+)/invocations$")
_IDENTITY_HEADER = "method.request.header."

Resources = Mapping[str, tuple[str, dict[str, Any]]]


def read_api(resources: Resources, *, functions: Mapping[str, str]) -> Api:
    """The template's one REST API.

    Args:
        resources: type and resolved properties of each resource.
        functions: the functions' names by ARN.
    """
    apis = [
        (name, properties)
        for name, (kind, properties) in resources.items()
        if kind == "AWS::ApiGateway::RestApi"
    ]
    if len(apis) != 1:
        raise TemplateInvalid(f"the local gateway runs one REST API, the template has {len(apis)}")
    logical_id, properties = apis[0]
    body = properties.get("Body")
    if not isinstance(body, dict):
        raise TemplateInvalid(f"{logical_id}: its definition is not part of the template")
    stage = _stage(resources)
    return Api(
        id=API_ID,
        logical_id=logical_id,
        stage=stage["StageName"],
        key_source=properties.get("ApiKeySourceType", "HEADER"),
        routes=_routes(body, functions),
        authorizers=_authorizers(body, functions),
        responses={name: _response(value) for name, value in body.get(_RESPONSES, {}).items()},
        binary_media_types=tuple(
            media_type.replace("~1", "/") for media_type in properties.get("BinaryMediaTypes", [])
        ),
        throttle=_stage_throttle(stage),
        minimum_compression_bytes=_whole(properties.get("MinimumCompressionSize")),
    )


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _stage(resources: Resources) -> dict[str, Any]:
    stages = [p for kind, p in resources.values() if kind == "AWS::ApiGateway::Stage"]
    if len(stages) != 1:
        raise TemplateInvalid(f"the local gateway runs one stage, the template has {len(stages)}")
    return stages[0]


def _stage_throttle(stage: Mapping[str, Any]) -> Throttle | None:
    for setting in stage.get("MethodSettings", []):
        everything = setting.get("ResourcePath") == "/*" and setting.get("HttpMethod") == "*"
        if everything and "ThrottlingRateLimit" in setting:
            return Throttle(
                rate_per_second=float(setting["ThrottlingRateLimit"]),
                burst=int(setting.get("ThrottlingBurstLimit", 0)),
            )
    return None


def _routes(body: Mapping[str, Any], functions: Mapping[str, str]) -> tuple[Route, ...]:
    schemes = _schemes(body)
    everywhere = body.get("security", [])
    found = []
    for resource, item in body.get("paths", {}).items():
        if "+}" in resource:
            raise TemplateInvalid(f"{resource}: greedy paths are not run locally")
        for key, operation in item.items():
            if key not in _METHODS:
                continue
            method = "ANY" if key == _ANY else key.upper()
            security = {name for need in operation.get("security", everywhere) for name in need}
            authorizer = next((name for name in security if _is_authorizer(schemes, name)), None)
            integration = operation.get(_INTEGRATION, {})
            mock = integration.get("type", "").lower() == "mock"
            found.append(
                Route(
                    method=method,
                    resource=resource,
                    authorizer=authorizer,
                    key_required="api_key" in security,
                    function=None if mock else _function(integration, functions, resource),
                    mock=_mock(integration) if mock else None,
                )
            )
    return tuple(found)


def _schemes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    schemes = body.get("components", {}).get("securitySchemes") or body.get("securityDefinitions")
    return schemes or {}


def _is_authorizer(schemes: Mapping[str, Any], name: str) -> bool:
    return "x-amazon-apigateway-authorizer" in schemes.get(name, {})


def _function(integration: Mapping[str, Any], functions: Mapping[str, str], owner: str) -> str:
    if integration.get("type", "").lower() != "aws_proxy":
        raise TemplateInvalid(f"{owner}: only Lambda proxy integrations and mocks run locally")
    return _function_of(integration["uri"], functions, owner)


def _function_of(uri: str, functions: Mapping[str, str], owner: str) -> str:
    found = _FUNCTION_URI.search(uri)
    arn = ":".join(found[1].split(":")[:7]) if found else ""
    if arn not in functions:
        raise TemplateInvalid(f"{owner}: {uri} names no function of the template")
    return functions[arn]


def _mock(integration: Mapping[str, Any]) -> Mock:
    response = integration["responses"]["default"]
    prefix = "method.response.header."
    return Mock(
        status=int(response["statusCode"]),
        headers=tuple(
            (name.removeprefix(prefix), str(value).strip("'"))
            for name, value in response.get("responseParameters", {}).items()
            if name.startswith(prefix)
        ),
        body=response.get("responseTemplates", {}).get("application/json", ""),
    )


def _authorizers(body: Mapping[str, Any], functions: Mapping[str, str]) -> dict[str, Authorizer]:
    found = {}
    for name, scheme in _schemes(body).items():
        setting = scheme.get("x-amazon-apigateway-authorizer")
        if setting is None:
            continue
        kind = setting["type"].upper()
        if kind == "TOKEN":
            headers: tuple[str, ...] = (scheme["name"],)
        else:
            sources = [source.strip() for source in setting.get("identitySource", "").split(",")]
            if any(source and not source.startswith(_IDENTITY_HEADER) for source in sources):
                raise TemplateInvalid(f"{name}: identity sources other than headers do not run")
            headers = tuple(s.removeprefix(_IDENTITY_HEADER) for s in sources if s)
        found[name] = Authorizer(
            function=_function_of(setting["authorizerUri"], functions, name),
            kind=kind,
            identity_headers=headers,
            validation=setting.get("identityValidationExpression"),
            ttl_seconds=int(setting.get("authorizerResultTtlInSeconds", 300)),
        )
        if found[name].ttl_seconds:
            raise TemplateInvalid(f"{name}: cached authorizer results are not run (TTL must be 0)")
    return found


def _response(value: Mapping[str, Any]) -> GatewayResponse:
    status = value.get("statusCode")
    templates = value.get("responseTemplates") or {}
    prefix = "gatewayresponse.header."
    return GatewayResponse(
        status=int(status) if status else None,
        headers={
            name.removeprefix(prefix): str(expression)
            for name, expression in (value.get("responseParameters") or {}).items()
            if name.startswith(prefix)
        },
        template=templates.get("application/json", next(iter(templates.values()), None)),
    )
