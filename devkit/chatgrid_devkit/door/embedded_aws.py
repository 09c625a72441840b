"""Nobody reaches the embedded AWS without the access key that was made for it.

It checks no credentials itself, and lets every site's pages read what it says. So the door is in
its own process, around its application: there is no other way in.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs

from chatgrid_devkit.door.loopback import (
    AsgiApp,
    Message,
    Receive,
    Send,
    headers_of,
    is_own_page,
    refuse,
    the_host,
)

#: An API that was deployed into it, which asks for credentials of its own.
_DEPLOYED_API = re.compile(r"/restapis/[^/]+/[^/]+/_user_request_(/|$)")
_SIGNED = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/, ]+)/")


class AwsDoor:
    """The embedded AWS for whoever signs with its access key; deployed APIs for this machine.

    Args:
        app: the embedded AWS.
        access_key: what requests name as access key id; functions that run inside, whose access
            key id is their account's, as session token.
        hosts: with port, what containers call this machine by.
    """

    def __init__(self, app: AsgiApp, *, access_key: str, hosts: Collection[str] = ()) -> None:
        self._app = app
        self._access_key = access_key.encode()
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Let it through, or answer 403."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        host = the_host(scope, also=self._hosts)
        if host is None:
            await refuse(scope, send, "Loopback only")
        elif not is_own_page(scope, host):
            await refuse(scope, send, "No other site's page may ask")
        elif self._is_signed(scope):
            await self._app(scope, receive, _without_cors(send))
        elif scope["type"] == "http" and _DEPLOYED_API.match(scope["path"]):
            await self._app(_without_aws_headers(scope), receive, send)
        else:
            await refuse(scope, send, "Sign with the access key of this embedded AWS")

    def _is_signed(self, scope: Message) -> bool:
        return any(
            hmac.compare_digest(presented.encode("latin-1", "replace"), self._access_key)
            for presented in _presented(scope)
        )


def _presented(scope: Message) -> list[str]:
    """Where a client of AWS names itself: in headers, or in a presigned address."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    signed = [_SIGNED.match(value) for value in headers_of(scope, b"authorization")]
    return [
        *(found[1] for found in signed if found),
        *(value.partition("/")[0] for value in query.get("X-Amz-Credential", ())),
        *headers_of(scope, b"x-amz-security-token"),
        *query.get("X-Amz-Security-Token", ()),
    ]


def _without_aws_headers(scope: Message) -> dict[str, Any]:
    """The request without what could make it one for AWS itself."""
    kept = [(name, value) for name, value in scope["headers"] if not _is_awss(name)]
    return {**scope, "headers": kept}


def _is_awss(name: bytes) -> bool:
    return name.lower().startswith(b"x-amz-")


def _without_cors(send: Send) -> Send:
    """What is sent, less what would let another site's page read it."""

    async def send_less(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [
                (name, value)
                for name, value in message.get("headers", ())
                if not name.lower().startswith(b"access-control-")
            ]
        await send(message)

    return send_less
