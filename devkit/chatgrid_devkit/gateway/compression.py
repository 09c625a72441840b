"""Answers as an API with a minimum compression size sends them.

Source: "Receive an API response with a compressed payload", API Gateway developer guide: the
client names a coding that is supported, the response has no ``Content-Encoding`` yet, and it is
large enough.
"""

from __future__ import annotations

import dataclasses
import gzip
import re

from chatgrid_devkit.gateway.messages import Request, Response

# Fast rather than small: AWS documents no level, and this is a laptop.
_LEVEL = 6
_REFUSED = re.compile(r";\s*q=0(\.0*)?\s*$")


def compressed(response: Response, request: Request, *, minimum_bytes: int | None) -> Response:
    """The response, gzipped where API Gateway would compress it.

    Args:
        minimum_bytes: the API's ``MinimumCompressionSize``; ``None`` turns compression off.
    """
    if minimum_bytes is None or len(response.body) < max(minimum_bytes, 1):
        return response
    if any(name.lower() == "content-encoding" for name, _ in response.headers):
        return response
    if not _takes_gzip(request.header("Accept-Encoding") or ""):
        return response
    return dataclasses.replace(
        response,
        body=gzip.compress(response.body, _LEVEL, mtime=0),
        headers=[*response.headers, ("Content-Encoding", "gzip")],
    )


def _takes_gzip(accepted: str) -> bool:
    """Whether gzip is named, and not with weight zero. ``*`` alone compresses nothing on AWS."""
    return any(
        coding.split(";")[0].strip().lower() == "gzip" and not _REFUSED.search(coding)
        for coding in accepted.split(",")
    )
