"""Which address a request came from where proxies of the deployment's own stand before the API.

Each hop writes the address that it was called from at the end of ``X-Forwarded-For``; what stands
further left than the trusted proxies reach was written by whoever came first, and may be a lie. So
it is counted from the right, where API Gateway's own source stands.
Source: RFC 7239, section 8.1; API Gateway writes its own source into the header too.
"""

from __future__ import annotations

from chatgrid_auth.domain.rules.addresses import read_address

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NAME = "x-forwarded-for"


def source_behind(event: Mapping[str, Any], peer: str, *, proxies: int) -> str:
    """The address that called the outermost trusted proxy; empty where that is not known.

    Never raises, whatever the event is. What stands there and is no address is unknown too: whoever
    came past the proxies wrote it, and it would be kept in logs.

    Args:
        event: API Gateway's event (REST API).
        peer: the address that API Gateway took the request from; empty when it is not known.
        proxies: how many trusted proxies stand before the API.
    """
    if not peer or not proxies:
        return peer
    written = _written(event)
    if written is None:
        return ""
    hops = [hop.strip() for hop in written.split(",")]
    if hops[-1] != peer:
        hops.append(peer)
    source = hops[-1 - proxies] if len(hops) > proxies else ""
    return "" if read_address(source) is None else source


def _written(event: Mapping[str, Any]) -> str | None:
    """The one header, its lines in their order; ``None`` for none, or for two spellings of it."""
    headers: Any = event.get("multiValueHeaders")
    if not isinstance(headers, dict):
        headers = event.get("headers")
        if not isinstance(headers, dict):
            return None
    found = [headers[name] for name in headers if str(name).lower() == _NAME]
    if len(found) != 1:
        return None
    lines = found[0] if isinstance(found[0], list) else [found[0]]
    if not lines or not all(isinstance(line, str) for line in lines):
        return None
    return ",".join(lines)
