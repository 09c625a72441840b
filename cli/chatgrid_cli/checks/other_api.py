"""An API of another stack: that nothing of it is reached but through this stack's authorizer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chatgrid_cli.checks import gateway
from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.keys.issuing import own_gateway_keys
from chatgrid_cli.stacks import Stack

_EXAMPLE = "as in examples/other-stack/template.yaml"
_HTTP_EXAMPLE = "as in examples/http-api/template.yaml"
_TIERS = ("Standard", "Web", "Limited")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Route:
    """A route, whatever the kind of its API.

    Attributes:
        name: method and path, as in ``GET /orders``.
        key_required: whether the API asks for a usage plan's key; ``None`` where it has no plans.
    """

    name: str
    authorizer: str | None
    key_required: bool | None = None


def look_at_api(stack: Stack, api: str, *, public: Collection[str]) -> Iterator[Finding]:
    """A REST API or an HTTP API of the account.

    Args:
        api: its id.
        public: routes that are to be open to everybody, as in ``GET /health``.
    """
    if stack.local:
        yield skipped("API", "the local gateway has no control plane: name a deployed stack")
        return
    rest = _found(stack.client("apigateway"), "get_rest_api", restApiId=api)
    http = None if rest else _found(stack.client("apigatewayv2"), "get_api", ApiId=api)
    if rest is not None:
        yield from _rest_api(stack, rest, public)
    elif http is not None and http["ProtocolType"] == "HTTP":
        yield from _http_api(stack, api, public)
    elif http is not None:
        yield fail("API", f"{api} is no REST API and no HTTP API", "the authorizer serves no other")
    else:
        yield fail("API", f"there is no API {api} here", "look at --region and --profile")


def _found(client: Any, operation: str, **asked: str) -> Mapping[str, Any] | None:
    try:
        found: Mapping[str, Any] = getattr(client, operation)(**asked)
    except client.exceptions.NotFoundException:
        return None
    return found


def _rest_api(stack: Stack, api: Mapping[str, Any], public: Collection[str]) -> Iterator[Finding]:
    client = stack.client("apigateway")
    yield gateway.key_source(api, stage="STAGE")
    authorizers = client.get_authorizers(restApiId=api["id"], limit=500)["items"]
    ours = {a["id"]: a for a in authorizers if _asks(stack, a.get("authorizerUri", ""))}
    yield from _whether_any(ours, [a.get("authorizerUri", "") for a in authorizers], stack)
    for authorizer in ours.values():
        yield from gateway.look_at_memory(authorizer, advice=f"ReauthorizeEvery: 0, {_EXAMPLE}")
    pages = client.get_paginator("get_resources").paginate(restApiId=api["id"], embed=["methods"])
    routes = [
        _Route(
            name=f"{verb} {resource['path']}",
            authorizer=_asked_by(method.get("authorizationType"), method.get("authorizerId")),
            key_required=bool(method.get("apiKeyRequired")),
        )
        for page in pages
        for resource in page["items"]
        for verb, method in resource.get("resourceMethods", {}).items()
    ]
    yield from _routes(routes, ours, public)
    yield gateway.responses(client, api["id"], advice=f"set GatewayResponses, {_EXAMPLE}")
    yield from _plans(stack, client, api["id"])


def _http_api(stack: Stack, api: str, public: Collection[str]) -> Iterator[Finding]:
    client = stack.client("apigatewayv2")
    authorizers = _all(client, "get_authorizers", api)
    ours = {a["AuthorizerId"]: a for a in authorizers if _asks(stack, a.get("AuthorizerUri", ""))}
    yield from _whether_any(ours, [a.get("AuthorizerUri", "") for a in authorizers], stack)
    for authorizer in ours.values():
        yield from _payload(authorizer)
    found = _all(client, "get_routes", api)
    routes = [
        _Route(
            name=route["RouteKey"],
            authorizer=_asked_by(route.get("AuthorizationType"), route.get("AuthorizerId")),
        )
        for route in found
    ]
    yield from _routes(routes, ours, public)
    if "$default" in {route.name for route in routes}:
        yield warn(
            "default route",
            "$default declares no path, so the guard refuses whatever comes by it",
            "name each path and method",
        )
    yield from _integrations(client, api)
    for stage in _all(client, "get_stages", api):
        yield _stage(stage)


def _all(client: Any, operation: str, api: str) -> list[dict[str, Any]]:
    pages = client.get_paginator(operation).paginate(ApiId=api)
    return [item for page in pages for item in page["Items"]]


def _asked_by(kind: str | None, authorizer: str | None) -> str | None:
    """The authorizer of a route, or what it asks instead; ``None`` for nothing at all."""
    return authorizer or (None if kind in {None, "NONE"} else kind)


def _asks(stack: Stack, uri: str) -> bool:
    return f"/functions/{stack.output('AuthorizerArn')}/invocations" in uri


def _whether_any(ours: Collection[str], uris: list[str], stack: Stack) -> Iterator[Finding]:
    alias = stack.output("AuthorizerArn")
    function = alias.rpartition(":")[0]
    if ours:
        yield ok("authorizer", f"{alias} is asked")
    elif any(f"/functions/{function}{end}" in uri for uri in uris for end in ":/"):
        yield fail(
            "authorizer",
            "its function is asked, but not by its alias: a release meets clients half done",
            f"name {alias}",
        )
    else:
        yield fail("authorizer", f"no authorizer of it asks {alias}", f"give it one, {_EXAMPLE}")


def _routes(
    routes: list[_Route], ours: Collection[str], public: Collection[str]
) -> Iterator[Finding]:
    """That each route asks the authorizer, and for a gateway key where there are plans."""
    looked_at = [r for r in routes if not r.name.startswith("OPTIONS ") and r.name not in public]
    nobody = [r.name for r in looked_at if r.authorizer is None]
    others = [r.name for r in looked_at if r.authorizer is not None and r.authorizer not in ours]
    keyless = [r.name for r in looked_at if r.authorizer in ours and r.key_required is False]
    if nobody:
        advice = "give them the authorizer, or name each with --open if that is meant"
        yield fail("methods", f"open to everybody: {', '.join(sorted(nobody))}", advice)
    if others:
        yield fail(
            "methods",
            f"ask something else: {', '.join(sorted(others))}",
            "give them the authorizer, or name each with --open if that is meant",
        )
    if keyless:
        yield fail(
            "methods",
            f"without apiKeyRequired, a missing scope gets through: {', '.join(sorted(keyless))}",
            "give them ApiKeyRequired: true",
        )
    unknown = sorted(set(public) - {route.name for route in routes})
    if unknown:
        yield warn("methods", f"not there: {', '.join(unknown)}", "say --open of routes it has")
    if not looked_at:
        yield fail("methods", "the API has none to protect", "is it the API that you meant?")
    elif not (nobody or others or keyless):
        yield ok("methods", f"all {len(looked_at)} ask the authorizer")


def _payload(authorizer: Mapping[str, Any]) -> Iterator[Finding]:
    """The format of an HTTP API's authorizer, and that nothing is remembered."""
    name = authorizer.get("Name", authorizer["AuthorizerId"])
    version = authorizer.get("AuthorizerPayloadFormatVersion")
    if version == "2.0" and authorizer.get("EnableSimpleResponses"):
        yield ok("payload format", f"{name}: 2.0, simple responses")
    elif version == "2.0":
        yield fail(
            "payload format",
            f"{name}: 2.0 without simple responses: API Gateway cannot read what it is told",
            f"EnableSimpleResponses: true, {_HTTP_EXAMPLE}",
        )
    else:
        yield warn(
            "payload format",
            f"{name}: {version}: what lacks a scope, or is over its limit, reaches the functions",
            f"payload 2.0 with simple responses, {_HTTP_EXAMPLE}; or a guard in each function",
        )
    sources = authorizer.get("IdentitySource") or []
    seconds = authorizer.get("AuthorizerResultTtlInSeconds", 0)
    if seconds:
        yield fail(
            "authorizer cache",
            f"{name} is remembered for {seconds} s: revoked keys live on, limits do not count",
            f"ReauthorizeEvery: 0, {_HTTP_EXAMPLE}",
        )
    else:
        yield ok("authorizer cache", f"{name} is asked for every request")
    if sources:
        yield warn(
            "authorizer identity",
            f"{name} is asked only with {', '.join(sources)}: without, API Gateway responds in its"
            " own words",
            f"no identity source, {_HTTP_EXAMPLE}",
        )


