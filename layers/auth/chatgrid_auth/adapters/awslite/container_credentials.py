"""Credentials from the endpoint on the same machine that containers and snapshots are given.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

import json
import socket

from chatgrid_auth.adapters.awslite.credentials import Credentials, CredentialsUnavailable
from chatgrid_auth.adapters.awslite.fetch import fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.awslite.server_clock import from_iso_8601
from chatgrid_auth.adapters.awslite.urls import Url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RENEW_AHEAD_SECONDS = 300
RETRY_AFTER_SECONDS = 10
BUDGET_SECONDS = 1.0
_ECS_HOST = "169.254.170.2"


class ContainerCredentials:
    """Credentials from the endpoint that the environment names, renewed ahead of their end.

    While renewing fails, the old ones serve as long as they are valid. The environment is read
    at each renewal, since a restored snapshot may find another token there.

    Args:
        environ: the environment, holding ``AWS_CONTAINER_CREDENTIALS_FULL_URI`` or
            ``…_RELATIVE_URI``, and ``AWS_CONTAINER_AUTHORIZATION_TOKEN`` or ``…_TOKEN_FILE``.
        fetch: how to GET a URL with an ``Authorization`` header (empty for none).
    """

    def __init__(
        self, environ: Mapping[str, str], *, fetch: Callable[[str, str], bytes] | None = None
    ) -> None:
        self._environ = environ
        self._fetch = fetch or get_locally
        self._credentials: Credentials | None = None
        self._renew_at_seconds = 0.0

    def current(self, now_seconds: float) -> Credentials:
        """Credentials that are valid now.

        Raises:
            CredentialsUnavailable: there are none.
        """
        known = self._credentials
        if known is not None and now_seconds < self._renew_at_seconds:
            return known
        try:
            return self.renewed(now_seconds)
        except CredentialsUnavailable:
            if known is None or (known.expires_at_seconds or now_seconds + 1) <= now_seconds:
                raise
            self._renew_at_seconds = now_seconds + RETRY_AFTER_SECONDS
            return known

    def renewed(self, now_seconds: float) -> Credentials:
        """Credentials from the endpoint, whatever is known already.

        Raises:
            CredentialsUnavailable: the endpoint gave none.
        """
        response = self._fetch(self._url(), self._authorization())
        fresh = _parse(response)
        ends = fresh.expires_at_seconds
        if ends is None:
            ends = int(now_seconds) + 2 * RENEW_AHEAD_SECONDS
        elif ends <= now_seconds:
            raise CredentialsUnavailable("the endpoint's credentials have expired")
        # Ones that end very soon are not asked for again at every request.
        soonest = min(now_seconds + RETRY_AFTER_SECONDS, ends)
        self._renew_at_seconds = max(ends - RENEW_AHEAD_SECONDS, soonest)
        self._credentials = fresh
        return fresh

    def _url(self) -> str:
        relative = self._environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "")
        if relative:
            return f"http://{_ECS_HOST}{relative}"
        return self._environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI", "")

    def _authorization(self) -> str:
        path = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "")
        if path:
            try:
                with open(path, encoding="ascii") as file:  # noqa: PTH123 -- pathlib costs start-up
                    token = file.read()
            except (OSError, ValueError):
                raise CredentialsUnavailable("the authorization token file is unreadable") from None
        else:
            token = self._environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
        token = token.strip()
        if not (token.isascii() and (token.isprintable() or not token)):
            raise CredentialsUnavailable("the authorization token would break out of its header")
        return token


def get_locally(url: str, authorization: str) -> bytes:
    """The body of a GET answered with 200, from this machine or over TLS only.

    Args:
        url: plain ``http`` is taken for loopback and link-local addresses alone, so that the
            token and the credentials never cross a network in the clear.
        authorization: the header's value; empty for none.

    Raises:
        CredentialsUnavailable: the URL is refused, or did not give a body in time.
    """
    try:
        parts = Url(url)
    except ValueError:
        raise CredentialsUnavailable("the credentials endpoint is not an http URL") from None
    if parts.scheme != "https" and not _is_local(parts.host):
        raise CredentialsUnavailable("the credentials endpoint is neither local nor https")
    headers = {"Authorization": authorization} if authorization else {}
    try:
        return fetch(url, headers=headers, timeout_seconds=BUDGET_SECONDS)
    except HttpFault as fault:
        raise CredentialsUnavailable(f"the credentials endpoint: {fault.code}") from None


def _is_local(host: str) -> bool:
    """Whether a host is this machine, or no further than its own link. Names are not looked up."""
    if host == "localhost":
        return True
    try:
        address = socket.inet_pton(socket.AF_INET, host)
    except OSError:
        pass
    else:
        return address[0] == 127 or address[:2] == bytes((169, 254))
    try:
        address = socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return False
    return address in {
        socket.inet_pton(socket.AF_INET6, "::1"),
        socket.inet_pton(socket.AF_INET6, "fd00:ec2::23"),  # EKS
    }


def _parse(response: bytes) -> Credentials:
    try:
        found = json.loads(response)
        expires = found.get("Expiration")
        ends = None if expires is None else from_iso_8601(expires)
        if expires is not None and ends is None:
            raise CredentialsUnavailable("the endpoint's credentials end at no readable time")
        return Credentials(
            access_key_id=found["AccessKeyId"],
            secret_access_key=found["SecretAccessKey"],
            session_token=found.get("Token") or "",
            expires_at_seconds=ends,
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise CredentialsUnavailable("the credentials endpoint did not answer with any") from None
