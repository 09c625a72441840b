"""What the local gateway serves beside the API: a health check, the OpenAPI document, a way in."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from chatgrid_devkit.gateway.messages import Response

_NOT_FOUND = b'{"object":"error","status":404,"code":"not_found","message":"Not found"}'


class Pages:
    """The pages of one repository; its OpenAPI document is read afresh each time."""

    def __init__(self, root: Path, *, base_url: str) -> None:
        self._document = root / "docs" / "openapi.json"
        self._reference = urlsplit(base_url).path + "/reference"

    def answer(self, method: str, path: str, *, request_id: str) -> Response:
        """A page, or 404 in the API's envelope."""
        if method in {"GET", "HEAD"}:
            match path:
                case "/health":
                    return _json(b'{"status": "ok"}')
                case "/" if self._document.is_file():
                    way = (("Location", self._reference),)
                    return Response(status=302, headers=way, body=b"")
                case "/openapi.json" if self._document.is_file():
                    return _json(self._document.read_bytes())
        headers = (("Content-Type", "application/json"), ("x-amzn-RequestId", request_id))
        return Response(status=404, headers=headers, body=_NOT_FOUND)


def _json(body: bytes) -> Response:
    return Response(status=200, headers=(("Content-Type", "application/json"),), body=body)