def _integrations(client: Any, api: str) -> Iterator[Finding]:
    formats = {
        integration.get("PayloadFormatVersion", "1.0")
        for integration in _all(client, "get_integrations", api)
        if integration.get("IntegrationType") == "AWS_PROXY"
    }
    if formats - {"2.0"}:
        yield warn(
            "integrations",
            f"functions are sent payload format {', '.join(sorted(formats))}: the guards were"
            " tried behind HTTP APIs with 2.0",
            f"PayloadFormatVersion 2.0, {_HTTP_EXAMPLE}",
        )
    elif formats:
        yield ok("integrations", "functions are sent payload format 2.0")


def _stage(stage: Mapping[str, Any]) -> Finding:
    name = stage["StageName"]
    if stage.get("StageVariables", {}).get("chatgrid") == "guarded":
        return ok("guards", f"{name} says that every function has one: each refusal reaches them")
    return warn(
        "guards",
        f"{name} does not say that every function has one: refusals are API Gateway's own 403",
        "set the stage variable chatgrid to guarded once each function has a guard",
    )


def _plans(stack: Stack, client: Any, api: str) -> Iterator[Finding]:
    """That the gateway keys which the authorizer names are in usage plans of the API."""
    missing = [
        tier
        for tier in _TIERS
        if not _covers(
            client.get_usage_plans(keyId=stack.output(f"{tier}TierKeyId"), limit=500)["items"], api
        )
    ]
    if missing:
        tiers = " and ".join(tier.lower() for tier in missing)
        yield fail(
            "usage plans",
            f"no plan of this API has the {tiers} tier's gateway key: its callers get 403"
            " `Usage plan unavailable`",
            f"put it into one, {_EXAMPLE}",
        )
    else:
        yield ok("usage plans", "each tier's gateway key is in a plan of this API")
    plan = client.get_usage_plan(usagePlanId=stack.output("StandardUsagePlanId"))
    if own_gateway_keys(stack) and not _covers([plan], api):
        yield fail(
            "own gateway keys",
            "keys get gateway keys of their own, in the standard plan of the stack alone, which"
            " this API is not in: they get 403 `Usage plan unavailable`",
            "set OwnGatewayKeys to false, or add its stage to that plan (docs/other-apis.md)",
        )


def _covers(plans: list[dict[str, Any]], api: str) -> bool:
    return any(stage.get("apiId") == api for plan in plans for stage in plan.get("apiStages", []))
