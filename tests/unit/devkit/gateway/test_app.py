"""A request passes the local gateway as it would pass API Gateway, in the same order."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from typing import Any

import pytest

from chatgrid_devkit.functions.invocation import Failed
from chatgrid_devkit.gateway.app import mounted
from chatgrid_devkit.template.description import Authorizer, GatewayResponse, Throttle
from tests.support.gateway_world import ARN, AUTHORIZER, BOARDS, World, grant


def deny(event: dict[str, Any], **context: Any) -> dict[str, Any]:
    answer = grant(event, principalId="anonymous", context=context, usageIdentifierKey=None)
    answer["policyDocument"]["Statement"][0]["Effect"] = "Deny"
    return answer


# ---------------------------------------------------------------- routes


def test_a_request_reaches_its_function() -> None:
    world = World(boards=lambda event: {"statusCode": 201, "body": '{"a":1}'})
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.json()) == (201, {"a": 1})
    assert reply.headers["x-amzn-requestid"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("GET", "/v1"),
        ("GET", "/v1/"),
        ("POST", "/v1/boards/1"),
        ("GET", "/v1/boards/1/2"),
        ("GET", "/v1//boards"),
        ("GET", "/v1/./boards"),
        ("GET", "/v1/%62oards"),
        ("GET", "/v1/boards%2F1"),
        ("GET", "/v1/BOARDS"),
    ],
)
def test_what_the_template_does_not_declare_is_missing(method: str, path: str) -> None:
    world = World()
    reply = world.ask(method, path)
    assert (reply.status, reply.json()["message"]) == (404, "No such resource")
    assert reply.headers["x-amzn-errortype"] == "MissingAuthenticationTokenException"
    assert world.events == []


def test_gateway_authorizer_and_backend_see_the_same_resource() -> None:
    world = World()
    world.ask("GET", "/v1/boards/..%2Fspecial%2e/")
    for name in (AUTHORIZER, BOARDS):
        (event,) = world.called(name)
        assert event["resource"] == "/boards/{id}"
        assert event["requestContext"]["resourcePath"] == "/boards/{id}"
        assert event["path"] == "/boards/..%2Fspecial%2e/"
        assert event["requestContext"]["path"] == "/v1/boards/..%2Fspecial%2e/"
        assert event["pathParameters"] == {"id": "..%2Fspecial%2e"}
    assert world.called(AUTHORIZER)[0]["methodArn"] == f"{ARN}GET/boards/..%2Fspecial%2e/"


def test_a_preflight_needs_no_credential_and_no_function() -> None:
    world = World()
    reply = world.ask("OPTIONS", "/v1/boards/1", headers=[])
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-max-age"] == "600"
    assert world.events == []


def test_head_is_answered_without_a_body() -> None:
    world = World(boards=lambda event: {"statusCode": 200, "body": event["httpMethod"]})
    reply = world.ask("HEAD", "/v1/boards")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-length"] == "4"


def test_204_has_neither_body_nor_length() -> None:
    world = World(boards=lambda event: {"statusCode": 204, "body": "ignored"})
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.body) == (204, b"")
    assert "content-length" not in reply.headers


def test_an_open_route_asks_nobody() -> None:
    world = World()
    assert world.ask("GET", "/v1/open", headers=[]).status == 200
    assert world.called(AUTHORIZER) == []
    assert "authorizer" not in world.called(BOARDS)[0]["requestContext"]


# ---------------------------------------------------------------- the stage's throttle


def test_the_stage_s_throttle_goes_before_the_authorizer() -> None:
    world = World().with_api(throttle=Throttle(rate_per_second=0.001, burst=1))
    assert world.ask("GET", "/v1/open").status == 200
    reply = world.ask("GET", "/v1/boards", headers=[])
    assert (reply.status, reply.json()) == (429, {"message": "Too Many Requests"})
    assert world.called(AUTHORIZER) == []


# ---------------------------------------------------------------- identity source


@pytest.mark.parametrize(
    "headers",
    [[], [("Authorization", "")], [("Authorization", "  ")], [("X-Api-Key", "x")]],
)
def test_without_an_identity_the_authorizer_is_not_asked(headers: list[tuple[str, str]]) -> None:
    world = World()
    reply = world.ask("GET", "/v1/boards", headers=headers)
    assert (reply.status, reply.json()["message"]) == (401, "Missing or invalid token")
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["access-control-allow-origin"] == "*"
    assert world.events == []


def test_the_header_s_name_may_be_in_any_case() -> None:
    assert World().ask("GET", "/v1/boards", headers=[("AUTHORIZATION", "Bearer x")]).status == 200


def test_several_credentials_all_reach_the_authorizer_and_the_last_one_counts() -> None:
    world = World()
    world.ask("GET", "/v1/boards", headers=[("Authorization", "one"), ("authorization", "two")])
    (event,) = world.called(AUTHORIZER)
    assert event["headers"]["Authorization"] == "two"
    assert event["multiValueHeaders"]["Authorization"] == ["one", "two"]


# ---------------------------------------------------------------- authorizer


def token_world(validation: str | None = None) -> World:
    gate = Authorizer(
        function=AUTHORIZER,
        kind="TOKEN",
        identity_headers=("Authorization",),
        validation=validation,
        ttl_seconds=0,
    )
    return World().with_api(authorizers={"Gate": gate})


def test_a_token_authorizer_gets_the_token_and_the_arn_alone() -> None:
    world = token_world()
    assert world.ask("GET", "/v1/boards/1").status == 200
    assert world.called(AUTHORIZER) == [
        {
            "type": "TOKEN",
            "methodArn": f"{ARN}GET/boards/1",
            "authorizationToken": "Bearer something",
        }
    ]


def test_a_token_that_does_not_match_never_reaches_the_authorizer() -> None:
    world = token_world("^Bearer .+$")
    assert world.ask("GET", "/v1/boards", headers=[("Authorization", "Basic x")]).status == 401
    assert world.events == []
    assert world.ask("GET", "/v1/boards").status == 200


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"principalId": "u"},
        {"principalId": "", "policyDocument": {"Statement": []}},
    ],
)
def test_an_authorizer_s_malformed_answer_is_a_fault(broken: Any) -> None:
    world = World(authorizer=lambda event: broken)
    reply = world.ask("GET", "/v1/boards")
    assert reply.status == 500
    assert reply.headers["x-amzn-errortype"] == "AuthorizerConfigurationException"
    assert reply.json() == {"status": 500, "message": None}
    assert world.called(BOARDS) == []


def test_a_nested_context_is_a_fault() -> None:
    world = World(authorizer=lambda event: grant(event, context={"scopes": ["read"]}))
    assert world.ask("GET", "/v1/boards").status == 500
    assert world.log_lines[0]["response_type"] == "AUTHORIZER_CONFIGURATION_ERROR"


@pytest.mark.parametrize("kind", ["error", "timeout", "crash"])
def test_an_authorizer_that_fails_is_a_fault_never_a_refusal(kind: Any) -> None:
    world = World(authorizer=lambda event: Failed(kind=kind, message="boom"))
    world.responding(AUTHORIZER_FAILURE=GatewayResponse(status=503, headers={}, template="out"))
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.body) == (503, b"out")
    assert world.called(BOARDS) == []


def test_unauthorized_is_the_one_exception_that_is_a_refusal() -> None:
    failed = Failed(kind="error", error_type="Exception", message="Unauthorized")
    assert World(authorizer=lambda event: failed).ask("GET", "/v1/boards").status == 401


# ---------------------------------------------------------------- policy


def test_a_deny_is_answered_with_the_authorizer_s_message() -> None:
    world = World(authorizer=lambda event: deny(event, message="API key has been revoked"))
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.json()["message"]) == (401, "API key has been revoked")
    assert reply.headers["x-amzn-errortype"] == "AccessDeniedException"
    assert world.called(BOARDS) == []


def test_a_policy_for_another_method_opens_nothing() -> None:
    def wrong(event: dict[str, Any]) -> dict[str, Any]:
        answer = grant(event)
        answer["policyDocument"]["Statement"][0]["Resource"] = f"{ARN}POST/boards"
        return answer

    world = World(authorizer=wrong).responding()
    reply = world.ask("GET", "/v1/boards")
    assert reply.status == 403
    assert reply.json() == {"Message": "User is not authorized to access this resource"}


def test_an_explicit_deny_wins_over_an_allow() -> None:
    def both(event: dict[str, Any]) -> dict[str, Any]:
        answer = grant(event)
        answer["policyDocument"]["Statement"].append(
            {"Effect": "Deny", "Action": "*", "Resource": "*"}
        )
        return answer

    reply = World(authorizer=both).responding().ask("GET", "/v1/boards")
    assert reply.status == 403
    assert reply.json()["Message"].endswith("with an explicit deny")


# ---------------------------------------------------------------- usage plan


def test_without_a_usage_key_the_gateway_itself_refuses() -> None:
    world = World(
        authorizer=lambda event: grant(
            event,
            usageIdentifierKey=None,
            context={"code": "forbidden", "message": "Missing required scope: write"},
        )
    )
    reply = world.ask("GET", "/v1/boards", headers=[("Authorization", "x"), ("X-Api-Key", "y")])
    assert reply.status == 403
    assert reply.json() == {
        "status": 403,
        "code": "forbidden",
        "message": "Missing required scope: write",
    }
    assert reply.headers["x-amzn-errortype"] == "ForbiddenException"
    assert world.called(BOARDS) == []


def test_an_unknown_usage_key_after_an_allow_is_the_plans_fault() -> None:
    """A tier's key that is disabled, taken out of its plan, or not known yet."""
    sent = {
        "verdict": "allowed",
        "code": "service_unavailable",
        "message": "Usage plan unavailable",
    }
    for key in ("a-key-that-nobody-made", None):
        world = World(
            authorizer=lambda event: grant(event, usageIdentifierKey=key, context=sent)  # noqa: B023
        )
        reply = world.ask("GET", "/v1/boards", headers=[("Authorization", "x")])
        assert (reply.status, reply.json()["code"]) == (403, "service_unavailable")
        assert reply.json()["message"] == "Usage plan unavailable"
        assert world.called(BOARDS) == []


