"""AWS credentials as a Lambda function finds them: in its environment, or at an endpoint.

Ordinary functions get temporary credentials in environment variables, for as long as the
process lives. Functions restored from a SnapStart snapshot get none there, since a snapshot may
outlive them; they ask an endpoint on their own machine, as containers do
(``container_credentials``).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    class CredentialSource(Protocol):
        """Where a client gets credentials."""

        def current(self, now_seconds: float) -> Credentials:
            """Credentials that are good at this time; the same object until they change."""

        def renewed(self, now_seconds: float) -> Credentials:
            """Credentials asked for anew, because the current ones were refused."""


class CredentialsUnavailable(Exception):
    """There are no usable credentials. The text names what is missing and never a value."""


class Credentials:
    """One set of AWS credentials; printing it shows no part of a secret.

    Args:
        access_key_id: the public part.
        secret_access_key: the secret part.
        session_token: what temporary credentials carry; empty for a user's own.
        expires_at_seconds: epoch second of their end, ``None`` when not known.

    Raises:
        CredentialsUnavailable: a part is empty, or would break out of its header.
    """

    __slots__ = ("access_key_id", "expires_at_seconds", "secret_access_key", "session_token")

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        session_token: str = "",
        expires_at_seconds: int | None = None,
    ) -> None:
        if not access_key_id or not secret_access_key:
            raise CredentialsUnavailable("the credentials lack a part")
        for part in (access_key_id, secret_access_key, session_token):
            if not (part.isascii() and part.isprintable()):
                raise CredentialsUnavailable("the credentials hold characters that none may")
        self.access_key_id = access_key_id
        self.secret_access_key = secret_access_key
        self.session_token = session_token
        self.expires_at_seconds = expires_at_seconds

    def __repr__(self) -> str:
        return f"<Credentials, expiring at {self.expires_at_seconds}>"


class FixedCredentials:
    """Always the same credentials; there are no others to be had."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def current(self, now_seconds: float) -> Credentials:  # noqa: ARG002 -- they do not change
        """The credentials."""
        return self._credentials

    def renewed(self, now_seconds: float) -> Credentials:  # noqa: ARG002 -- they do not change
        """The same: a caller sees by that that there is no use in trying again."""
        return self._credentials


def fixed_credentials(environ: Mapping[str, str]) -> FixedCredentials | None:
    """The credentials that lie in the environment itself, ``None`` where there are none.

    Raises:
        CredentialsUnavailable: they are there, and not usable.
    """
    key_id = environ.get("AWS_ACCESS_KEY_ID", "")
    secret = environ.get("AWS_SECRET_ACCESS_KEY", "")
    if key_id and secret:
        token = environ.get("AWS_SESSION_TOKEN", "")
        return FixedCredentials(
            Credentials(access_key_id=key_id, secret_access_key=secret, session_token=token)
        )
    return None
