"""HTTP as no honest client writes it: bytes to a socket, and what comes back."""

from __future__ import annotations

import json
import socket
from typing import Any
from urllib.parse import urlsplit


class Reply:
    """One answer.

    Attributes:
        status: its status.
        headers: by lower-case name.
        body: its bytes, as many as `Content-Length` says.
    """

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:
        return json.loads(self.body)


def exchange(url: str, sent: bytes, *, silence_seconds: float = 10.0) -> list[Reply]:
    """The answers to these bytes, in their order, until the server closes or falls silent."""
    address = urlsplit(url)
    assert address.hostname == "127.0.0.1"
    received = bytearray()
    with socket.create_connection(
        (address.hostname, address.port or 80), silence_seconds
    ) as connection:
        connection.sendall(sent)
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except (ConnectionResetError, TimeoutError):
            pass  # closed with bytes of ours unread, or waiting for more: what it said is here
    return list(_replies(bytes(received), head=sent.startswith(b"HEAD ")))


def _replies(received: bytes, *, head: bool) -> list[Reply]:
    found: list[Reply] = []
    while received:
        lines, separator, rest = received.partition(b"\r\n\r\n")
        assert separator, f"half an answer: {received[:80]!r}"
        first, *fields = lines.decode("latin-1").split("\r\n")
        version, status, *_ = first.split(" ")
        assert version == "HTTP/1.1", first
        headers = {
            name.lower(): value.strip() for name, _, value in (f.partition(":") for f in fields)
        }
        bodiless = head and status != "400"  # a server may not know the method of what it refuses
        length = 0 if bodiless else int(headers.get("content-length", len(rest)))
        found.append(Reply(int(status), headers, rest[:length]))
        received = rest[length:]
    return found