def test_the_client_s_own_key_header_counts_for_nothing() -> None:
    headers = [("Authorization", "x"), ("X-Api-Key", "shared-key-of-the-standard-tier")]
    world = World(authorizer=lambda event: grant(event, usageIdentifierKey="unknown"))
    assert world.ask("GET", "/v1/boards", headers=headers).status == 403


def test_the_key_header_counts_where_the_template_says_so() -> None:
    world = World().with_api(key_source="HEADER")
    headers = [("Authorization", "x"), ("X-Api-Key", "shared-key-of-the-standard-tier")]
    assert world.ask("GET", "/v1/boards", headers=headers).status == 200
    assert world.ask("GET", "/v1/boards").status == 403


def test_a_plan_s_throttle_and_quota_answer_429() -> None:
    world = World()
    assert [world.ask("GET", "/v1/boards").status for _ in range(3)] == [200, 200, 429]
    assert world.log_lines[-1]["response_type"] == "THROTTLED"
    assert len(world.called(BOARDS)) == 2


def test_the_backend_is_told_the_usage_key() -> None:
    world = World()
    world.ask("GET", "/v1/boards")
    identity = world.called(BOARDS)[0]["requestContext"]["identity"]
    assert identity["apiKey"] == "shared-key-of-the-standard-tier"
    assert identity["apiKeyId"] == "chatgrid-local-StandardKey"


