"""An answer is told from a failure by status and code, never by words."""

from __future__ import annotations

import json
from zlib import crc32

import pytest

from chatgrid_auth.adapters.awslite.dynamodb_responses import (
    ConditionNotMet,
    Failure,
    TransactionRefused,
    read_response,
)
from chatgrid_auth.adapters.awslite.http_response import Response


def response(body: object, status: int = 200) -> Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status, {}, raw)


def failure(found: Response) -> Failure:
    with pytest.raises(Failure) as caught:
        read_response(found)
    return caught.value


def test_a_success_is_its_document() -> None:
    assert read_response(response({"a": {"S": "ü"}})) == {"a": {"S": "ü"}}
    assert read_response(response(b'{"a": 1}\n')) == {"a": 1}


def test_a_checksum_is_checked_where_there_is_one() -> None:
    for status in (200, 400, 500):
        changed = response(b"{ }", status)
        changed.headers[b"x-amz-crc32"] = b"%d" % crc32(b"{}")
        assert failure(changed).code == "ChecksumMismatch"
        assert failure(changed).transient
    sound = response(b"{}")
    sound.headers[b"x-amz-crc32"] = b"%d" % crc32(b"{}")
    assert read_response(sound) == {}


@pytest.mark.parametrize("prefix", ["", "com.amazonaws.dynamodb.v20120810#", "com.amazon.coral#"])
def test_the_code_is_what_follows_the_namespace(prefix: str) -> None:
    body = {"__type": f"{prefix}AccessDeniedException", "message": "ThrottlingException"}
    found = failure(response(body, 400))
    assert found.code == "AccessDeniedException"
    assert not found.transient


@pytest.mark.parametrize("kind", [None, 5, "", "a b", "x" * 200, "#", "ÄException", "a\r\nb"])
def test_what_cannot_be_a_code_is_replaced_by_the_status(kind: object) -> None:
    assert failure(response({"__type": kind}, 400)).code == "Status400"


def test_a_condition_comes_with_its_item_or_none() -> None:
    body = {"__type": "x#ConditionalCheckFailedException"}
    for extra, item in (({}, None), ({"Item": {"a": {"N": "1"}}}, {"a": {"N": "1"}})):
        with pytest.raises(ConditionNotMet) as refused:
            read_response(response(body | extra, 400))
        assert refused.value.item == item


@pytest.mark.parametrize(
    ("status", "transient"), [(200, True), (429, True), (500, True), (503, True), (404, False)]
)
def test_what_is_no_document_may_pass_if_its_status_may(status: int, transient: bool) -> None:
    for body in (b"", b"<html>", b"[]", b"{}{}", b"\xff"):
        assert failure(response(body, status)).transient is transient


def test_a_document_in_a_redirect_is_no_answer() -> None:
    found = failure(response({"a": 1}, 302))
    assert found.code == "Status302"
    assert not found.transient


def test_a_refused_transaction_tells_why_and_nonsense_is_a_fault() -> None:
    body = {"__type": "TransactionCanceledException", "CancellationReasons": [{"Code": "None"}]}
    with pytest.raises(TransactionRefused) as caught:
        read_response(response(body, 400))
    assert caught.value.reasons == ["None"]
    for nonsense in (None, "x", {"Code": "x"}, ["x"], [None]):
        found = failure(response({**body, "CancellationReasons": nonsense}, 400))
        assert (found.code, found.transient) == ("TransactionCanceledException", False)
