"""What the guards of all languages are asked: proxy events, by what they show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

NOW_S = 1_800_000_000.4
Event = dict[str, Any]
Case = dict[str, Any]

FIGURES = {
    "code": "service_unavailable",
    "message": "Usage plan unavailable",
    "rate_limit": "120",
    "rate_remaining": "7",
    "rate_more": "1800000004",
    "rate_reset": "1800000009",
}
KEY = {
    **FIGURES,
    "verdict": "allowed",
    "user_id": "u-1",
    "auth_mode": "api-key",
    "scopes": "read",
    "key_id": "k-1",
    "environment": "live",
}
ADMIN = {**KEY, "scopes": "read write admin"}
SESSION = {
    **FIGURES,
    "verdict": "allowed",
    "user_id": "u-2",
    "auth_mode": "jwt",
    "scopes": "read write admin",
    "email": "ada@example.org",
    "anonymous": "true",
    "expires_at": "1800000600000",
}
NUMBERS = {"rate_limit": 200, "rate_remaining": 199, "rate_more": 1800000001}
FORBIDDEN = {
    **FIGURES,
    "verdict": "forbidden",
    "code": "forbidden",
    "message": "Missing required scope: write",
}
LIMITED = {**FIGURES, "verdict": "rate_limited", "retry_after": "9", "rate_remaining": "0"}
REFUSED = {"verdict": "refused", "message": "API key has been revoked", "reason": "revoked"}
UNAVAILABLE = {"verdict": "unavailable"}
OWN, OWNER = "default;120;60", "owner;300;60"
ROUTE = "route:POST /exports;10;3600"
STANDING = {
    OWN: f"{OWN};9;1800000003;1800000061",
    OWNER: f"{OWNER};8;1800000002;1800000062",
    ROUTE: f"{ROUTE};7;1800000004;1800000009",
}
WITHOUT_MODE = {name: value for name, value in KEY.items() if name != "auth_mode"}


def asked(
    context: object, method: object = "GET", resource: object = "/boards", **more: object
) -> Event:
    """A REST API's proxy event."""
    return {
        "httpMethod": method,
        "resource": resource,
        "path": "/boards",
        "headers": {},
        "requestContext": {"authorizer": context},
        **more,
    }


def cases() -> Iterator[Case]:
    """Every case, without what is expected."""
    for name, event in [*_allowed(), *_permissions(), *_limits(), *_refused(), *_strange()]:
        yield {"name": name, "event": event}
    yield from _settings()
    yield from _responses()


def _allowed() -> Iterator[tuple[str, Event]]:
    yield "an allowed key reads", asked(KEY)
    yield "an allowed key asks for the head alone", asked(KEY, "HEAD")
    yield "a key that writes reads as well", asked(ADMIN, "GET", "/boards/{id}")
    yield "a session writes", asked(SESSION, "POST")
    numbers = {**SESSION, **NUMBERS, "rate_reset": 1800000061, "expires_at": 1800000600000}
    yield "numbers may come as numbers", asked(numbers, "POST")
    token = {**KEY, "token_expires_at": "1800000300000", "token_scopes": "read write"}
    yield "a token speaks for its key", asked(token)
    yield "a token of which half is told", asked({**KEY, "token_scopes": "read"})
    yield "a key tells its owner's notes", asked({**KEY, "metadata": '{"plan":"gold"}'})
    yield "the key in one's hand takes any scope", asked(KEY, "DELETE", "/me/api-key")
    yield "tokens of the key in one's hand take any scope", asked(KEY, "POST", "/me/tokens")
    whole = {"rate_limit": "9", "rate_remaining": "9", "rate_more": "0", "rate_reset": "1800000001"}
    yield "with nothing used there is nothing to wait for", asked({**KEY, **whole})
    yield "a number that is too long is none", asked({**KEY, "rate_limit": "9" * 40})
    yield "a number with a sign is none", asked({**KEY, "rate_remaining": "+7"})
    yield "a number in other digits is none", asked({**KEY, "rate_remaining": "\u0667"})
    yield "a number with a line end is none", asked({**KEY, "rate_remaining": "7\n"})