# ---------------------------------------------------------------- size


def test_ten_megabytes_pass_and_one_byte_more_does_not() -> None:
    limit = 10 * 1024 * 1024
    world = World(boards=lambda event: {"statusCode": 200, "body": str(len(event["body"]))})
    assert world.ask("POST", "/v1/boards", body=b"x" * limit).body == str(limit).encode()
    reply = world.ask("POST", "/v1/boards", body=b"x" * (limit + 1))
    assert (reply.status, reply.json()) == (413, {"message": "Request Too Long"})
    assert len(world.called(BOARDS)) == 1


def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    headers = [("Authorization", "x"), ("Content-Length", "10485761")]
    world = World()
    world.responding(REQUEST_TOO_LARGE=GatewayResponse(status=413, headers={}, template="big"))
    assert world.ask("POST", "/v1/boards", headers=headers).body == b"big"


def test_an_arn_that_is_too_long_is_414() -> None:
    world = World()
    assert world.ask("GET", f"/v1/boards/{'x' * 1600}").status == 414
    assert world.events == []


# ---------------------------------------------------------------- integration


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "text",
        {"statusCode": "ok"},
        {"body": "{}"},
        Failed(kind="error", error_type="KeyError", message="secret detail"),
        Failed(kind="timeout"),
        Failed(kind="crash"),
    ],
)
def test_a_backend_that_fails_is_a_502_that_tells_nothing(answer: Any) -> None:
    world = World(boards=lambda event: answer)
    reply = world.ask("GET", "/v1/boards")
    assert reply.status == 502
    assert reply.json() == {"status": 500, "message": "Internal server error"}
    assert world.log_lines[0]["response_type"] == "INTEGRATION_FAILURE"
    assert "secret detail" not in world.log.getvalue()


