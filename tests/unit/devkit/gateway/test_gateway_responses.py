"""Gateway responses look as the template says, and as on AWS where it says nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chatgrid_devkit.gateway.gateway_responses import TYPES, GatewayError, render, substitute
from chatgrid_devkit.gateway.messages import Request, Response
from chatgrid_devkit.template.description import GatewayResponse

REQUEST = Request(
    id="request-1",
    received_ms=0,
    method="GET",
    raw_path="/v1/boards",
    path="/boards",
    query="",
    headers=[("X-Name", "ada")],
    source_ip="127.0.0.1",
)


def response(
    status: int | None = None,
    template: str | None = None,
    headers: dict[str, str] | None = None,
) -> GatewayResponse:
    return GatewayResponse(status=status, headers=headers or {}, template=template)


def rendered(error: str | GatewayError, context: Any = None, **responses: Any) -> Response:
    if isinstance(error, str):
        error = GatewayError(error)
    return render(error, responses=responses, request=REQUEST, context=context or {})


@pytest.mark.parametrize("response_type", sorted(TYPES))
def test_aws_s_own_answer_is_json_with_its_status_and_headers(response_type: str) -> None:
    answer = rendered(response_type)
    status, error_type, message = TYPES[response_type]
    word = "Message" if response_type == "ACCESS_DENIED" else "message"
    assert answer.status == status
    assert json.loads(answer.body) == {word: message}
    assert dict(answer.headers) == {
        "Content-Type": "application/json",
        "x-amzn-ErrorType": error_type,
        "x-amzn-RequestId": "request-1",
    }


def test_a_type_of_its_own_goes_before_the_default() -> None:
    responses = {"UNAUTHORIZED": response(418, "own"), "DEFAULT_4XX": response(499, "default")}
    answer = rendered("UNAUTHORIZED", **responses)
    assert (answer.status, answer.body) == (418, b"own")
    assert answer.response_type == "UNAUTHORIZED"


def test_the_default_of_the_family_serves_the_rest() -> None:
    responses = {"DEFAULT_4XX": response(None, "four"), "DEFAULT_5XX": response(None, "five")}
    assert rendered("THROTTLED", **responses).body == b"four"
    assert rendered("THROTTLED", **responses).status == 429
    assert rendered("AUTHORIZER_FAILURE", **responses).body == b"five"
    assert rendered("INTEGRATION_TIMEOUT", **responses).status == 504


def test_a_status_on_the_default_applies_to_the_whole_family() -> None:
    assert rendered("THROTTLED", DEFAULT_4XX=response(499)).status == 499


def test_headers_are_literals_or_context_values() -> None:
    headers = {
        "WWW-Authenticate": "'Bearer'",
        "X-Limit": "context.authorizer.limit",
        "X-Absent": "context.authorizer.nothing",
        "Content-Type": "'application/problem+json'",
    }
    answer = rendered(
        "ACCESS_DENIED",
        {"authorizer": {"limit": "120"}},
        ACCESS_DENIED=response(401, "{}", headers),
    )
    found = dict(answer.headers)
    assert found["WWW-Authenticate"] == "Bearer"
    assert found["X-Limit"] == "120"
    assert found["X-Absent"] == ""
    assert found["Content-Type"] == "application/problem+json"


def test_context_is_substituted_wherever_it_stands() -> None:
    context = {
        "requestId": "request-1",
        "authorizer": {"message": "API key has expired", "code": "unauthorized"},
        "identity": {"sourceIp": "192.0.2.7"},
    }
    template = '{"a":"$context.authorizer.message.","b":"$context.identity.sourceIp"}'
    assert substitute(template, context, request=REQUEST) == (
        '{"a":"API key has expired.","b":"192.0.2.7"}'
    )


def test_what_is_absent_is_empty_text() -> None:
    template = "[$context.authorizer.nothing][$context.no.such][$stageVariables.x]"
    assert substitute(template, {"authorizer": {}}, request=REQUEST) == "[][][]"


def test_nothing_is_escaped_and_no_value_is_substituted_twice() -> None:
    context = {"authorizer": {"message": '"$context.secret"'}, "secret": "hidden"}
    assert substitute("$context.authorizer.message", context, request=REQUEST) == (
        '"$context.secret"'
    )


def test_request_headers_can_be_named() -> None:
    assert substitute("$method.request.header.x-name", {}, request=REQUEST) == "ada"


def test_an_error_s_message_is_there_plain_and_quoted() -> None:
    template = "$context.error.message|$context.error.messageString|$context.error.responseType"
    body = rendered("UNAUTHORIZED", UNAUTHORIZED=response(None, template)).body
    assert body == b'Unauthorized|"Unauthorized"|UNAUTHORIZED'
    body = rendered("AUTHORIZER_FAILURE", AUTHORIZER_FAILURE=response(None, template)).body
    assert body == b"|null|AUTHORIZER_FAILURE"


def test_a_case_may_have_a_status_of_its_own() -> None:
    error = GatewayError("DEFAULT_4XX", status=414, message="Request URI too long")
    answer = rendered(error)
    assert (answer.status, json.loads(answer.body)) == (414, {"message": "Request URI too long"})
