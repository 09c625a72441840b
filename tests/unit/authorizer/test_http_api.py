"""An HTTP API gets a verdict for its guard to tell, and lets in nobody where there is no guard."""

from __future__ import annotations

from typing import Any

import pytest

from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.domain.scopes import required_scope
from chatgrid_auth.domain.verdicts import Verdict
from chatgrid_auth.guard import Admission, inspect
from chatgrid_authorizer import http_api
from chatgrid_authorizer.response import respond
from tests.unit.authorizer.gates import ALLOWED, FORBIDDEN, LIMITED, REFUSED, gate
from tests.unit.authorizer.test_event import read

GUARDED = {"chatgrid": "guarded"}
OUT = StoreUnavailable("UpdateItem", "Timeout")


def asked(route: str = "GET /boards/{id}", **more: Any) -> dict[str, Any]:
    http = {"method": "GET", "path": "/boards/7", "sourceIp": "203.0.113.7"}
    return {
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-central-1:123456789012:a1b2c3/$default/GET/boards/7",
        "routeKey": route,
        "rawPath": "/boards/7",
        "headers": {"authorization": "Bearer one", "origin": "https://app.example.org"},
        "requestContext": {"http": http, "requestId": "Dk9nEHvXliAFYxw=", "stage": "$default"},
        **more,
    }


def told(verdict: Verdict | Exception, **more: Any) -> dict[str, Any]:
    made, _, _ = gate(verdict)
    return respond(asked(**more), gate=made)


def guard(given: dict[str, Any]) -> Admission:
    """What a guard makes of the answer."""
    about = {"http": {"method": "GET"}, "authorizer": {"lambda": given["context"]}}
    arrived = {"version": "2.0", "routeKey": "GET /boards/{id}", "requestContext": about}
    return inspect(arrived, allow_origin="*", required_scope=required_scope, now_s=0)


@pytest.mark.parametrize("variables", [None, {}, GUARDED, {"chatgrid": "yes"}, ["chatgrid"]])
def test_an_allowed_request_reaches_its_backend_with_its_caller(variables: Any) -> None:
    given = told(ALLOWED, stageVariables=variables)
    assert given["isAuthorized"] is True
    admission = guard(given)
    assert admission.caller is not None
    assert admission.caller.user_id == ALLOWED.caller.user_id


@pytest.mark.parametrize("verdict", [REFUSED, FORBIDDEN, LIMITED])
@pytest.mark.parametrize("variables", [None, {}, {"chatgrid": "yes"}, {"CHATGRID": "guarded"}, []])
def test_a_backend_without_a_guard_meets_no_other_request(verdict: Verdict, variables: Any) -> None:
    assert told(verdict, stageVariables=variables)["isAuthorized"] is False


@pytest.mark.parametrize("name", ["chatgrid", "Chatgrid", "stagevariables"])
def test_no_header_and_no_query_says_that_there_are_guards(name: str) -> None:
    spelled = {name: "guarded", "authorization": "Bearer one"}
    given = told(REFUSED, headers=spelled, queryStringParameters=spelled)
    assert given["isAuthorized"] is False


@pytest.mark.parametrize(
    ("verdict", "status", "text"),
    [
        (REFUSED, 401, "API key has been revoked"),
        (FORBIDDEN, 403, "Missing required scope: read"),
        (LIMITED, 429, "Rate limit exceeded"),
        (OUT, 503, "Service unavailable"),
    ],
)
def test_behind_a_guard_each_refusal_has_the_contracts_response(
    verdict: Verdict | Exception, status: int, text: str
) -> None:
    given = told(verdict, stageVariables=GUARDED)
    assert given["isAuthorized"] is True
    assert "user_id" not in given["context"]
    admission = guard(given)
    assert (admission.caller, admission.status) == (None, status)
    assert text in admission.body


def test_an_outage_without_a_guard_is_no_bad_credential() -> None:
    with pytest.raises(StoreUnavailable):
        told(OUT, stageVariables={})


def test_the_same_is_read_as_from_a_rest_api() -> None:
    request = read(http_api.rest_event(asked()))
    assert (request.method, request.resource) == ("GET", "/boards/{id}")
    assert request.declared_resource == "/boards/{id}"
    assert (request.authorization, request.request_id) == ("Bearer one", "Dk9nEHvXliAFYxw=")
    assert (request.judged.source, request.judged.origin) == (
        "203.0.113.7",
        "https://app.example.org",
    )
    assert (request.judged.scope, request.judged.route) == ("read", "GET /boards/{id}")


def test_a_route_for_whatever_is_spelled_declares_no_resource() -> None:
    request = read(http_api.rest_event(asked("$default")))
    assert (request.resource, request.declared_resource) == ("/boards/7", "")


@pytest.mark.parametrize(
    "strange",
    [
        {"routeArn": None},
        {"routeArn": 7, "routeKey": 7, "requestContext": 7},
        {"routeArn": "", "routeKey": "", "headers": [], "requestContext": {"http": []}},
        {"routeArn": "x", "rawPath": {}, "headers": {"authorization": ["Bearer one"]}},
    ],
)
def test_no_event_of_an_http_api_is_too_strange_to_be_refused(strange: dict[str, Any]) -> None:
    made, _, _ = gate(REFUSED)
    assert respond(strange, gate=made)["isAuthorized"] is False
