"""One request for one small document: bounded in time and size, over TLS, going nowhere else.

``urllib.request`` follows redirects and proxies and times each read by itself; here a server
that sends one byte a second, or a body without end, is done for at the deadline.
"""

from __future__ import annotations

import contextlib
import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from chatgrid_auth.domain.errors import IdentityProviderUnavailable

#: For everything: name, connection, TLS, headers, body. A request may be waiting for it. Only the
#: look-up of the name cannot be cut short from here: `RES_OPTIONS`, in the template, does that.
TIMEOUT_SECONDS = 2.0
#: Supabase's key sets are below 2 KB.
MAX_BYTES = 65_536

_CHUNK = 8_192

#: The seconds that are left of a fetch's time; `TimeoutError` when there are none.
_Left = Callable[[], float]


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
    left = _until(monotonic() + timeout_seconds, monotonic)
    address = urlsplit(url)
    tls = ssl.create_default_context() if address.scheme == "https" else None
    connection = (
        HTTPSConnection(address.netloc, context=tls) if tls else HTTPConnection(address.netloc)
    )
    try:
        _connect(connection, tls, left)
        connection.response_class = _timed_response(left)  # type: ignore[assignment]  # a factory does
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


def _until(deadline: float, monotonic: Callable[[], float]) -> _Left:
    def left() -> float:
        seconds = deadline - monotonic()
        if seconds <= 0:
            raise TimeoutError("the deadline has passed")
        return seconds

    return left


def _connect(connection: HTTPConnection, tls: ssl.SSLContext | None, left: _Left) -> None:
    """Connect as the connection itself would, which grants its time-out to every step anew."""
    connection.sock = _reach(connection.host, connection.port, left)
    connection.sock.settimeout(left())
    if tls:
        connection.sock = tls.wrap_socket(connection.sock, server_hostname=connection.host)
        connection.sock.settimeout(left())


def _reach(host: str, port: int, left: _Left) -> socket.socket:
    """A socket to the first address that answers.

    All but the last get half of what is left: one that drops everything leaves time for the next.
    """
    *others, last = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for other in others:
        with contextlib.suppress(OSError):
            return _dial(other, left() / 2)
    return _dial(last, left())


def _dial(found: Any, seconds: float) -> socket.socket:
    family, kind, protocol, _, address = found
    sock = socket.socket(family, kind, protocol)
    try:
        sock.settimeout(seconds)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _read(response: HTTPResponse, max_bytes: int) -> bytes:
    body = bytearray()
    while chunk := response.read(min(_CHUNK, max_bytes + 1 - len(body))):
        body += chunk
        if len(body) > max_bytes:
            raise IdentityProviderUnavailable("the answer is too large")
    if response.length:  # http.client says nothing when fewer bytes came than were announced
        raise IdentityProviderUnavailable("the answer broke off")
    return bytes(body)


def _timed_response(left: _Left) -> Callable[..., HTTPResponse]:
    def response(sock: socket.socket, *arguments: Any, **options: Any) -> HTTPResponse:
        timed: Any = _TimedSocket(sock, left)
        return HTTPResponse(timed, *arguments, **options)

    return response


class _TimedSocket:
    """As much of a socket as `HTTPResponse` uses, with one deadline over all reads."""

    def __init__(self, sock: socket.socket, left: _Left) -> None:
        self._raw = _TimedReader(sock, left)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._raw)


class _TimedReader(io.RawIOBase):
    def __init__(self, sock: socket.socket, left: _Left) -> None:
        super().__init__()
        self._sock = sock
        # Holds the descriptor open, since http.client closes the socket before the body is read.
        self._stream = sock.makefile("rb", buffering=0)
        self._left = left

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._left())
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()
