"""One request for one small document: bounded in time and size, over TLS, going nowhere else.

``urllib.request`` follows redirects and proxies and times each read by itself; here a server
that sends one byte a second, or a body without end, is done for at the deadline.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from chatgrid_auth.domain.errors import IdentityProviderUnavailable

#: For everything: name, connection, TLS, headers, body. A request may be waiting for it.
TIMEOUT_SECONDS = 2.0
#: Supabase's key sets are below 2 KB.
MAX_BYTES = 65_536

_CHUNK = 8_192


def fetch(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_BYTES,
    monotonic: Callable[[], float] = time.monotonic,
) -> bytes:
    """The body of a 200 answer to a GET, or with a body to a POST. All else is a fault.

    Raises:
        IdentityProviderUnavailable: with a fixed text; nothing of the answer is quoted.
    """
    deadline = monotonic() + timeout_seconds
    address = urlsplit(url)
    connection = _connection(address.scheme, address.netloc, timeout_seconds)
    try:
        connection.connect()
        connection.response_class = _timed_response(deadline, monotonic)  # type: ignore[assignment]
        connection.request(
            "GET" if body is None else "POST",
            address.path or "/",
            body=body,
            headers={**headers, "Connection": "close"},
        )
        response = connection.getresponse()
        if response.status != 200:  # redirects too: keys come from the configured place only
            raise IdentityProviderUnavailable("another answer than 200")
        return _read(response, max_bytes)
    except (OSError, HTTPException, ValueError) as error:
        raise IdentityProviderUnavailable("no answer") from error
    finally:
        connection.close()


def _connection(scheme: str, netloc: str, timeout_seconds: float) -> HTTPConnection:
    if scheme == "https":
        return HTTPSConnection(
            netloc, timeout=timeout_seconds, context=ssl.create_default_context()
        )
    return HTTPConnection(netloc, timeout=timeout_seconds)


def _read(response: HTTPResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while chunk := response.read(min(_CHUNK, max_bytes + 1 - len(body))):
        body += chunk
        if len(body) > max_bytes:
            raise IdentityProviderUnavailable("the answer is too large")
    if response.length:  # http.client says nothing when fewer bytes came than were announced
        raise IdentityProviderUnavailable("the answer broke off")
    return bytes(body)


def _timed_response(deadline: float, monotonic: Callable[[], float]) -> Callable[..., HTTPResponse]:
    def response(sock: socket.socket, *arguments: Any, **options: Any) -> HTTPResponse:
        timed: Any = _TimedSocket(sock, deadline, monotonic)
        return HTTPResponse(timed, *arguments, **options)

    return response


class _TimedSocket:
    """As much of a socket as `HTTPResponse` uses, with one deadline over all reads."""

    def __init__(
        self, sock: socket.socket, deadline: float, monotonic: Callable[[], float]
    ) -> None:
        self._raw = _TimedReader(sock, deadline, monotonic)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


class _TimedReader(io.RawIOBase):
    def __init__(
        self, sock: socket.socket, deadline: float, monotonic: Callable[[], float]
    ) -> None:
        super().__init__()
        self._sock = sock
        # Holds the descriptor open, since http.client closes the socket before the body is read.
        self._stream = sock.makefile("rb", buffering=0)
        self._deadline = deadline
        self._monotonic = monotonic

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - self._monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
