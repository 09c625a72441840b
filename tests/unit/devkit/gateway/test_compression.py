"""Answers are compressed exactly where API Gateway documents that it does so."""

from __future__ import annotations

import gzip

import pytest

from chatgrid_devkit.gateway.compression import compressed
from chatgrid_devkit.gateway.messages import Request, Response

BODY = b"{}" * 600
PLAIN = (("Content-Type", "application/json"),)


def request(accepted: str | None) -> Request:
    headers = [] if accepted is None else [("Accept-Encoding", accepted)]
    return Request(
        id="1",
        received_ms=0,
        method="GET",
        raw_path="/v1/me",
        path="/me",
        query="",
        headers=headers,
        source_ip="127.0.0.1",
    )


def answer(body: bytes = BODY, *more: tuple[str, str]) -> Response:
    return Response(status=200, headers=(*PLAIN, *more), body=body)


@pytest.mark.parametrize(
    "accepted", ["gzip", "gzip, deflate, br", "br, GZIP;q=0.5", "deflate,gzip; q=0.1"]
)
def test_a_large_answer_is_compressed_for_a_client_that_names_gzip(accepted: str) -> None:
    found = compressed(answer(), request(accepted), minimum_bytes=1000)
    assert gzip.decompress(found.body) == BODY
    assert found.headers == [*PLAIN, ("Content-Encoding", "gzip")]
    assert found.status == 200


@pytest.mark.parametrize("accepted", [None, "", "*", "br", "identity", "gzip;q=0", "gzip; q=0.000"])
def test_no_other_client_gets_what_it_did_not_ask_for(accepted: str | None) -> None:
    assert compressed(answer(), request(accepted), minimum_bytes=0) == answer()


def test_the_minimum_is_the_first_size_that_is_compressed() -> None:
    assert compressed(answer(), request("gzip"), minimum_bytes=len(BODY) + 1) == answer()
    assert compressed(answer(), request("gzip"), minimum_bytes=len(BODY)) != answer()


def test_an_empty_answer_stays_empty() -> None:
    assert compressed(answer(b""), request("gzip"), minimum_bytes=0) == answer(b"")


def test_without_a_minimum_nothing_is_compressed() -> None:
    assert compressed(answer(), request("gzip"), minimum_bytes=None) == answer()


def test_what_a_function_has_encoded_stays_as_it_is() -> None:
    given = answer(BODY, ("content-encoding", "br"))
    assert compressed(given, request("gzip"), minimum_bytes=0) == given
