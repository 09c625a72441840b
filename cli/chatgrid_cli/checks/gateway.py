"""The API: nobody reaches a function without the authorizer, and every error has one shape."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chatgrid_cli.checks.findings import Finding, fail, ok, skipped, warn
from chatgrid_cli.stacks import Stack

_LOCAL = "the local gateway is made from template.yaml, which is tested"
_REDEPLOY = "somebody changed the API by hand: sam deploy again"
#: The dashboard's own files hold nothing of anybody's, and anybody may report a leak.
_PUBLIC = ("/dashboard", "/dashboard/{asset}", "/reference", "/leaks", "/leaks/github")
#: Every type that a client of this API can meet.
TYPES = (
    *("UNAUTHORIZED", "ACCESS_DENIED", "INVALID_API_KEY", "THROTTLED", "QUOTA_EXCEEDED"),
    *("AUTHORIZER_FAILURE", "AUTHORIZER_CONFIGURATION_ERROR", "MISSING_AUTHENTICATION_TOKEN"),
    *("RESOURCE_NOT_FOUND", "REQUEST_TOO_LARGE", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED"),
    *("INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "DEFAULT_4XX", "DEFAULT_5XX"),
)
_ENVELOPE = {"object", "status", "code", "message"}


def look_at_authorizer(stack: Stack) -> Iterator[Finding]:
    """Where keys come from, and that no answer of the authorizer is remembered."""
    if stack.local:
        yield skipped("authorizer", _LOCAL)
        return
    client, api = stack.client("apigateway"), stack.output("ApiId")
    found = client.get_rest_api(restApiId=api)
    yield key_source(found, stage="v1")
    authorizers = client.get_authorizers(restApiId=api)["items"]
    if not authorizers:
        yield fail("authorizer", "there is none: whoever calls reaches the functions", _REDEPLOY)
    for authorizer in authorizers:
        yield from look_at_memory(authorizer, advice=_REDEPLOY)
    yield from _aliases(stack, authorizers)


def key_source(api: Mapping[str, Any], *, stage: str) -> Finding:
    """Whether a REST API takes usage-plan keys from the authorizer alone.

    Args:
        api: as GetRestApi tells of it.
        stage: the stage, for the command that mends it.
    """
    source = api.get("apiKeySource", "HEADER")
    if source == "AUTHORIZER":
        return ok("key source", "the authorizer names the usage-plan key")
    return fail(
        "key source",
        f"it is {source}: usage plans go by what clients send, and good keys may get 403",
        f"aws apigateway update-rest-api --rest-api-id {api['id']} --patch-operations"
        " op=replace,path=/apiKeySource,value=AUTHORIZER; aws apigateway create-deployment"
        f" --rest-api-id {api['id']} --stage-name {stage}",
    )


def _aliases(stack: Stack, authorizers: list[dict[str, Any]]) -> Iterator[Finding]:
    """Whether an alias, where the function has one, is what API Gateway asks."""
    function = stack.output("AuthorizerFunctionName")
    known = {
        alias["Name"]
        for page in stack.client("lambda")
        .get_paginator("list_aliases")
        .paginate(FunctionName=function)
        for alias in page["Aliases"]
    }
    for authorizer in authorizers if known else ():
        # …/functions/arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS/invocations
        asked = authorizer.get("authorizerUri", "").removesuffix("/invocations").split(":")[-1]
        if asked in known:
            yield ok("authorizer alias", f"{asked} of {function} is asked")
        else:
            yield fail(
                "authorizer alias",
                f"the alias {' or '.join(sorted(known))} of {function} is not what is asked:"
                " a release meets clients half done, and a rollback does nothing",
                _REDEPLOY,
            )


def look_at_memory(authorizer: Mapping[str, Any], *, advice: str) -> Iterator[Finding]:
    """Whether a REST API asks its authorizer for every request that has a credential."""
    name = authorizer.get("name", authorizer["id"])
    seconds = authorizer.get("authorizerResultTtlInSeconds", 300)
    if seconds == 0:
        yield ok("authorizer cache", f"{name} is asked for every request")
    else:
        yield fail(
            "authorizer cache",
            f"{name} is remembered for {seconds} s: revoked keys live on, limits do not count",
            advice,
        )
    source = authorizer.get("identitySource", "")
    if source != "method.request.header.Authorization":
        yield warn("authorizer identity", f"{name} is asked by {source or 'nothing'}", advice)


def look_at_methods(stack: Stack) -> Iterator[Finding]:
    """That each method asks the authorizer and for a gateway key."""
    if stack.local:
        yield skipped("methods", _LOCAL)
        return
    open_methods, keyless, count = _unguarded(stack)
    if open_methods:
        yield fail(
            "methods", f"open to everybody: {', '.join(open_methods)}", "give them the authorizer"
        )
    if keyless:
        yield fail(
            "methods",
            f"without apiKeyRequired, a missing scope gets through: {', '.join(keyless)}",
            "give them ApiKeyRequired: true",
        )
    if not count:
        yield fail("methods", "the API has none", _REDEPLOY)
    elif not open_methods and not keyless:
        yield ok("methods", f"all {count} ask the authorizer and for a gateway key")


def _unguarded(stack: Stack) -> tuple[list[str], list[str], int]:
    """Routes without the authorizer, routes without a gateway key, and how many were looked at."""
    pages = stack.client("apigateway").get_paginator("get_resources")
    methods = [
        (f"{verb} {resource['path']}", method)
        for page in pages.paginate(restApiId=stack.output("ApiId"), embed=["methods"])
        for resource in page["items"]
        for verb, method in resource.get("resourceMethods", {}).items()
        if verb != "OPTIONS" and resource["path"] not in _PUBLIC
    ]
    without = [route for route, method in methods if method.get("authorizationType") != "CUSTOM"]
    keyless = [
        route
        for route, method in methods
        if route not in without and not method.get("apiKeyRequired")
    ]
    return without, keyless, len(methods)


def look_at_responses(stack: Stack) -> Iterator[Finding]:
    """That what API Gateway answers by itself comes in the error envelope."""
    if stack.local:
        yield skipped("gateway responses", _LOCAL)
        return
    yield responses(stack.client("apigateway"), stack.output("ApiId"), advice=_REDEPLOY)


def responses(client: Any, api: str, *, advice: str) -> Finding:
    """Whether every response that a REST API gives by itself is the error envelope."""
    pages = client.get_gateway_responses(restApiId=api, limit=500)
    found = {response["responseType"]: response for response in pages["items"]}
    wrong = [name for name in TYPES if not _is_envelope(found.get(name))]
    if wrong:
        return fail("gateway responses", f"not in the envelope: {', '.join(wrong)}", advice)
    return ok("gateway responses", f"all {len(TYPES)} in the envelope")


def _is_envelope(response: dict[str, Any] | None) -> bool:
    if response is None:
        return False
    try:
        body = json.loads(response.get("responseTemplates", {}).get("application/json", ""))
    except ValueError:
        return False
    return isinstance(body, dict) and set(body) >= _ENVELOPE and body["object"] == "error"
