"""The stack's secret for tokens: read when the first token comes, and again every five minutes.

Secrets Manager keeps one JSON object, ``{"current": …, "previous": …}``: the template makes the
first, the operator's command puts another in its place and moves the former to ``previous``. Both
are accepted. The current one signs once it is as old as what any container may remember; until then
the previous one does, so that no container meets a token under a secret that it has not read.
"""

from __future__ import annotations

import json
from functools import partial

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.fetch import JsonService, fetch
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.awslite.urls import public_endpoint
from chatgrid_auth.domain.errors import TokenSecretUnavailable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chatgrid_auth.adapters.awslite.credentials import CredentialSource

CURRENT, PREVIOUS = "current", "previous"
#: How long a container goes by what it read.
REREAD_MS = 300_000
#: How long it does where the secret cannot be read again.
STALE_MS = 3_600_000
#: How soon after a failure it asks again.
RETRY_MS = 5_000
#: Well within the time that a decision may take.
_PATIENCE_SECONDS = 1.0
#: RFC 2104 section 3 asks for as much as the hash gives, which is 32 bytes.
_LEAST_BYTES = 32


class TokenSecret:
    """The secret, current and previous, as a container remembers it.

    Args:
        arn: of the secret in Secrets Manager.
        credentials: what to sign with; ``secretsmanager:GetSecretValue``.
        endpoint: where Secrets Manager is; ``None`` for its public address.
    """

    def __init__(
        self, arn: str, *, credentials: CredentialSource, endpoint: str | None = None
    ) -> None:
        self._arn = arn
        region = arn.split(":")[3]
        self._store = JsonService(
            "secretsmanager",
            region=region,
            url=endpoint or public_endpoint("secretsmanager", region),
            credentials=credentials,
            post=partial(fetch, timeout_seconds=_PATIENCE_SECONDS),
        )
        self._secrets: tuple[bytes, ...] = ()
        self._made_ms = 0
        self._read_ms = self._tried_ms = 0

    def accepted(self, now_ms: int) -> tuple[bytes, ...]:
        """The secrets that tokens may have been made with, the current one first.

        Raises:
            TokenSecretUnavailable: none was read within the last hour, and none can be.
        """
        if self._secrets and not self.is_overdue(now_ms):
            return self._secrets
        if not self._tried_ms or not 0 <= now_ms - self._tried_ms < RETRY_MS:
            self._tried_ms = now_ms
            try:
                self._read(now_ms)
            except TokenSecretUnavailable:
                if not self._serves(now_ms):
                    raise
        if not self._serves(now_ms):
            raise TokenSecretUnavailable("asked a moment ago")
        return self._secrets

    def is_overdue(self, now_ms: int) -> bool:
        """Whether another secret may be the current one by now."""
        return not 0 <= now_ms - self._read_ms < REREAD_MS

    def signing(self, now_ms: int) -> bytes:
        """The secret to make tokens with: one that every container has read by now.

        Raises:
            TokenSecretUnavailable: it cannot be known which that is.
        """
        secrets = self.accepted(now_ms)
        if self.is_overdue(now_ms):
            raise TokenSecretUnavailable("not read again")
        return secrets[-1] if now_ms - self._made_ms < REREAD_MS else secrets[0]

    def _serves(self, now_ms: int) -> bool:
        return bool(self._secrets) and 0 <= now_ms - self._read_ms < STALE_MS

    def _read(self, now_ms: int) -> None:
        question = {"SecretId": self._arn}
        try:
            told = self._store.call("secretsmanager.GetSecretValue", question, now_ms=now_ms)
            response = json.loads(told)
            self._secrets = secrets_of(json.loads(response["SecretString"]))
            self._made_ms = int(response["CreatedDate"] * 1_000)
        except CredentialsUnavailable as error:
            raise TokenSecretUnavailable("no credentials for the secret store") from error
        except HttpFault as fault:
            raise TokenSecretUnavailable(fault.code) from None
        except (ValueError, KeyError, TypeError, RecursionError):
            # Without the cause: it may quote the secret.
            raise TokenSecretUnavailable("not usable") from None
        self._read_ms = now_ms


def secrets_of(kept: Any) -> tuple[bytes, ...]:
    """The secrets in what is kept, the current one first.

    Raises:
        TypeError, ValueError: it is not what the template makes.
    """
    if not isinstance(kept, dict):
        raise TypeError("no object")
    found = [kept.get(CURRENT), kept.get(PREVIOUS) or None]
    secrets = tuple(text.encode() for text in found if isinstance(text, str))
    if found[0] is None or any(len(secret) < _LEAST_BYTES for secret in secrets):
        raise ValueError("too short to be a secret")
    return secrets