def test_a_backend_gets_29_seconds() -> None:
    async def forever(event: Any) -> Any:
        await asyncio.Event().wait()

    reply = World(boards=forever, integration_seconds=0.01).ask("GET", "/v1/boards")
    assert reply.status == 504
    assert reply.json()["message"] == "Endpoint request timed out"
    assert World().integration_seconds == 29.0


def test_context_reaches_the_backend_as_text() -> None:
    world = World(authorizer=lambda event: grant(event, context={"limit": 120, "live": True}))
    world.ask("GET", "/v1/boards")
    assert world.called(BOARDS)[0]["requestContext"]["authorizer"] == {
        "limit": "120",
        "live": "true",
        "principalId": "user-1",
        "integrationLatency": 0,
    }


def test_bodies_are_text_unless_their_type_is_declared_binary() -> None:
    world = World()
    gate = ("Authorization", "x")
    world.ask("POST", "/v1/boards", headers=[gate], body='{"name":"é"}'.encode())
    world.ask("POST", "/v1/boards", headers=[gate, ("Content-Type", "image/png")], body=b"\x89P")
    text, binary = world.called(BOARDS)
    assert (text["body"], text["isBase64Encoded"]) == ('{"name":"é"}', False)
    assert (base64.b64decode(binary["body"]), binary["isBase64Encoded"]) == (b"\x89P", True)


