"""A client that finds the end-to-end suite's boards behind an HTTP API of another stack."""

from __future__ import annotations

import httpx

#: What the example has in the boards' place: GET and POST, and GET of one.
RESOURCE = "/invoices"


class BehindHttpApi(httpx.HTTPTransport):
    """Sends what is asked of ``/boards`` to the example's API, and all else where it belongs.

    Args:
        url: the system's own API.
        other: the example's.
    """

    def __init__(self, url: str, other: str) -> None:
        super().__init__()
        self._boards = httpx.URL(url).path.rstrip("/") + "/boards"
        self._other = other.rstrip("/") + RESOURCE

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The response of whichever API it is."""
        path = request.url.raw_path.decode()
        rest = path.removeprefix(self._boards)
        if path.startswith(self._boards) and rest[:1] in {"", "/", "?"}:
            request.url = httpx.URL(self._other + rest)
            request.headers["Host"] = request.url.netloc.decode()
            # An HTTP API sends CORS headers only where a request names its Origin, as browsers do.
            request.headers.setdefault("Origin", "https://app.example.org")
        return super().handle_request(request)