def _permissions() -> Iterator[tuple[str, Event]]:
    yield "a key with the permission", asked({**KEY, "permissions": "boards:read me:read"})
    yield "a key with all of the resource", asked({**KEY, "permissions": "boards:*"})
    yield "a key with all permissions", asked({**KEY, "permissions": "*"})
    for permissions in (
        "boards:write",
        "board:*",
        "boards:",
        ":*",
        "boards",
        "BOARDS:READ",
        "**",
        "*:*",
        "*:read",
        "",
    ):
        yield (
            f"permissions that do not do: {permissions!r}",
            asked({**KEY, "permissions": permissions}),
        )
    yield "permissions that are no text hold nothing", asked({**KEY, "permissions": None})
    yield "permissions that are a list hold nothing", asked({**KEY, "permissions": ["*"]})
    yield (
        "the key in one's hand needs no permission",
        asked({**KEY, "permissions": "a:b"}, "DELETE", "/me/api-key"),
    )
    yield "a scope is missing before a permission", asked({**KEY, "permissions": "a:b"}, "POST")
    for resource in ("/", "/{proxy+}", "/Boards", "/boards:read/x", "//boards"):
        some = {**KEY, "permissions": "boards:* proxy:read"}
        yield f"only all permissions do for {resource}", asked(some, "GET", resource)
        yield (
            f"all permissions do for {resource}",
            asked({**KEY, "permissions": "*"}, "GET", resource),
        )
    for permissions, does in (
        ("*", "all"),
        ("keys:*", "all of the resource"),
        ("keys:verify", "the one that is written"),
    ):
        yield (
            f"verdicts on other keys: {does}",
            asked({**KEY, "permissions": permissions}, "POST", "/keys/verify"),
        )
    yield "verdicts on other keys: no permissions at all", asked(KEY, "POST", "/keys/verify")
    yield "verdicts on other keys: a session", asked(SESSION, "POST", "/keys/verify")
    for reason in ("address", "origin", "permission", "scope", "spite", ""):
        yield (
            f"forbidden for its {reason or 'nothing'}",
            asked({**FORBIDDEN, "reason": reason, "message": "x"}, "POST"),
        )
    yield (
        "forbidden by its address on a route without permission",
        asked({**FORBIDDEN, "reason": "permission"}, "GET", "/me/api-key"),
    )


def _limits() -> Iterator[tuple[str, Event]]:
    everything = "|".join(STANDING.values())
    yield "three limits, all asked", asked({**KEY, "limits": everything})
    yield "three limits and credits", asked({**KEY, "limits": everything, "credits": "41"})
    yield "credits and no further limit", asked({**KEY, "credits": "0"})
    yield "credits may come as a number", asked({**KEY, "credits": 5})
    by_own = {**LIMITED, "limits": "|".join([STANDING[OWN], OWNER, ROUTE])}
    by_owner = {**LIMITED, "limits": "|".join([STANDING[OWN], STANDING[OWNER], ROUTE])}
    for name, context in {
        "default": by_own,
        "owner": by_owner,
        "route:POST /exports": {**LIMITED, "limits": everything},
        "credits": {**by_own, "credits": "0"},
        "spite": {**LIMITED},
        "constructor": {**LIMITED},
    }.items():
        yield f"refused by {name}", asked({**context, "refused_by": name})
    yield "refused by what is no text", asked({**LIMITED, "refused_by": 7})
    dear = {**LIMITED, "too_dear": "true"}
    yield "no wait is enough for what is too dear", asked(dear)
    told = {**dear, "retry_after": "9", "refused_by": "default", "rate_remaining": "7"}
    yield "too dear, whatever wait is told", asked(told)
    none = {**dear, "refused_by": "credits", "credits": "0"}
    yield "credits that never come back", asked(none)
    yield "too dear is said of the refused alone", asked({**KEY, "too_dear": "true"})
    for text in (
        "owner;300",
        "owner;300;60;1",
        "owner;300;60;1;2",
        "owner;300;60;1;2;3;4",
        "owner;x;60",
        "owner;-1;60",
        "owner;;60",
        "owner;300;60;1;2;\u0667",
        f"owner;{'9' * 17};60",
        "owner",
        "|",
        "",
    ):
        yield f"a limit that cannot be read: {text!r}", asked({**KEY, "limits": text})
        also = f"{text}|{STANDING[ROUTE]}"
        yield f"beside one that cannot be read: {text!r}", asked({**KEY, "limits": also})
    for name in ("limits", "credits"):
        for value in ("x", "+7", "-7", None, ["7"]):
            yield f"{name} that are not: {value!r}", asked({**KEY, name: value})


