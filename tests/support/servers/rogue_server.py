"""A server on loopback that answers as a test tells it to, byte by byte if need be."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Response = Callable[[socket.socket, threading.Event], None]


def body(content: bytes, *, status: str = "200 OK", headers: str = "") -> Response:
    """A whole answer, as it should be."""

    def answer(client: socket.socket, _stop: threading.Event) -> None:
        client.sendall(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\n{headers}\r\n".encode()
            + content
        )

    return answer


def document(value: Any) -> Response:
    """A whole answer with a JSON document."""
    return body(json.dumps(value).encode(), headers="Content-Type: application/json\r\n")


def raw(content: bytes) -> Response:
    """Just these bytes, and the end of the connection."""

    def answer(client: socket.socket, _stop: threading.Event) -> None:
        client.sendall(content)

    return answer


def hang(_client: socket.socket, stop: threading.Event) -> None:
    """No answer at all, and no end."""
    stop.wait(60)


def drip(content: bytes, *, every_seconds: float) -> Response:
    """One byte after another."""

    def answer(client: socket.socket, stop: threading.Event) -> None:
        for position in range(len(content)):
            if stop.wait(every_seconds):
                return
            client.sendall(content[position : position + 1])

    return answer


def flood(start: bytes, piece: bytes) -> Response:
    """Pieces without end."""

    def answer(client: socket.socket, stop: threading.Event) -> None:
        client.sendall(start)
        while not stop.is_set():
            client.sendall(piece)

    return answer


class RogueServer:
    """Listens on loopback while the context lasts.

    Args:
        answer: how connections are answered at first.
        tls: what it is certified with; ``None`` for plain text.

    Attributes:
        port: where it listens, on 127.0.0.1.
        answer: how the next connections are answered; may be replaced at any time.
        requests: what was received so far, one entry for each connection.
        most_at_once: how many connections were open at the same time at most.
    """

    def __init__(self, answer: Response, *, tls: ssl.SSLContext | None = None) -> None:
        self.answer = answer
        self._tls = tls
        self.requests: list[bytes] = []
        self.most_at_once = 0
        self._open = 0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(5)
        if self._tls:
            client = self._tls.wrap_socket(client, server_side=True)
        with client, contextlib.suppress(OSError):
            received = b""
            # To the end of the body: closing with something unread would reset the connection.
            while not _is_whole(received):
                chunk = client.recv(65_536)
                if not chunk:
                    return
                received += chunk
            with self._lock:
                self.requests.append(received)
                self._open += 1
                self.most_at_once = max(self.most_at_once, self._open)
            try:
                self.answer(client, self._stop)
            finally:
                with self._lock:
                    self._open -= 1


def _is_whole(received: bytes) -> bool:
    """Whether a request is there with its body."""
    head, end, content = received.partition(b"\r\n\r\n")
    announced = re.search(rb"(?im)^content-length: *(\d+)", head)
    return bool(end) and len(content) >= (int(announced[1]) if announced else 0)
