"""A request is for this machine only when its `Host` says so; a page is its own by its `Origin`.

A page of any site may send requests to loopback, and a name of its own may be made to lead there
(DNS rebinding). The browser then says so: `Host` is the name, `Origin` the page's site.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Message, Receive, Send], Awaitable[None]]

_LOOPBACK = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::([0-9]{1,5}))?", re.IGNORECASE)


def is_loopback(host: str) -> bool:
    """Whether a `Host` header, with or without a port, names this machine's loopback."""
    return _LOOPBACK.fullmatch(host) is not None


def is_own_origin(origin: str, host: str) -> bool:
    """Whether pages of an origin come from this very host, by whichever of loopback's names."""
    scheme, _, there = origin.partition("://")
    if scheme != "http":
        return False
    mine, other = _LOOPBACK.fullmatch(host), _LOOPBACK.fullmatch(there)
    return there == host or (mine is not None and other is not None and mine[1] == other[1])


def headers_of(scope: Mapping[str, Any], name: bytes) -> list[str]:
    """All values of a header of an ASGI request."""
    return [value.decode("latin-1") for found, value in scope["headers"] if found.lower() == name]


def the_host(scope: Mapping[str, Any], *, also: Iterable[str] = ()) -> str | None:
    """The `Host` of a request, if there is exactly one and it is loopback's or one of ``also``."""
    match headers_of(scope, b"host"):
        case [host] if is_loopback(host) or host.lower() in also:
            return host.lower()
        case _:
            return None


def is_own_page(scope: Mapping[str, Any], host: str, *, also: Iterable[str] = ()) -> bool:
    """Whether a request names no `Origin`, an own one of this host, or one of ``also``."""
    origins = headers_of(scope, b"origin")
    return all(is_own_origin(origin, host) or origin in also for origin in origins)


async def refuse(scope: Message, send: Send, message: str) -> None:
    """Answer 403, in a shape that no page of another site can read."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps(
        {"object": "error", "status": 403, "code": "forbidden", "message": message}
    ).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    sent = b"" if scope["method"] == "HEAD" else body
    await send({"type": "http.response.body", "body": sent})


def for_loopback_only(app: AsgiApp) -> AsgiApp:
    """The app behind a check of `Host`."""

    async def checked(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or the_host(scope) is not None:
            await app(scope, receive, send)
        else:
            await refuse(scope, send, "Loopback only")

    return checked