def _refused() -> Iterator[tuple[str, Event]]:
    yield "the authorizer refused, and API Gateway let it through", asked(FORBIDDEN, "POST")
    other = {**FORBIDDEN, "message": "Missing required scope: none"}
    yield "the missing scope is worked out anew", asked(other, "DELETE", "/boards/{id}")
    yield "over the limit", asked(LIMITED)
    yield "a limit comes before what is asked for", asked(LIMITED, "DELETE", "/me/api-keys/{id}")
    yield "more is promised no later than another try", asked({**LIMITED, "retry_after": "3"})
    yield "a wait that nobody can read is a second", asked({**LIMITED, "retry_after": "soon"})
    yield "a wait of nothing is a second", asked({**LIMITED, "retry_after": "0"})
    yield (
        "over the limit, and nobody told the figures",
        asked({"verdict": "rate_limited", "retry_after": "5"}),
    )
    yield "refused where the API has no response of its own", asked(REFUSED)
    limited = {**LIMITED, "verdict": "refused", "user_id": "u-1", "scopes": "read"}
    yield "refused, whatever else is there", asked(limited)
    yield "refused, and nobody told why", asked({"verdict": "refused", "message": 7})
    yield "the store is out where the API has no response of its own", asked(UNAVAILABLE)
    for method, resource in (
        ("POST", "/boards"),
        ("PUT", "/boards/{id}"),
        ("POST", "/me/api-keyring"),
        ("GET", "/me/api-keys"),
        ("DELETE", "/me/api-keys/{id}"),
        ("GET", "/me/audit-log"),
        ("GET", "/me/audit-log/verify"),
        ("OPTIONS", "/boards"),
        ("get", "/boards"),
    ):
        name = f"an allowed verdict does not cover {method} {resource}"
        yield name, asked(KEY, method, resource)


def _strange() -> Iterator[tuple[str, Any]]:
    contexts: dict[str, Any] = {
        "null": None,
        "empty": {},
        "a list": [],
        "a text": "allowed",
        "a verdict and nothing else": {"verdict": "allowed"},
        "no user": {**KEY, "user_id": ""},
        "no scope": {**KEY, "scopes": ""},
        "scopes that look like others": {**KEY, "scopes": "reader readwrite READ"},
        "a list of scopes": {**KEY, "scopes": ["read"]},
        "another verdict": {**KEY, "verdict": "denied"},
        "a verdict in capitals": {**KEY, "verdict": "Allowed"},
        "no way in": WITHOUT_MODE,
        "Cognito's": {"principalId": "u", "claims": {"sub": "u"}},
        "an HTTP API's in a REST API's event": {"lambda": KEY},
        "an object's own prototype": {"verdict": "allowed", "constructor": "u", "toString": "u"},
    }
    for name, context in contexts.items():
        yield f"no other context opens the door: {name}", asked(context)
    unmatched = {"httpMethod": "GET", "resource": "/boards"}
    events: dict[str, Any] = {
        "nothing": None,
        "a list": [],
        "a text": "event",
        "an empty one": {},
        "no request context": unmatched,
        "a request context of another kind": {**unmatched, "requestContext": ["authorizer"]},
    }
    for name, event in events.items():
        yield f"what is no proxy event: {name}", event
    unmatched_resources = {
        "null": None,
        "empty": "",
        "a number": 7,
        "a list": ["/"],
        "an HTTP API's, in payload 1.0": "$default",
    }
    for name, resource in unmatched_resources.items():
        yield f"without a matched resource nobody gets in: {name}", asked(ADMIN, "GET", resource)
    yield "without a method nobody gets in", asked(ADMIN, None)
    spelled = asked(KEY, "GET", "/me/api-keys", path="/me/../boards")
    yield "the path that the client spelled plays no part", spelled
    override = {"X-HTTP-Method-Override": "GET"}
    yield "a header names no other method", asked(KEY, "DELETE", "/boards/{id}", headers=override)
    named = {"verdict": "allowed", "user_id": "u", "scopes": "read"}
    yield "a header names no caller", asked({}, headers=named)


