"""What the embedded AWS leaves out when it imports an API's definition, put in afterwards.

It takes no gateway responses and no ``ANY`` methods from the definition, though it serves both when
they are made one by one. Nothing is added that the definition does not hold.
"""

from __future__ import annotations

from typing import Any

ANY = "x-amazon-apigateway-any-method"
RESPONSES = "x-amazon-apigateway-gateway-responses"


def fill(gateway: Any, api_id: str, definition: dict[str, Any]) -> None:
    """Give the deployed API what the import left out, and deploy it to its stage again."""
    for kind, response in definition[RESPONSES].items():
        status = {"statusCode": str(response["statusCode"])} if "statusCode" in response else {}
        gateway.put_gateway_response(
            restApiId=api_id,
            responseType=kind,
            responseParameters=response["responseParameters"],
            responseTemplates=response["responseTemplates"],
            **status,
        )
    for resource in gateway.get_resources(restApiId=api_id, embed=["methods"])["items"]:
        if ANY in definition["paths"].get(resource["path"], {}):
            _serve_any(gateway, api_id, resource)
    gateway.create_deployment(restApiId=api_id, stageName="v1")


def _serve_any(gateway: Any, api_id: str, resource: dict[str, Any]) -> None:
    """ANY is the same function behind the same gate as what the route declares; the template's own
    tests hold that."""
    name, declared = next(
        (name, method) for name, method in resource["resourceMethods"].items() if name != "OPTIONS"
    )
    where = {"restApiId": api_id, "resourceId": resource["id"], "httpMethod": "ANY"}
    authorizer = {"authorizerId": declared["authorizerId"]} if declared.get("authorizerId") else {}
    gateway.put_method(
        **where,
        **authorizer,
        authorizationType=declared["authorizationType"],
        apiKeyRequired=declared["apiKeyRequired"],
    )
    integration = gateway.get_integration(**{**where, "httpMethod": name})
    gateway.put_integration(
        **where, type="AWS_PROXY", integrationHttpMethod="POST", uri=integration["uri"]
    )
