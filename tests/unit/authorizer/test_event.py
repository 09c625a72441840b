"""Reading API Gateway's question: one credential or none, and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_auth.services.gate.requests import Routes
from chatgrid_authorizer import event

ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc123/v1/POST/me/api-keys/42"


def read(incoming: Any, **settings: Any) -> event.MethodRequest:
    return event.read(incoming, routes=Routes(permissions={}), **settings)


def request_event(**facts: Any) -> dict[str, Any]:
    return {
        "type": "REQUEST",
        "methodArn": ARN,
        "resource": "/me/api-keys/{id}",
        "path": "/me/api-keys/42",
        "httpMethod": "POST",
        "headers": {"Authorization": "Bearer x"},
        "multiValueHeaders": {"Authorization": ["Bearer x"]},
        "requestContext": {"requestId": "r-1", "identity": {"sourceIp": "192.0.2.1"}},
        **facts,
    }


def test_the_resource_is_the_one_that_api_gateway_matched() -> None:
    found = read(request_event(path="/boards"))
    assert (found.method, found.resource, found.request_id) == ("POST", "/me/api-keys/{id}", "r-1")
    assert found.declared_resource == found.resource


def test_the_method_comes_from_the_arn_and_not_from_a_header() -> None:
    headers = {"Authorization": ["Bearer x"], "X-HTTP-Method-Override": ["GET"]}
    assert read(request_event(multiValueHeaders=headers, httpMethod="GET")).method == "POST"


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
def test_the_header_is_found_in_any_case(name: str) -> None:
    found = read(request_event(headers=None, multiValueHeaders={name: ["Bearer x"]}))
    assert found.authorization == "Bearer x"
    found = read(request_event(headers={name: "Bearer x"}, multiValueHeaders=None))
    assert found.authorization == "Bearer x"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": []},
        {"Authorization": ["Bearer x", "Bearer x"]},
        {"Authorization": ["Bearer x"], "authorization": ["Bearer y"]},
        {"Authorization": [None]},
        {"Authorization": "Bearer x"},
    ],
)
def test_anything_but_exactly_one_header_is_no_credential(headers: dict[str, Any]) -> None:
    found = read(request_event(multiValueHeaders=headers))
    assert found.authorization is None


def test_a_token_event_carries_the_token_and_the_arn_alone() -> None:
    found = read({"type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer x"})
    assert found.authorization == "Bearer x"
    assert (found.method, found.resource) == ("POST", "/me/api-keys/42")
    assert found.declared_resource == ""


@pytest.mark.parametrize("arn", [None, 5, "", "*", "arn:aws:execute-api:r:a:api", "x/y/z/w"])
def test_what_names_no_method_is_a_request_without_a_credential(arn: object) -> None:
    found = read(request_event(methodArn=arn))
    assert (found.method_arn, found.authorization) == ("*", None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
_NAMES = st.sampled_from(
    [
        "type",
        "methodArn",
        "authorizationToken",
        "headers",
        "multiValueHeaders",
        "requestContext",
        "resource",
        "httpMethod",
        "Authorization",
    ]
)


@given(st.dictionaries(_NAMES, _JSON))
def test_no_event_is_too_strange_to_be_read(incoming: dict[str, Any]) -> None:
    found = read(incoming)
    assert isinstance(found.method_arn, str)
    assert found.authorization is None or isinstance(found.authorization, str)


@given(st.dictionaries(_NAMES, _JSON))
def test_no_part_of_an_event_is_too_strange_to_be_read(parts: dict[str, Any]) -> None:
    read(request_event(**{**parts, "methodArn": ARN}))


def test_the_source_is_what_api_gateway_saw_and_no_header_changes_it() -> None:
    headers = {"Authorization": ["Bearer x"], "X-Forwarded-For": ["203.0.113.9"]}
    assert read(request_event(multiValueHeaders=headers)).judged.source == "192.0.2.1"


@pytest.mark.parametrize("identity", [None, [], {}, {"sourceIp": None}, {"sourceIp": 7}])
def test_an_event_without_a_source_has_none(identity: object) -> None:
    context = {"requestId": "r-1", "identity": identity}
    assert read(request_event(requestContext=context)).judged.source == ""


@pytest.mark.parametrize("name", ["Origin", "origin", "ORIGIN"])
def test_one_origin_is_read_and_several_are_none(name: str) -> None:
    page, other = "https://app.example.com", "https://evil.example"
    alone = {"Authorization": ["Bearer x"], name: [page]}
    assert read(request_event(multiValueHeaders=alone)).judged.origin == page
    single = {"Authorization": "Bearer x", name: page}
    found = read(request_event(multiValueHeaders=None, headers=single))
    assert found.judged.origin == page
    for several in ({name: [page, other]}, {name: [page], "oRIGIN": [other]}, {name: [7]}, {}):
        assert read(request_event(multiValueHeaders=several)).judged.origin is None


def test_a_route_is_what_the_api_declares_and_no_spelled_path() -> None:
    assert read(request_event()).judged.route == "POST /me/api-keys/{id}"
    for spelled in (
        {"type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer x"},
        request_event(resource=None),
        request_event(resource="$default"),  # an HTTP API's, in payload 1.0
    ):
        assert read(spelled).judged.route == ""


def test_a_declared_route_needs_its_permission_and_a_spelled_path_all() -> None:
    assert read(request_event(resource="/boards/{id}")).judged.permission == "boards:write"
    assert read(request_event(resource="/boards/{id}")).judged.permission == "boards:write"
    assert read(request_event(resource=None)).judged.permission == "*"
    assert read(request_event(resource="$default")).judged.permission == "*"
    token = {"type": "TOKEN", "methodArn": ARN, "authorizationToken": "Bearer x"}
    assert read(token).judged.permission == "*"


def test_behind_trusted_proxies_the_source_is_what_they_say() -> None:
    incoming = request_event(headers={"X-Forwarded-For": "203.0.113.9"})
    seen = []

    def source_of(event: Any, peer: str) -> str:
        seen.append((event, peer))
        return "203.0.113.9"

    assert read(incoming, source_of=source_of).judged.source == "203.0.113.9"
    assert seen == [(incoming, "192.0.2.1")]


def test_so_many_routes_are_remembered_and_no_more() -> None:
    routes = Routes(permissions={"POST /exports": "exports:run"})
    for number in range(3_000):
        routes.declared("GET", f"/a{number}")
    assert len(routes._declared) <= 1_024
    assert routes.declared("POST", "/exports").permission == "exports:run"