def _settings() -> Iterator[Case]:
    origin = {"allow_origin": "https://app.example.org"}
    yield {"name": "one browser origin", "event": asked(KEY), **origin}
    yield {"name": "one browser origin, refused", "event": asked({}), **origin}
    less = {"name": "a rule of the backend's own asks for less", "event": asked(KEY, "POST")}
    yield {**less, "required_scope": "read"}
    more = {"name": "a rule of the backend's own asks for more", "event": asked(KEY)}
    yield {**more, "required_scope": "admin"}
    mapped = {"GET /boards": "gallery:see", "POST /boards": "boards:add"}
    for name, method, permissions in (
        ("the deployment's own permission", "GET", "gallery:see"),
        ("the deployment's own permission, lacking", "GET", "boards:read"),
        ("HEAD needs what GET needs", "HEAD", "gallery:*"),
        ("another method keeps the rule", "OPTIONS", "boards:write"),
    ):
        context = {**ADMIN, "permissions": permissions}
        yield {"name": name, "event": asked(context, method), "route_permissions": mapped}


def _responses() -> Iterator[Case]:
    forged = {"X-Own": "1", "x-ratelimit-limit": "9999", "RATELIMIT": "none"}
    for name, response in {
        "whatever their case": {"statusCode": 201, "headers": forged, "body": "made"},
        "where there are none": {"statusCode": 204},
        "where they are null": {"statusCode": 204, "headers": None},
    }.items():
        title = f"a handler's headers cannot forge the figures: {name}"
        yield {"name": title, "event": asked(KEY), "response": response}
    several = {"x-ratelimit-limit": ["9999"], "Access-Control-Allow-Origin": ["*"], "X-Own": ["1"]}
    response = {"statusCode": 200, "multiValueHeaders": several, "body": "ok"}
    title = "nor can its headers of several values"
    yield {"name": title, "event": asked(KEY), "response": response, "handlers_only": True}
    several = {"vary": ["Accept", "Accept-Language"]}
    response = {"statusCode": 200, "headers": {"Vary": "Cookie"}, "multiValueHeaders": several}
    response["body"] = "ok"
    title = "what a response varies by in several values is kept"
    yield {"name": title, "event": asked(KEY), "response": response, "handlers_only": True}
    varying = {"statusCode": 200, "headers": {"vary": "Accept-Language"}, "body": "ok"}
    title = "what a response varies by is added up"
    yield {"name": title, "event": asked(KEY), "response": varying}
    origin = {"allow_origin": "https://app.example.org"}
    yield {"name": f"{title}, the origin too", "event": asked(KEY), "response": varying, **origin}


def http_api_cases() -> Iterator[Case]:
    """The same for an HTTP API, and what only its events can be."""
    for case in cases():
        yield {**case, "event": http_api_event(case["event"])}
    for route in ("$default", "GET", "POST /boards", "get /boards", "GET ", "ANY", "", None):
        name = f"a route's key that does not match opens nothing: {route}"
        yield {"name": name, "event": {**http_api_event(asked(ADMIN)), "routeKey": route}}
    for method in ("GET", "DELETE"):
        event = {**http_api_event(asked(KEY, method)), "routeKey": "ANY /boards"}
        yield {"name": f"any method by one route: {method}", "event": event}
    flat = http_api_event(asked(KEY))
    flat["requestContext"]["authorizer"] = KEY
    yield {"name": "a REST API's context in an HTTP API's event", "event": flat}
    for name, response in {
        "an object": {"made": True},
        "a text": "made",
        "nothing": None,
        "a list": [1],
    }.items():
        event = http_api_event(asked(KEY))
        title = f"a response for short: {name}"
        yield {"name": title, "event": event, "response": response, "handlers_only": True}


def http_api_event(event: Any) -> Any:
    """A REST API's proxy event as an HTTP API (payload 2.0) tells it."""
    if not isinstance(event, dict) or not isinstance(event.get("requestContext"), dict):
        return {"version": "2.0", **event} if isinstance(event, dict) else event
    method, resource = event["httpMethod"], event["resource"]
    declared = isinstance(method, str) and isinstance(resource, str)
    about = {"http": {"method": method, "path": event["path"]}, "stage": "$default"}
    told = event["requestContext"]["authorizer"]
    if told is not None:
        about["authorizer"] = {"lambda": told}
    return {
        "version": "2.0",
        "routeKey": f"{method} {resource}" if declared else resource,
        "rawPath": event["path"],
        "headers": event["headers"],
        "requestContext": about,
    }
