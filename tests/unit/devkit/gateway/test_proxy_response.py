"""A function's answer reaches the client as it was meant, or not at all."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from chatgrid_devkit.gateway.messages import Response
from chatgrid_devkit.gateway.proxy_response import MalformedResponse, read_proxy_response


def read(**value: Any) -> Response:
    return read_proxy_response({"statusCode": 200, **value}, request_id="r")


def test_status_headers_and_body_pass_through() -> None:
    answer = read(statusCode=201, headers={"X-A": "1", "Content-Type": "text/plain"}, body="hé")
    assert answer.status == 201
    assert answer.body == "hé".encode()
    assert list(answer.headers) == [
        ("X-A", "1"),
        ("Content-Type", "text/plain"),
        ("x-amzn-RequestId", "r"),
    ]


def test_json_is_the_default_content_type() -> None:
    assert ("Content-Type", "application/json") in read(body="{}").headers


def test_a_status_may_be_text() -> None:
    assert read(statusCode="204").status == 204


def test_both_header_maps_are_merged_without_repeating_a_pair() -> None:
    answer = read(
        headers={"set-cookie": "a=1", "X-One": "1", "X-Both": "x"},
        multiValueHeaders={"Set-Cookie": ["a=1", "b=2"], "X-Both": ["y"]},
    )
    names = [(name.lower(), value) for name, value in answer.headers]
    assert names.count(("set-cookie", "a=1")) == 1
    assert ("set-cookie", "b=2") in names
    assert ("x-one", "1") in names
    assert {value for name, value in names if name == "x-both"} == {"x", "y"}


def test_header_values_become_text() -> None:
    headers = dict(read(headers={"X-Int": 120, "X-Yes": True}).headers)
    assert (headers["X-Int"], headers["X-Yes"]) == ("120", "true")


def test_the_connection_s_own_headers_are_left_to_the_server() -> None:
    names = {n for n, _ in read(headers={"Content-Length": "9", "Connection": "close"}).headers}
    assert names == {"Content-Type", "x-amzn-RequestId"}


def test_base64_bodies_are_decoded() -> None:
    body = base64.b64encode(b"\x00\xff").decode()
    assert read(body=body, isBase64Encoded=True).body == b"\x00\xff"


def test_no_body_is_an_empty_one() -> None:
    assert read(body=None).body == b""
    assert read().body == b""


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        [],
        {},
        {"statusCode": None},
        {"statusCode": True},
        {"statusCode": 99},
        {"statusCode": 600},
        {"statusCode": 200.5},
        {"statusCode": "two hundred"},
        {"statusCode": 200, "body": {"not": "text"}},
        {"statusCode": 200, "extra": 1},
        {"statusCode": 200, "headers": ["X"]},
        {"statusCode": 200, "headers": {"X": None}},
        {"statusCode": 200, "headers": {"X": "a\r\nSet-Cookie: b"}},
        {"statusCode": 200, "headers": {"X: y\r\nZ": "a"}},
        {"statusCode": 200, "multiValueHeaders": {"X": "a"}},
        {"statusCode": 200, "multiValueHeaders": {"X": [{}]}},
        {"statusCode": 200, "body": "no base64!", "isBase64Encoded": True},
        {"statusCode": 200, "isBase64Encoded": "yes"},
    ],
)
def test_what_is_no_proxy_answer_is_refused(value: Any) -> None:
    with pytest.raises(MalformedResponse):
        read_proxy_response(value, request_id="r")
