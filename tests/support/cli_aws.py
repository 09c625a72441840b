"""AWS's control planes as far as the doctor looks at them, with one stack in good order."""

from __future__ import annotations

import json
from typing import Any

from chatgrid_cli.checks.gateway import TYPES

API = "api1234567"


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
        self.authorizers = [
            {
                "id": "a1",
                "name": "CredentialAuthorizer",
                "authorizerResultTtlInSeconds": 0,
                "identitySource": "method.request.header.Authorization",
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
        self.plans = {
            tier: {
                "id": tier,
                "apiStages": [{"apiId": API, "stage": "v1"}],
                "throttle": {"rateLimit": 2000.0, "burstLimit": 4000},
            }
            for tier in ("standard", "web")
        }
        self.keys = {
            tier: {"id": tier, "name": f"tier-{tier}-gate", "value": f"{tier}-v", "enabled": True}
            for tier in ("standard", "web")
        }

    def get_rest_api(self, **_: object) -> dict[str, Any]:
        return {"apiKeySource": self.key_source}

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
            items = [{"path": p, "resourceMethods": m} for p, m in self.resources.items()]
            return Pages({"items": items})
        gateway = self

        class Members:
            def paginate(self, **asked: Any) -> list[dict[str, Any]]:
                strangers = [{"id": "x", "name": "gate of a key"}]
                return [{"items": [*strangers, gateway.keys[asked["usagePlanId"]]]}]

        return Members()


class Lambda:
    """Functions that are ready."""

    def __init__(self) -> None:
        self.state = "Active"

    def get_function_configuration(self, **_: object) -> dict[str, Any]:
        return {"State": self.state, "LastUpdateStatus": "Successful"}


class Alarms:
    """CloudWatch with some alarms."""

    def __init__(self) -> None:
        self.alarms: list[dict[str, Any]] = [
            {"AlarmName": f"gate-{name}", "StateValue": "OK", "AlarmActions": ["topic"]}
            for name in ("5xx-share", "refused-share")
        ]

    def get_paginator(self, _: str) -> Pages:
        return Pages({"MetricAlarms": self.alarms})


class Formation:
    """CloudFormation, which made two alarms and a table."""

    def get_paginator(self, _: str) -> Pages:
        kinds = {"gate-5xx-share": "Alarm", "gate-refused-share": "Alarm"}
        made = [
            {"PhysicalResourceId": name, "ResourceType": f"AWS::CloudWatch::{kind}"}
            for name, kind in kinds.items()
        ]
        table = {"PhysicalResourceId": "gate-table", "ResourceType": "AWS::DynamoDB::Table"}
        return Pages({"StackResourceSummaries": [*made, table]})
