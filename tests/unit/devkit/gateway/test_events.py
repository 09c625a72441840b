"""Functions get the events that REST APIs send, in every detail that the project rests on."""

from __future__ import annotations

from typing import Any

from tests.support.gateway_world import AUTHORIZER, BOARDS, World

HEADERS = [
    ("Host", "127.0.0.1:3000"),
    ("authorization", "Bearer x"),
    ("user-agent", "curl/8"),
    ("X-Tag", "a"),
    ("x-tag", "b"),
    ("X-Forwarded-For", "203.0.113.9"),
]


def sent(target: str = "/v1/boards?a=1&a=2&b=&c=x%20y%2Bz+w") -> tuple[Any, Any]:
    world = World()
    world.ask("GET", target, headers=HEADERS)
    return world.called(AUTHORIZER)[0], world.called(BOARDS)[0]


def test_headers_come_single_with_the_last_value_and_in_full() -> None:
    for event in sent():
        assert event["headers"]["X-Tag"] == "b"
        assert event["multiValueHeaders"]["X-Tag"] == ["a", "b"]
        assert event["headers"]["User-Agent"] == "curl/8"
        assert event["headers"]["Host"] == "127.0.0.1:3000"


def test_the_peer_s_address_is_believed_and_not_the_client_s_header() -> None:
    for event in sent():
        assert event["requestContext"]["identity"]["sourceIp"] == "192.0.2.7"
        assert event["headers"]["X-Forwarded-For"] == "203.0.113.9, 192.0.2.7"


def test_the_query_is_decoded_once_and_keeps_every_value() -> None:
    for event in sent():
        assert event["queryStringParameters"] == {"a": "2", "b": "", "c": "x y+z w"}
        assert event["multiValueQueryStringParameters"] == {
            "a": ["1", "2"],
            "b": [""],
            "c": ["x y+z w"],
        }


def test_absent_maps_are_empty_for_an_authorizer_and_null_for_a_proxy() -> None:
    authorizer, proxy = sent("/v1/boards")
    for name in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters"):
        assert authorizer[name] == {}
        assert proxy[name] is None
    assert authorizer["stageVariables"] == {}
    assert proxy["stageVariables"] is None


def test_an_authorizer_never_sees_the_body() -> None:
    world = World()
    world.ask("POST", "/v1/boards", headers=HEADERS, body=b"secret")
    assert "body" not in world.called(AUTHORIZER)[0]
    assert world.called(BOARDS)[0]["body"] == "secret"


def test_without_a_body_there_is_null() -> None:
    assert sent()[1]["body"] is None


def test_both_events_are_of_the_same_request() -> None:
    authorizer, proxy = sent()
    assert authorizer["type"] == "REQUEST"
    for name in ("requestId", "requestTimeEpoch", "apiId", "stage", "resourcePath", "path"):
        assert authorizer["requestContext"][name] == proxy["requestContext"][name]


def test_the_context_has_what_rest_apis_put_into_it() -> None:
    context = sent()[1]["requestContext"]
    assert set(context) == {
        "resourceId",
        "resourcePath",
        "httpMethod",
        "extendedRequestId",
        "requestTime",
        "requestTimeEpoch",
        "path",
        "accountId",
        "protocol",
        "stage",
        "domainPrefix",
        "domainName",
        "deploymentId",
        "apiId",
        "requestId",
        "identity",
        "authorizer",
    }
    assert context["stage"] == "v1"
    assert context["protocol"] == "HTTP/1.1"
    assert context["domainName"].startswith(context["apiId"])
    assert context["identity"]["userAgent"] == "curl/8"
    assert context["requestTime"].endswith(" +0000")