def test_a_header_may_come_back_several_times() -> None:
    answer = {"statusCode": 200, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}}
    reply = World(boards=lambda event: answer).ask("GET", "/v1/boards")
    assert [v for name, v in reply.header_list if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_requests_run_side_by_side() -> None:
    async def both() -> list[int]:
        arrived = 0
        all_there = asyncio.Event()

        async def meet(event: Any) -> Any:
            nonlocal arrived
            arrived += 1
            if arrived == 2:
                all_there.set()
            await all_there.wait()
            return {"statusCode": 200, "body": ""}

        world = World(boards=meet)
        sends = [world.send("GET", "/v1/open", headers=[]) for _ in range(2)]
        return [reply.status for reply in await asyncio.gather(*sends)]

    assert asyncio.run(both()) == [200, 200]


def test_the_gateways_own_fault_is_in_the_envelope_and_log() -> None:
    def broken(event: Any) -> Any:
        raise ConnectionError("cgk_live_" + "a1" * 16)

    world = World(authorizer=broken)
    reply = world.ask("GET", "/v1/boards")
    assert (reply.status, reply.json()["message"]) == (500, "Internal server error")
    logged = world.log.getvalue()
    assert "gateway | ConnectionError: [credential removed" in logged
    assert '"reason": "a fault of the gateway"' in logged


# ---------------------------------------------------------------- the log


def test_each_request_leaves_one_line() -> None:
    world = World()
    world.ask("GET", "/v1/boards/1?secret=1")
    (line,) = world.log_lines
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("correlation_id") == world.called(BOARDS)[0]["requestContext"]["requestId"]
    assert line.pop("latency_ms") >= 0
    assert line == {
        "method": "GET",
        "resource": "/boards/{id}",
        "path": "/v1/boards/1",
        "status": 200,
        "outcome": "allowed",
        "authorizer_ms": 0.0,
        "integration_ms": 0.0,
    }


def test_the_line_of_a_request_without_its_scope_says_so() -> None:
    """And not only that the authorizer named no key, by which API Gateway refuses it."""
    context = {"verdict": "forbidden", "message": "Missing required scope: write"}
    world = World(authorizer=lambda event: grant(event, context=context, usageIdentifierKey=None))
    assert world.ask("POST", "/v1/boards").status == 403
    (line,) = world.log_lines
    assert (line["status"], line["response_type"]) == (403, "INVALID_API_KEY")
    assert (line["outcome"], line["reason"]) == (
        "forbidden",
        "Missing required scope: write",
    )


def test_the_log_tells_who_sends_x_api_key_what_is_read() -> None:
    world = World()
    world.ask("GET", "/v1/boards", headers=[("X-Api-Key", "x")])
    world.ask("GET", "/v1/boards", headers=[])
    wrong, none = (line["reason"] for line in world.log_lines)
    assert wrong == "no Authorization header; x-api-key is not read, Authorization is"
    assert none == "no Authorization header"


def test_the_line_of_a_request_names_the_authorizers_outcome() -> None:
    """The word is the one in the authorizer's own line."""
    made = {
        "allowed": lambda event: grant(event, context={"verdict": "allowed"}),
        "rate_limited": lambda event: grant(event, context={"verdict": "rate_limited"}),
        "refused": lambda event: deny(event, message="No", reason="revoked"),
    }
    for outcome, authorizer in made.items():
        world = World(authorizer=authorizer)
        world.ask("GET", "/v1/boards")
        assert [line["outcome"] for line in world.log_lines] == [outcome]


def test_the_line_of_a_denied_request_tells_the_authorizer_s_reason() -> None:
    world = World(authorizer=lambda event: deny(event, message="No", reason="revoked"))
    world.ask("GET", "/v1/boards")
    world.authorizer = lambda event: deny(event, message="No")
    world.ask("GET", "/v1/boards")
    assert [line["reason"] for line in world.log_lines] == ["revoked", "No"]


def test_no_credential_header_or_body_is_logged() -> None:
    credential = "cgk_live_" + "a1" * 16
    world = World(boards=lambda event: Failed(kind="error", message=credential))
    headers = [("Authorization", f"Bearer {credential}"), ("X-Secret", "header-text")]
    world.ask("POST", f"/v1/boards?k={credential}", headers=headers, body=b"body-text")
    world.ask("GET", f"/v1/boards/{credential}", headers=headers)
    logged = world.log.getvalue()
    for secret in (credential, "header-text", "body-text"):
        assert secret not in logged


# ---------------------------------------------------------------- beside the API


def test_paths_outside_the_stage_are_not_the_api() -> None:
    world = World()
    assert world.ask("GET", "/health", headers=[]).json() == {"status": "ok"}
    reply = world.ask("GET", "/v2/boards", headers=[])
    assert (reply.status, reply.json()) == (
        404,
        {"object": "error", "status": 404, "code": "not_found", "message": "Not found"},
    )
    assert world.events == []


def test_other_kinds_of_connection_are_left_alone() -> None:
    async def websocket() -> None:
        await World().gateway({"type": "websocket"}, None, None)  # type: ignore[arg-type]

    asyncio.run(websocket())


def test_a_mounted_app_has_its_paths_and_the_gateway_the_rest() -> None:
    seen: list[str] = []

    def app(name: str) -> Any:
        async def run(scope: Any, receive: Any, send: Any) -> None:
            seen.append(name)

        return run

    routed = mounted(app("gateway"), {"/auth/v1": app("issuer")})
    for path in ("/auth/v1", "/auth/v1/keys", "/auth/v10", "/v1/auth/v1", "/"):
        asyncio.run(routed({"type": "http", "path": path}, None, None))  # type: ignore[arg-type]
    assert seen == ["issuer", "issuer", "gateway", "gateway", "gateway"]


def test_a_client_that_goes_away_in_mid_body_reaches_no_function() -> None:
    world = World()

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        pass

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/boards",
        "headers": [(b"authorization", b"x")],
        "client": None,
    }
    asyncio.run(world.gateway(scope, receive, send))
    assert world.called(BOARDS) == []


def test_the_deployment_decides_the_stage() -> None:
    world = World().with_api(stage="v2")
    world.deployment = dataclasses.replace(world.deployment)
    assert world.ask("GET", "/v2/open").status == 200
    assert world.ask("GET", "/v1/open").status == 404
