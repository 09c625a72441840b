"""AWS's control planes as far as the doctor looks at them, with one stack in good order."""

from __future__ import annotations

import json
from typing import Any

from chatgrid_cli.checks.gateway import TYPES

API = "api1234567"
FUNCTIONS = ("authorizer", "management", "boards", "leaks", "reconciler", "usage")


class Pages:
    """A paginator that has one page."""

    def __init__(self, page: dict[str, Any]) -> None:
        self._page = page

    def paginate(self, **_: object) -> list[dict[str, Any]]:
        return [self._page]


class Gateway:
    """API Gateway's control plane with one API in good order."""

    def __init__(self) -> None:
        self.key_source = "AUTHORIZER"
        self.compression: int | None = 1024
        self.access_log: dict[str, str] = {"destinationArn": "arn:aws:logs:::log-group:access"}
        self.authorizers = [
            {
                "id": "a1",
                "name": "CredentialAuthorizer",
                "authorizerResultTtlInSeconds": 0,
                "identitySource": "method.request.header.Authorization",
                "authorizerUri": "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
                "arn:aws:lambda:eu-west-1:111122223333:function:authorizer:live/invocations",
            }
        ]
        guarded = {"authorizationType": "CUSTOM", "apiKeyRequired": True}
        open_ = {"authorizationType": "NONE", "apiKeyRequired": False}
        self.resources: dict[str, dict[str, dict[str, Any]]] = {
            "/me": {"GET": dict(guarded), "OPTIONS": dict(open_)},
            "/boards/{id}": {"ANY": dict(guarded)},
            "/dashboard": {"GET": dict(open_)},
        }
        envelope = {"object": "error", "status": 400, "code": "x", "message": "y"}
        self.responses = {name: json.dumps(envelope) for name in TYPES}
        self.plans: dict[str, dict[str, Any]] = {
            tier: {
                "id": tier,
                "apiStages": [{"apiId": API, "stage": "v1"}],
                "throttle": {"rateLimit": 2000.0, "burstLimit": 4000},
            }
            for tier in ("standard", "web", "limited")
        }
        self.keys = {
            tier: {"id": tier, "name": f"tier-{tier}-gate", "value": f"{tier}-v", "enabled": True}
            for tier in ("standard", "web", "limited")
        }

    def get_rest_api(self, **_: object) -> dict[str, Any]:
        size = {} if self.compression is None else {"minimumCompressionSize": self.compression}
        return {"id": API, "apiKeySource": self.key_source, **size}

    def get_stage(self, **asked: Any) -> dict[str, Any]:
        assert asked == {"restApiId": API, "stageName": "v1"}
        return {"accessLogSettings": self.access_log} if self.access_log else {}

    def get_authorizers(self, **_: object) -> dict[str, Any]:
        return {"items": self.authorizers}

    def get_gateway_responses(self, **_: object) -> dict[str, Any]:
        return {
            "items": [
                {"responseType": name, "responseTemplates": {"application/json": text}}
                for name, text in self.responses.items()
            ]
        }

    def get_usage_plan(self, **asked: Any) -> dict[str, Any]:
        return self.plans[asked["usagePlanId"]]

    def get_api_key(self, **asked: Any) -> dict[str, Any]:
        assert asked["includeValue"]
        return self.keys[asked["apiKey"]]

    def get_paginator(self, operation: str) -> Any:
        if operation == "get_resources":
            items = [
                {"id": f"id-of-{path}", "path": path, "resourceMethods": methods}
                for path, methods in self.resources.items()
            ]
            return Pages({"items": items})
        gateway = self

        class Members:
            def paginate(self, **asked: Any) -> list[dict[str, Any]]:
                strangers = [{"id": "x", "name": "gate of a key"}]
                return [{"items": [*strangers, gateway.keys[asked["usagePlanId"]]]}]

        return Members()


class Lambda:
    """Functions that are ready, with versions and an alias each."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.versions = {name: ["1", "2", "3"] for name in FUNCTIONS}
        self.aliases: dict[str, list[dict[str, Any]]] = {
            name: [{"Name": "live", "FunctionVersion": "3"}] for name in FUNCTIONS
        }

    def get_paginator(self, operation: str) -> Any:
        functions = self

        class Answers:
            def paginate(self, **asked: Any) -> list[dict[str, Any]]:
                name = asked["FunctionName"]
                if operation == "list_aliases":
                    return [{"Aliases": functions.aliases[name]}]
                numbers = ["$LATEST", *functions.versions[name]]
                return [{"Versions": [{"Version": number}]} for number in numbers]

        return Answers()

    def delete_function(self, **asked: str) -> None:
        self.versions[asked["FunctionName"]].remove(asked["Qualifier"])

    def get_function_configuration(self, **asked: str) -> dict[str, Any]:
        state = self.states.get(asked["FunctionName"], "Active")
        return {"State": state, "LastUpdateStatus": "Successful"}


class Alarms:
    """CloudWatch with the alarms of two stacks whose names begin alike."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = [
            {
                "AlarmName": f"gate.{name}",
                "StateValue": "OK",
                "AlarmActions": ["topic"],
                "Metrics": [
                    {"Id": "share", "Expression": "errors"},
                    {"Id": "errors", "MetricStat": {"Metric": {"Dimensions": [dimension]}}},
                ],
            }
            for name, dimension in {
                "authorizer-errors": {"Name": "FunctionName", "Value": "authorizer"},
                "refused-share": {"Name": "service", "Value": "anything"},
            }.items()
        ]
        self.stranger = {"AlarmName": "gate-two.5xx-share", "StateValue": "ALARM"}

    def get_paginator(self, _: str) -> Any:
        alarms = self

        class Known:
            def paginate(self, **asked: Any) -> list[dict[str, Any]]:
                known = [*alarms.alarms, alarms.stranger]
                prefix = asked.get("AlarmNamePrefix", "")
                return [{"MetricAlarms": [a for a in known if a["AlarmName"].startswith(prefix)]}]

        return Known()


class Formation:
    """CloudFormation, which made a table and the functions, and an API with routes."""

    def __init__(self) -> None:
        method: dict[str, Any] = {"responses": {}}
        nothing = {"Ref": "AWS::NoValue"}
        self.api: dict[str, Any] = {
            "MinimumCompressionSize": 1024,
            "Body": {
                "paths": {
                    "/me": {"get": method, "options": method},
                    "/boards/{id}": {
                        "Fn::If": ["X", {"x-amazon-apigateway-any-method": method}, nothing]
                    },
                    "/dashboard": {"get": {"Fn::If": ["X", method, nothing]}},
                }
            },
        }
        self.expanded = True

    def get_template(self, **asked: str) -> dict[str, Any]:
        assert asked == {"StackName": "gate", "TemplateStage": "Processed"}
        resource = {"Type": "AWS::ApiGateway::RestApi", "Properties": self.api}
        return {"TemplateBody": {"Resources": {"Api": resource} if self.expanded else {}}}

    def get_paginator(self, _: str) -> Pages:
        table = {"PhysicalResourceId": "gate-table", "ResourceType": "AWS::DynamoDB::Table"}
        functions = [
            {"PhysicalResourceId": name, "ResourceType": "AWS::Lambda::Function"}
            for name in FUNCTIONS
        ]
        return Pages({"StackResourceSummaries": [table, *functions]})
