"""One HTTP/1.1 connection, kept alive and replaced when it has gone stale.

Not for several threads at once. After a fork, or in a restored snapshot, call ``close`` first.
"""

from __future__ import annotations

from time import monotonic

from chatgrid_auth.adapters.awslite.deadline_socket import DeadlineSocket, OutOfTime
from chatgrid_auth.adapters.awslite.http_response import (
    BEGINNING,
    BODY_LIMIT_BYTES,
    CHUNK_LINE_LIMIT_BYTES,
    HEAD_LIMIT_BYTES,
    HEADER_LIMIT,
    HttpFault,
    Response,
    body_length,
    chunk_size,
    parse_head,
    within_limit,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from chatgrid_auth.adapters.awslite.tls import Tls


class HttpConnection:
    """Exchanges one request for one response, over the open connection or a new one.

    A connection that the server has closed meanwhile is replaced before it is used. When that
    comes to light only afterwards, the fault says so: no request is ever sent a second time here.

    Args:
        host: name or address of the server.
        port: its port.
        tls: how to speak TLS; ``None`` for plain text.
        connect_seconds: how long connecting may take, TLS included.
        reply_seconds: how long sending and the whole response may take together.
        body_limit_bytes: a longer response is a fault.
        body_may_end_with_connection: whether a body whose length nobody told ends where the
            connection does. A body that was cut off looks the same.
        clock: a monotonic clock in seconds; deadlines are read on it.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        tls: Tls | None = None,
        connect_seconds: float = 0.5,
        reply_seconds: float = 1.0,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
        body_may_end_with_connection: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._reply_seconds = reply_seconds
        self._body_limit_bytes = body_limit_bytes
        self._body_may_end = body_may_end_with_connection
        self._clock = clock
        self._stream: DeadlineSocket | None = None

    def close(self) -> None:
        """Let go of the connection; the next exchange opens another."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def open(self, deadline: float) -> DeadlineSocket:
        """The connection, made now unless there is one already.

        Raises:
            HttpFault: none could be made in time.
        """
        if self._stream is None:
            deadline = min(deadline, self._clock() + self._connect_seconds)
            try:
                self._stream = self._connect(deadline)
            except OutOfTime:
                raise HttpFault("ConnectTimeout", sent=False) from None
            except OSError as error:
                raise HttpFault(type(error).__name__, sent=False) from None
        return self._stream

    def exchange(self, request: bytes, deadline: float) -> Response:
        """Send a whole request once, read the whole response.

        Raises:
            HttpFault: there is none in time, or none to be trusted.
        """
        kept = self._stream
        if kept is None or kept.is_stale():
            self.close()
            return self._exchange(self.open(deadline), request, deadline)
        try:
            return self._exchange(kept, request, deadline)
        except HttpFault as fault:
            fault.stale = fault.unanswered
            raise

    def _connect(self, deadline: float) -> DeadlineSocket:
        while True:
            try:
                return DeadlineSocket(
                    self._host, self._port, tls=self._tls, clock=self._clock, deadline=deadline
                )
            except OSError as error:
                if self._tls is None or not self._tls.widen_trust(error):
                    raise

    def _exchange(self, stream: DeadlineSocket, request: bytes, deadline: float) -> Response:
        deadline = min(deadline, self._clock() + self._reply_seconds)
        reader = _Reader(stream, deadline, self._body_limit_bytes)
        reusable = False
        try:
            stream.send(request, deadline)
            response = reader.read(may_end=self._body_may_end)
            reusable = response.keeps_alive()
        except OutOfTime:
            raise HttpFault("ReadTimeout") from None
        except OSError as error:
            raise HttpFault(type(error).__name__, unanswered=not reader.has_begun) from None
        finally:
            # What is left unread, after an interrupt too, must never answer the next request.
            if not reusable:
                self.close()
        return response


class _Reader:
    """Reads the one response that is due, and refuses whatever follows it."""

    __slots__ = ("_buffer", "_deadline", "_limit_bytes", "_stream", "has_begun")

    def __init__(self, stream: DeadlineSocket, deadline: float, limit_bytes: int) -> None:
        self._stream = stream
        self._deadline = deadline
        self._limit_bytes = limit_bytes
        self._buffer = b""
        self.has_begun = False

    def read(self, *, may_end: bool) -> Response:
        while len(self._buffer) < len(BEGINNING):
            self._more()
        if not self._buffer.startswith(BEGINNING):  # no use in waiting for the end of its head
            raise HttpFault("MalformedResponse")
        response = parse_head(self._until(b"\r\n\r\n", HEAD_LIMIT_BYTES))
        if may_end and not response.tells_its_length():
            response.body = self._rest()
            return response
        length = body_length(response, self._limit_bytes)
        response.body = self._chunks() if length is None else self._take(length)
        if self._buffer:
            raise HttpFault("MalformedResponse")
        return response

    def _more(self) -> None:
        received = self._stream.receive(self._deadline)
        if not received:
            raise HttpFault("TruncatedResponse", unanswered=not self.has_begun)
        self.has_begun = True
        self._buffer += received

    def _until(self, end: bytes, limit: int) -> bytes:
        while (at := self._buffer.find(end, 0, limit)) < 0:
            if len(self._buffer) >= limit:
                raise HttpFault("HeadTooLarge")
            self._more()
        before = self._buffer[:at]
        self._buffer = self._buffer[at + len(end) :]
        return before

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken = self._buffer[:size]
        self._buffer = self._buffer[size:]
        return taken

    def _rest(self) -> bytes:
        received = self._buffer
        self._buffer = b""
        while within_limit(len(received), self._limit_bytes) >= 0:
            more = self._stream.receive(self._deadline)
            if not more:
                break
            received += more
        return received

    def _chunks(self) -> bytes:
        body = b""
        while size := chunk_size(self._until(b"\r\n", CHUNK_LINE_LIMIT_BYTES), self._limit_bytes):
            within_limit(len(body) + size, self._limit_bytes)
            body += self._take(size)
            if self._take(2) != b"\r\n":
                raise HttpFault("MalformedResponse")
        # Trailers say nothing that is needed here: they are read, and let fall.
        for _ in range(HEADER_LIMIT):
            if not self._until(b"\r\n", HEAD_LIMIT_BYTES):
                return body
        raise HttpFault("HeadTooLarge")
