"""Requests and answers as the local gateway handles them, free of any server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Headers = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came in.

    Attributes:
        raw_path: as sent, percent-encoded, with the stage, without the query.
        path: the same without the stage.
        headers: in the order of arrival; names in their usual spelling (`X-Api-Key`).
    """

    id: str
    received_ms: int
    method: str
    raw_path: str
    path: str
    query: str
    headers: Headers
    source_ip: str
    protocol: str = "HTTP/1.1"
    body: bytes = field(default=b"", repr=False)

    def header(self, name: str) -> str | None:
        """The last value of a header, whatever the case of its name."""
        wanted = name.lower()
        values = [value for key, value in self.headers if key.lower() == wanted]
        return values[-1] if values else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What goes back to the client; `response_type` names the gateway response, if it is one."""

    status: int
    headers: Headers
    body: bytes
    response_type: str | None = None


def usual_spelling(name: str) -> str:
    """A header's name as HTTP/1.1 clients usually write it.

    The server hands names over in lower case; API Gateway hands them on as they were sent.
    """
    return "-".join(part[:1].upper() + part[1:] for part in name.split("-"))
