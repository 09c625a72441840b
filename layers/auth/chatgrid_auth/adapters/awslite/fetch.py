"""One request for one small document: bounded in time and size, and going nowhere else.

``JsonService`` signs such requests for AWS's services that speak JSON.

``urllib.request`` follows redirects and proxies and times each read by itself; here a server
that sends one byte a second, or a body without end, is done for at the deadline.
"""

from __future__ import annotations

import json
from time import monotonic

from chatgrid_auth.adapters.awslite.http_connection import HttpConnection
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.awslite.sigv4 import RequestSigner
from chatgrid_auth.adapters.awslite.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.awslite.credentials import CredentialSource
    from chatgrid_auth.adapters.awslite.tls import Tls

TIMEOUT_SECONDS = 2.0
"""For everything: name, connection, TLS, headers, body. A request may be waiting for it. Only the
look-up of the name cannot be cut short from here: ``RES_OPTIONS``, in the template, does that."""

MAX_BYTES = 65_536
"""Supabase's key sets are below 2 KB."""


def fetch(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    max_bytes: int = MAX_BYTES,
    clock: Callable[[], float] = monotonic,
) -> bytes:
    """The body of a 200 response to a GET, or with a body to a POST. All else is a fault.

    Args:
        url: ``http`` or ``https``; over TLS the platform's roots are trusted.
        headers: all but ``Host``, ``Connection`` and ``Content-Length``; none may hold a line end.
        body: what to POST.
        timeout_seconds: for everything together.
        max_bytes: a longer body is refused.
        clock: a monotonic clock in seconds.

    Raises:
        HttpFault: there is no such response in time; nothing of it is quoted.
    """
    try:
        address = Url(url)
    except ValueError:
        raise HttpFault("MalformedUrl") from None
    connection = HttpConnection(
        address.host,
        address.port,
        tls=_platform_tls() if address.scheme == "https" else None,
        connect_seconds=timeout_seconds,
        reply_seconds=timeout_seconds,
        body_limit_bytes=max_bytes,
        body_may_end_with_connection=True,
        clock=clock,
    )
    try:
        response = connection.exchange(
            _request(address, headers=headers, body=body), clock() + timeout_seconds
        )
    finally:
        connection.close()
    if response.status != 200:  # redirects too: what is asked for comes from this place only
        raise HttpFault(f"Status{response.status}")
    return response.body


def _platform_tls() -> Tls:
    from chatgrid_auth.adapters.awslite.tls import Tls  # noqa: PLC0415 -- ssl is slow to load

    return Tls(to_aws=False)


def _request(address: Url, *, headers: Mapping[str, str], body: bytes | None) -> bytes:
    method = "GET" if body is None else "POST"
    lines = [f"{method} {address.target} HTTP/1.1", f"Host: {address.authority}"]
    lines += (f"{name}: {value}" for name, value in headers.items())
    lines.append("Connection: close")
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


class JsonService:
    """A service at its endpoint.

    Args:
        service: as it is signed for, for instance ``secretsmanager``.
        url: its endpoint.
        credentials: what to sign with.
        post: asks; ``fetch``, if need be with another patience.
    """

    def __init__(
        self,
        service: str,
        *,
        region: str,
        url: str,
        credentials: CredentialSource,
        post: Callable[..., bytes],
    ) -> None:
        self._service = service
        self._region = region
        self._url = url
        self._credentials = credentials
        self._post = post

    def call(self, target: str, question: Mapping[str, Any], *, now_ms: int) -> bytes:
        """The body of the response.

        Args:
            target: prefix and operation, for instance ``secretsmanager.GetSecretValue``.

        Raises:
            CredentialsUnavailable: there is nothing to sign with.
            HttpFault: no response of success came in time; nothing of it is quoted.
        """
        body = json.dumps(question).encode()
        credentials = self._credentials.current(now_ms / 1000)
        headers = {
            "Host": Url(self._url).authority,
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": target,
        }
        if credentials.session_token:
            headers["X-Amz-Security-Token"] = credentials.session_token
        signer = RequestSigner(
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            region=self._region,
            service=self._service,
            headers=headers,
        )
        del headers["Host"]  # ``fetch`` says it by itself, the same
        signature = signer.sign(body, at_second=now_ms // 1000).decode("ascii")
        for line in signature.splitlines():
            name, _, value = line.partition(": ")
            headers[name] = value
        return self._post(self._url, headers=headers, body=body)
