"""A server on loopback that answers by a script, faults included.

Each step of the script serves one request: it reads it, and then answers it, or does what
networks do. Steps are taken in order, over however many connections the client opens; requests
beyond the script are left unanswered, and the test sees them in ``requests``.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import ssl
import struct
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

WAIT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it was received; header names in lower case."""

    line: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


class Hangup(Exception):
    """The client has closed its end."""


@dataclass(slots=True)
class Peer:
    """One connection, seen from the server."""

    sock: socket.socket
    buffer: bytes = field(default=b"")

    def read_request(self) -> Request:
        """The next whole request.

        Raises:
            Hangup: the client closed instead.
        """
        head, _, _ = self._until(b"\r\n\r\n").partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for text in lines:
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        start = len(head) + 4
        while len(self.buffer) < start + length:
            self._receive()
        body = self.buffer[start : start + length]
        self.buffer = self.buffer[start + length :]
        return Request(line, headers, body)

    def wait_for_hangup(self, seconds: float = WAIT_SECONDS) -> bool:
        """Whether the client closes within this time."""
        readable = select.poll()  # select() takes no descriptor beyond 1023
        readable.register(self.sock, select.POLLIN)
        return bool(readable.poll(seconds * 1000)) and not self.sock.recv(1)

    def reset(self) -> None:
        """Close so that the client gets a reset, not an end of stream."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self._receive()
        return self.buffer

    def _receive(self) -> None:
        try:
            received = self.sock.recv(65536)
        except OSError:
            raise Hangup from None
        if not received:
            raise Hangup
        self.buffer += received


#: Serves one request of a peer; the result says whether the connection stays open.
Step = Callable[[Peer, Request], bool]


def response(
    body: bytes | dict[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    crc: int | None = None,
) -> bytes:
    """A well-made response of DynamoDB, checksum included."""
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {
        "Server": "Server",
        "Content-Type": "application/x-amz-json-1.0",
        "Content-Length": str(len(payload)),
        "Connection": "keep-alive",
        "x-amzn-RequestId": "0" * 52,
        "x-amz-crc32": str(zlib.crc32(payload) if crc is None else crc),
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} Text\r\n{head}\r\n".encode() + payload


def error(code: str, *, status: int = 400, headers: Mapping[str, str] | None = None) -> bytes:
    """An error response of DynamoDB."""
    kind = f"com.amazonaws.dynamodb.v20120810#{code}"
    return response({"__type": kind, "message": "text"}, status=status, headers=headers)


def answer(raw: bytes) -> Step:
    """Send these bytes and keep the connection open."""

    def step(peer: Peer, _: Request) -> bool:
        peer.sock.sendall(raw)
        return True

    return step


def answer_and_close(raw: bytes) -> Step:
    """Send these bytes and close, as a server does that has tired of an idle connection."""

    def step(peer: Peer, _: Request) -> bool:
        peer.sock.sendall(raw)
        return False

    return step


def hang_up(_: Peer, __: Request) -> bool:
    """Close without a byte of an answer."""
    return False


def half_close(peer: Peer, _: Request) -> bool:
    """End the stream, but go on reading."""
    peer.sock.shutdown(socket.SHUT_WR)
    peer.wait_for_hangup()
    return False


def reset(peer: Peer, _: Request) -> bool:
    """Break the connection after the request has been read."""
    peer.reset()
    return False


def answer_and_reset(raw: bytes) -> Step:
    """Send a part of a response and break the connection."""

    def step(peer: Peer, _: Request) -> bool:
        peer.sock.sendall(raw)
        peer.reset()
        return False

    return step


def say_nothing(peer: Peer, _: Request) -> bool:
    """Leave the client waiting until it goes."""
    peer.wait_for_hangup()
    return False


def drip(raw: bytes, *, every_seconds: float) -> Step:
    """Send one byte at a time until the client goes."""

    def step(peer: Peer, _: Request) -> bool:
        for index in range(len(raw)):
            try:
                peer.sock.sendall(raw[index : index + 1])
            except OSError:
                return False
            if peer.wait_for_hangup(every_seconds):
                return False
        return True

    return step


class FaultServer:
    """The server, running from ``with`` to its end on a free port of 127.0.0.1.

    Args:
        steps: the script.
        tls: a server-side context, for ``https``.
    """

    def __init__(self, *steps: Step, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self.connections = 0
        self.closed = 0
        self._handshaken = 0
        self._steps = list(steps)
        self._tls = tls
        self._changed = threading.Condition()
        self._stopping = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._peers: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> FaultServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every connection and stop listening; once is enough."""
        self._stopping = True
        for sock in (*self._peers, self._listener):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(WAIT_SECONDS)
        self._listener.close()
        assert not self._thread.is_alive(), "the server did not stop"

    def wait_handshaken(self, connections: int) -> None:
        """Return when this many connections stand, and TLS has sent all that it has to say."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._handshaken >= connections, WAIT_SECONDS)

    def wait_closed(self, connections: int) -> None:
        """Return when the server has closed this many connections."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.closed >= connections, WAIT_SECONDS)

    def _run(self) -> None:
        while not self._stopping:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._peers = [accepted]
            self.connections += 1
            try:
                sock = self._tls.wrap_socket(accepted, server_side=True) if self._tls else accepted
            except OSError:
                accepted.close()
            else:
                self._peers = [sock]
                with self._changed:
                    self._handshaken += 1
                    self._changed.notify_all()
                self._serve(Peer(sock))
                sock.close()
            with self._changed:
                self.closed += 1
                self._changed.notify_all()

    def _serve(self, peer: Peer) -> None:
        open_ = True
        while open_:
            try:
                request = peer.read_request()
            except Hangup:
                return
            self.requests.append(request)
            step = self._steps.pop(0) if self._steps else say_nothing
            try:
                open_ = step(peer, request)
            except OSError:
                return
