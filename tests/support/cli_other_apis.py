"""A customer's APIs as API Gateway's control planes tell of them, in good order at first.

What is asked is held against botocore's own model of the service, so that no call is made up.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import botocore.session
from botocore import xform_name

from chatgrid_cli.checks.gateway import TYPES
from tests.support.cli import Operator

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:authorizer:live"
ENVELOPE = json.dumps({"object": "error", "status": 400, "code": "x", "message": "y"})
_URI = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{}/invocations"
_STAGE = "v1"


def uri(function: str = ALIAS) -> str:
    """What an authorizer's setting says of the function that it asks."""
    return _URI.format(function)


@cache
def _parameters(service: str) -> dict[str, set[str]]:
    model = botocore.session.get_session().get_service_model(service)
    inputs = {name: model.operation_model(name).input_shape for name in model.operation_names}
    return {xform_name(name): set(shape.members) for name, shape in inputs.items() if shape}


class NotFoundError(Exception):
    """As botocore's NotFoundException."""


class _ControlPlane:
    """Answers of one service by operation; a paginator has the one page."""

    class exceptions:  # noqa: N801  # botocore's name
        NotFoundException = NotFoundError

    def __init__(self, service: str, answers: dict[str, Any]) -> None:
        self._parameters = _parameters(service)
        self._answers = answers

    def __getattr__(self, operation: str) -> Any:
        def call(**asked: Any) -> Any:
            assert set(asked) <= self._parameters[operation], asked
            return self._answers[operation](**asked)

        return call

    def get_paginator(self, operation: str) -> Any:
        plane = self

        class One:
            def paginate(self, **asked: Any) -> list[Any]:
                return [getattr(plane, operation)(**asked)]

        return One()


class RestApi:
    """A REST API with one guarded route, its preflight, and the tiers' keys in a plan."""

    id = "rest123456"

    def __init__(self, operator: Operator) -> None:
        self.api = {"id": self.id, "apiKeySource": "AUTHORIZER"}
        self.authorizer: dict[str, Any] = {
            "id": "a1",
            "name": "ChatGrid",
            "authorizerUri": uri(),
            "identitySource": "method.request.header.Authorization",
            "authorizerResultTtlInSeconds": 0,
        }
        self.guarded = {
            "authorizationType": "CUSTOM",
            "authorizerId": "a1",
            "apiKeyRequired": True,
        }
        self.open = {"authorizationType": "NONE", "apiKeyRequired": False}
        self.resources: dict[str, dict[str, Any]] = {
            "/": {},
            "/orders": {"GET": self.guarded, "OPTIONS": self.open},
        }
        self.responses = dict.fromkeys(TYPES, ENVELOPE)
        self.stages = [{"apiId": self.id, "stage": _STAGE}]
        self.tiers = {"Standard", "Web", "Limited"}
        self.stages_of_standard: list[dict[str, str]] = []
        operator.outputs |= {f"{tier}TierKeyId": tier for tier in self.tiers}
        operator.outputs |= {"StandardUsagePlanId": "plan-of-gate", "AuthorizerArn": ALIAS}
        operator.management["OWN_GATEWAY_KEYS"] = "false"
        operator.fakes["apigateway"] = _ControlPlane(
            "apigateway",
            {
                "get_rest_api": self._rest_api,
                "get_authorizers": lambda **_: {"items": [self.authorizer]},
                "get_resources": self._resources,
                "get_gateway_responses": self._responses,
                "get_usage_plans": self._plans,
                "get_usage_plan": lambda **_: {"apiStages": self.stages_of_standard},
            },
        )

    def _rest_api(self, restApiId: str) -> Any:  # noqa: N803  # botocore's name
        if restApiId != self.id:
            raise NotFoundError
        return self.api

    def _resources(self, **asked: Any) -> Any:
        assert asked == {"restApiId": self.id, "embed": ["methods"]}
        return {
            "items": [
                {"path": path, **({"resourceMethods": methods} if methods else {})}
                for path, methods in self.resources.items()
            ]
        }

    def _responses(self, **_: Any) -> Any:
        return {
            "items": [
                {"responseType": name, "responseTemplates": {"application/json": text}}
                for name, text in self.responses.items()
            ]
        }

    def _plans(self, **asked: Any) -> Any:
        others = {"apiStages": [{"apiId": "another", "stage": _STAGE}]}
        own = [{"apiStages": self.stages}] if asked["keyId"] in self.tiers else []
        return {"items": [others, {}, *own]}


class HttpApi:
    """An HTTP API with one guarded route."""

    id = "http123456"

    def __init__(self, operator: Operator, *, protocol: str = "HTTP") -> None:
        RestApi(operator)
        self.protocol = protocol
        self.authorizer: dict[str, Any] = {
            "AuthorizerId": "a1",
            "Name": "ChatGrid",
            "AuthorizerUri": uri(),
            "AuthorizerPayloadFormatVersion": "2.0",
            "EnableSimpleResponses": True,
            "IdentitySource": [],
        }
        self.routes: dict[str, dict[str, str]] = {}
        self.route("GET /orders")
        self.integration = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
        self.variables = {"chatgrid": "guarded"}
        operator.fakes["apigatewayv2"] = _ControlPlane(
            "apigatewayv2",
            {
                "get_api": self._api,
                "get_authorizers": lambda **_: {"Items": [self.authorizer]},
                "get_routes": lambda **_: {
                    "Items": [{"RouteKey": key, **about} for key, about in self.routes.items()]
                },
                "get_integrations": lambda **_: {"Items": [self.integration]},
                "get_stages": lambda **_: {
                    "Items": [{"StageName": "$default", "StageVariables": self.variables}]
                },
            },
        )

    def _api(self, ApiId: str) -> Any:  # noqa: N803  # botocore's name
        if ApiId != self.id:
            raise NotFoundError
        return {"ProtocolType": self.protocol}

    def route(self, key: str, kind: str = "CUSTOM") -> None:
        """A route, guarded unless another kind of authorization is named."""
        asked = {"AuthorizerId": "a1"} if kind == "CUSTOM" else {}
        self.routes[key] = {"AuthorizationType": kind, **asked}
