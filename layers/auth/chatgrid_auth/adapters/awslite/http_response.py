"""Reading HTTP/1.1 responses (RFC 9112) strictly, from bytes alone: no I/O here.

What a well-behaved server never sends is a fault, not something to make sense of: an answer
that is read wrongly could be taken for another request's.
"""

from __future__ import annotations

HEAD_LIMIT_BYTES = 16 * 1024
HEADER_LIMIT = 64
BODY_LIMIT_BYTES = 1024 * 1024
CHUNK_LINE_LIMIT_BYTES = 256
BEGINNING = b"HTTP/1.1 "

_TOKEN = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
_DIGITS = 16  # more are not worth converting: that takes long for a very long number
_HEX = frozenset(b"0123456789abcdefABCDEF")


class HttpFault(Exception):
    """There is no response that can be trusted.

    Args:
        code: what happened, as one word.
        sent: whether the server may have received the request, and may have acted upon it.
        unanswered: the connection ended before the first byte of a response.

    Attributes:
        stale: unanswered, on a connection that had been open since an earlier request.
    """

    def __init__(self, code: str, *, sent: bool = True, unanswered: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.sent = sent
        self.unanswered = unanswered
        self.stale = False


class Response:
    """A whole response: its status, its headers, its body.

    Names and values of headers are in lower case: none that is used here tells the difference.
    """

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: dict[bytes, bytes], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def keeps_alive(self) -> bool:
        """Whether another request may follow on the connection."""
        return b"close" not in self.headers.get(b"connection", b"")

    def tells_its_length(self) -> bool:
        """Whether the end of the body is known without the end of the connection."""
        return b"content-length" in self.headers or b"transfer-encoding" in self.headers


def parse_head(head: bytes) -> Response:
    """The status and headers of a head without its closing empty line; the body is empty.

    Raises:
        HttpFault: anything but a final HTTP/1.1 response with unambiguous headers.
    """
    lines = head.lower().split(b"\r\n")
    version, _, rest = lines[0].partition(b" ")
    code = rest.partition(b" ")[0]
    if version != b"http/1.1" or len(code) != 3 or not code.isdigit() or code[0] not in b"2345":
        raise HttpFault("MalformedResponse")
    ends = len(lines) - 1
    if ends >= HEADER_LIMIT:
        raise HttpFault("HeadTooLarge")
    headers: dict[bytes, bytes] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(b":")
        if not colon or not name:
            raise HttpFault("MalformedResponse")
        value = value.strip(b" \t")
        if name in headers and headers[name] != value:
            if name in {b"content-length", b"transfer-encoding"}:
                raise HttpFault("MalformedResponse")
            value = headers[name] + b", " + value
        headers[name] = value
    # Names are tokens: no blank before the colon, no folded line; and no line has a bare control
    # byte that another reader may take for its end. Asked once of them all, which is cheaper.
    if (
        b"".join(headers).translate(None, _TOKEN)
        or head.count(b"\n") != ends
        or head.count(b"\r") != ends
    ):
        raise HttpFault("MalformedResponse")
    return Response(int(code), headers, b"")


def body_length(response: Response, limit_bytes: int = BODY_LIMIT_BYTES) -> int | None:
    """How many bytes the body has, or ``None`` when it is chunked.

    Raises:
        HttpFault: the length is unknown, ambiguous or beyond the limit.
    """
    length = response.headers.get(b"content-length")
    coding = response.headers.get(b"transfer-encoding")
    if coding is not None:
        if coding != b"chunked" or length is not None:
            raise HttpFault("MalformedResponse")
        return None
    if length is None or not length.isdigit():
        raise HttpFault("MalformedResponse")
    return within_limit(int(length) if len(length) <= _DIGITS else limit_bytes + 1, limit_bytes)


def chunk_size(line: bytes, limit_bytes: int = BODY_LIMIT_BYTES) -> int:
    """The size that the first line of a chunk gives; extensions are ignored.

    Raises:
        HttpFault: the line is not a chunk's, or the chunk is beyond the limit.
    """
    digits = line.partition(b";")[0].rstrip(b" \t")
    if not digits or not _HEX.issuperset(digits):
        raise HttpFault("MalformedResponse")
    return within_limit(int(digits, 16) if len(digits) <= _DIGITS else limit_bytes + 1, limit_bytes)


def within_limit(size: int, limit_bytes: int) -> int:
    """The size, if a response may be that large.

    Raises:
        HttpFault: it may not.
    """
    if size > limit_bytes:
        raise HttpFault("ResponseTooLarge")
    return size
