"""What API Gateway answers by itself: the contract's envelope, for every type a client can meet."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chatgrid_auth.domain import context
from chatgrid_auth.domain.verdicts import Allowed, Caller, Limited, RateLimitStatus
from tests.support.stack.templates import deployed

AUTHORIZER_MESSAGES = (
    "Missing or invalid token",
    "API key has been revoked",
    "API key has expired",
)
# status, code, message; None where AWS says the status.
CONTRACT: dict[str, tuple[int, str, str]] = {
    "UNAUTHORIZED": (401, "unauthorized", "Missing or invalid token"),
    "ACCESS_DENIED": (401, "unauthorized", "API key has been revoked"),
    "INVALID_API_KEY": (403, "forbidden", "Missing required scope: write"),
    "THROTTLED": (429, "rate_limit_exceeded", "Rate limit exceeded"),
    "QUOTA_EXCEEDED": (429, "rate_limit_exceeded", "Rate limit exceeded"),
    "AUTHORIZER_FAILURE": (503, "service_unavailable", "Service unavailable"),
    "AUTHORIZER_CONFIGURATION_ERROR": (503, "service_unavailable", "Service unavailable"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "not_found", "Not found"),
    "RESOURCE_NOT_FOUND": (404, "not_found", "Not found"),
    "INVALID_SIGNATURE": (404, "not_found", "Not found"),
    "EXPIRED_TOKEN": (404, "not_found", "Not found"),
    "BAD_REQUEST_BODY": (400, "validation_error", "Invalid request body"),
    "BAD_REQUEST_PARAMETERS": (400, "validation_error", "Invalid query parameters"),
    "REQUEST_TOO_LARGE": (413, "payload_too_large", "Payload too large"),
    "UNSUPPORTED_MEDIA_TYPE": (
        415,
        "unsupported_media_type",
        "Unsupported media type: send application/json",
    ),
    "WAF_FILTERED": (403, "forbidden", "Forbidden"),
    "API_CONFIGURATION_ERROR": (500, "internal_error", "Internal error"),
    "INTEGRATION_FAILURE": (503, "service_unavailable", "Service unavailable"),
    "INTEGRATION_TIMEOUT": (504, "internal_error", "Internal error"),
    "DEFAULT_4XX": (400, "bad_request", "Bad request"),
    "DEFAULT_5XX": (503, "service_unavailable", "Service unavailable"),
}
#: What the authorizer left, for the two types whose body it says.
DENIED = {"authorizer.message": "API key has been revoked"}
MISSING_SCOPE = {
    "authorizer.code": "forbidden",
    "authorizer.message": "Missing required scope: write",
}
LEFT = {"ACCESS_DENIED": DENIED, "INVALID_API_KEY": MISSING_SCOPE}
VARIABLE = re.compile(r"\$context\.([a-z_.]+)")
PREFIX = "gatewayresponse.header."


def responses(**parameters: str) -> dict[str, Any]:
    found: dict[str, Any] = deployed(**parameters).definition[
        "x-amazon-apigateway-gateway-responses"
    ]
    return found


def headers(kind: str, **parameters: str) -> dict[str, str]:
    found = responses(**parameters)[kind]["responseParameters"]
    return {name.removeprefix(PREFIX): value for name, value in found.items()}


def body(kind: str, left: dict[str, str] | None = None) -> dict[str, Any]:
    known = LEFT.get(kind, {}) if left is None else left
    templates = responses()[kind]["responseTemplates"]
    assert list(templates) == ["application/json"]
    text = VARIABLE.sub(lambda found: known[found[1]], templates["application/json"])
    assert "$" not in text, "a variable that no response of this type is known to have"
    parsed: dict[str, Any] = json.loads(text)
    return parsed


def test_every_type_that_api_gateway_has_is_answered_in_the_envelope() -> None:
    assert set(responses()) == set(CONTRACT)


@pytest.mark.parametrize("kind", CONTRACT)
def test_the_body_is_the_envelope_with_the_contracts_status_code_and_message(kind: str) -> None:
    status, code, message = CONTRACT[kind]
    assert body(kind) == {"object": "error", "status": status, "code": code, "message": message}


@pytest.mark.parametrize("kind", [kind for kind in CONTRACT if kind != "DEFAULT_4XX"])
def test_the_status_on_the_line_is_the_one_in_the_body(kind: str) -> None:
    assert responses()[kind]["statusCode"] == str(body(kind)["status"])


def test_default_4xx_forces_no_status_upon_the_types_that_cannot_be_named() -> None:
    assert "statusCode" not in responses()["DEFAULT_4XX"]


def test_a_plans_fault_under_a_good_verdict_is_no_bad_credential() -> None:
    """The status is a literal: the body says the one that is on the line."""
    caller = Caller(user_id="u", auth_mode="api-key", scopes=("read",))
    figures = RateLimitStatus(limit=120, remaining=7, reset_s=1_800_000_000, more_s=1)
    good: list[Allowed | Limited] = [
        Allowed(caller=caller, figures=figures, usage_key="t"),
        Limited(figures=figures, retry_after_s=9, usage_key="t"),
    ]
    for verdict in good:
        left = {f"authorizer.{name}": str(value) for name, value in context.write(verdict).items()}
        assert body("INVALID_API_KEY", left) == {
            "object": "error",
            "status": 403,
            "code": "service_unavailable",
            "message": "Usage plan unavailable",
        }


@pytest.mark.parametrize("message", AUTHORIZER_MESSAGES)
def test_the_authorizers_messages_need_no_escaping_where_nothing_escapes_them(message: str) -> None:
    assert json.dumps(message) == f'"{message}"'


@pytest.mark.parametrize("kind", CONTRACT)
def test_headers_are_literals_since_nothing_else_is_documented_to_work(kind: str) -> None:
    for name, value in headers(kind).items():
        assert re.fullmatch(r"'[^']+'", value), f"{name}: {value}"


@pytest.mark.parametrize("origin", ["*", "https://app.example.com"])
@pytest.mark.parametrize("kind", CONTRACT)
def test_browsers_of_the_allowed_origin_may_read_every_answer(kind: str, origin: str) -> None:
    found = headers(kind, AllowedOrigin=origin)
    assert found["Access-Control-Allow-Origin"] == f"'{origin}'"
    exposed = set(found.get("Access-Control-Expose-Headers", "''").strip("'").split(","))
    assert exposed - {""} == set(found) & {"Retry-After", "WWW-Authenticate"}


@pytest.mark.parametrize("kind", CONTRACT)
def test_401_and_only_401_says_how_to_authenticate(kind: str) -> None:
    asked = headers(kind).get("WWW-Authenticate")
    assert asked == ("'Bearer'" if CONTRACT[kind][0] == 401 else None)


@pytest.mark.parametrize("kind", CONTRACT)
def test_retry_after_is_given_where_a_time_is_known(kind: str) -> None:
    known = kind == "THROTTLED" or CONTRACT[kind][0] == 503
    assert headers(kind).get("Retry-After") == ("'1'" if known else None)


@pytest.mark.parametrize("kind", CONTRACT)
def test_nothing_that_the_client_sent_comes_back(kind: str) -> None:
    everything = json.dumps(responses()[kind])
    assert not re.search(r"method\.request|\$context\.error|identity|stageVariables", everything)
