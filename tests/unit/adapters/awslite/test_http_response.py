"""Only what RFC 9112 makes unambiguous is read as a response."""

from __future__ import annotations

import pytest

from chatgrid_auth.adapters.awslite.http_response import (
    BODY_LIMIT_BYTES,
    HttpFault,
    Response,
    body_length,
    chunk_size,
    parse_head,
)


def head(*lines: str) -> Response:
    return parse_head("\r\n".join(("HTTP/1.1 200 OK", *lines)).encode("latin-1"))


def test_status_and_headers_are_read_whatever_their_letter_case() -> None:
    found = head("Content-LENGTH:  12 ", "X-Amz-Crc32: 7")
    assert found.status == 200
    assert found.headers == {b"content-length": b"12", b"x-amz-crc32": b"7"}


def test_repeated_headers_are_joined_in_order() -> None:
    assert head("A: 1", "A: 2").headers == {b"a": b"1, 2"}


def test_repeated_length_that_agrees_is_one_length() -> None:
    assert body_length(head("Content-Length: 3", "Content-Length: 3")) == 3


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"garbage",
        b"HTTP/1.1",
        b"HTTP/1.1 20",
        b"HTTP/1.1 2000 OK",
        b"HTTP/1.1 abc OK",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 600 No",
        b"HTTP/1.0 200 OK",
        b"HTTP/2 200",
        b"HTTP/1.1  200 OK",
        b"ICY 200 OK",
    ],
)
def test_another_status_line_is_refused(line: bytes) -> None:
    with pytest.raises(HttpFault):
        parse_head(line + b"\r\nContent-Length: 0")


@pytest.mark.parametrize(
    "line",
    ["no colon", ": no name", "name : x", " folded: x", "na\x00me: x", "näme: x", "a: x\ny: z"],
)
def test_a_line_that_is_no_header_is_refused(line: str) -> None:
    with pytest.raises(HttpFault):
        head(line)


def test_too_many_headers_are_refused() -> None:
    with pytest.raises(HttpFault, match="HeadTooLarge"):
        head(*(f"x{n}: y" for n in range(100)))


@pytest.mark.parametrize(
    "lines",
    [
        ("A: b",),
        ("Content-Length: -1",),
        ("Content-Length: +1",),
        ("Content-Length: 1_0",),
        ("Content-Length: 0x1",),
        ("Content-Length: ",),
        ("Content-Length: 1", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: identity",),
    ],
)
def test_a_body_of_unclear_length_is_refused(lines: tuple[str, ...]) -> None:
    with pytest.raises(HttpFault, match="MalformedResponse"):
        body_length(head(*lines))


def test_lengths_that_disagree_are_refused() -> None:
    with pytest.raises(HttpFault, match="MalformedResponse"):
        head("Content-Length: 1", "Content-Length: 2")


def test_a_body_beyond_the_limit_is_refused() -> None:
    assert body_length(head(f"Content-Length: {BODY_LIMIT_BYTES}")) == BODY_LIMIT_BYTES
    for size in (BODY_LIMIT_BYTES + 1, 10**40):
        with pytest.raises(HttpFault, match="ResponseTooLarge"):
            body_length(head(f"Content-Length: {size}"))


def test_chunk_sizes_are_hexadecimal_and_bounded() -> None:
    assert chunk_size(b"1aF") == 0x1AF
    assert chunk_size(b"000000000000012") == 18
    assert chunk_size(b"10 ;name=value") == 16
    for line in (b"", b";x", b"0x1", b"-1", b"g", b"1 1"):
        with pytest.raises(HttpFault, match="MalformedResponse"):
            chunk_size(line)
    with pytest.raises(HttpFault, match="ResponseTooLarge"):
        chunk_size(b"f" * 40)


def test_the_server_may_end_the_connection() -> None:
    assert head("A: b").keeps_alive()
    assert head("Connection: Keep-Alive").keeps_alive()
    assert not head("Connection: Close").keeps_alive()
