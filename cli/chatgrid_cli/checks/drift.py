"""The deployed API beside its template: an update merges into it, and may leave or lose things."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack

_LOCAL = "the local gateway is made from template.yaml, which is tested"
_ANY = "x-amazon-apigateway-any-method"
_VERBS = {"get", "put", "post", "delete", "options", "head", "patch"}


def look_at_drift(stack: Stack) -> Iterator[Finding]:
    """Routes that the template no longer has, or that are not deployed; and compression."""
    if stack.local:
        yield skipped("routes", _LOCAL)
        return
    api = _api_of_template(stack)
    if api is None:
        yield skipped("routes", "CloudFormation does not tell how SAM expanded the template")
        return
    yield from _routes(stack, api["Body"]["paths"])
    yield from _compression(stack, api.get("MinimumCompressionSize"))


def look_at_access_log(stack: Stack) -> Iterator[Finding]:
    """Whether the stage writes one: without it, what never reached a function leaves no trace."""
    if stack.local:
        yield skipped("access log", "functions.log in the local stack's folder has every request")
        return
    stage = stack.client("apigateway").get_stage(restApiId=stack.output("ApiId"), stageName="v1")
    if stage.get("accessLogSettings", {}).get("destinationArn"):
        yield ok("access log", "on")
    else:
        yield warn(
            "access log",
            "off: a request that never reaches a function leaves no trace",
            "sam deploy --parameter-overrides AccessLog=existing-role, or =create-role where API"
            " Gateway has never written logs in this account and Region",
        )


def _api_of_template(stack: Stack) -> Mapping[str, Any] | None:
    body = stack.client("cloudformation").get_template(
        StackName=stack.name, TemplateStage="Processed"
    )["TemplateBody"]
    if not isinstance(body, Mapping):
        return None
    for resource in body["Resources"].values():
        if resource["Type"] == "AWS::ApiGateway::RestApi" and "Body" in resource["Properties"]:
            found: Mapping[str, Any] = resource["Properties"]
            return found
    return None


def _routes(stack: Stack, paths: Mapping[str, Any]) -> Iterator[Finding]:
    wanted = dict(_wanted(paths))
    deployed = dict(_deployed(stack))
    left = sorted(set(deployed) - set(wanted))
    lacking = sorted(route for route, always in wanted.items() if always and route not in deployed)
    if left:
        yield fail(
            "routes",
            f"deployed, but not in the template any more: {', '.join(left)}",
            "; ".join([*(deployed[route] for route in left), _deploy_stage(stack)]),
        )
    if lacking:
        yield fail(
            "routes",
            f"in the template, but not deployed: {', '.join(lacking)}",
            "deploy this template again: sam deploy",
        )
    if not left and not lacking:
        yield ok("routes", f"all {len(deployed)} are the template's")


def _wanted(paths: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The template's routes, and whether each is there whatever the parameters are."""
    for path, item in paths.items():
        for methods, path_always in _branches(item):
            for name, method in methods.items():
                verb = "ANY" if name == _ANY else name.upper() if name in _VERBS else None
                for _, always in _branches(method) if verb else ():
                    yield f"{verb} {path}", path_always and always


def _branches(value: Any) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """What a part of the template may be, and whether no condition decides it."""
    if isinstance(value, Mapping) and "Fn::If" in value:
        for branch in value["Fn::If"][1:]:
            yield from ((found, False) for found, _ in _branches(branch))
    elif isinstance(value, Mapping) and value.keys() != {"Ref"}:  # AWS::NoValue
        yield value, True


def _deployed(stack: Stack) -> Iterator[tuple[str, str]]:
    """The API's routes, each with the command that removes it."""
    api = stack.output("ApiId")
    pages = stack.client("apigateway").get_paginator("get_resources")
    for page in pages.paginate(restApiId=api, embed=["methods"]):
        for resource in page["items"]:
            for verb in resource.get("resourceMethods", {}):
                yield (
                    f"{verb} {resource['path']}",
                    f"aws apigateway delete-method --rest-api-id {api}"
                    f" --resource-id {resource['id']} --http-method {verb}",
                )


def _compression(stack: Stack, wanted: object) -> Iterator[Finding]:
    api = stack.output("ApiId")
    found = stack.client("apigateway").get_rest_api(restApiId=api).get("minimumCompressionSize")
    if not isinstance(wanted, int) or found == wanted:
        yield ok("compression", "as in the template")
        return
    yield warn(
        "compression",
        f"off, where the template says from {wanted} bytes"
        if found is None
        else f"from {found} bytes, where the template says {wanted}",
        f"aws apigateway update-rest-api --rest-api-id {api} --patch-operations"
        f" op=replace,path=/minimumCompressionSize,value={wanted}; {_deploy_stage(stack)}",
    )


def _deploy_stage(stack: Stack) -> str:
    api = stack.output("ApiId")
    return f"aws apigateway create-deployment --rest-api-id {api} --stage-name v1"
