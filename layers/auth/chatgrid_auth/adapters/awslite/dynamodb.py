"""DynamoDB for the authorizer's hot path: signed HTTP over one kept-alive connection.

boto3 does the same for twenty times the start-up and many times the processor time of each
call. What is left out is everything but: one region, one endpoint, DynamoDB's own JSON, and
the retries that a decision made within two seconds can afford.

A write may be made twice, and no more than twice: when a connection breaks, nobody knows
whether the write was made, and the request is repeated once. The authorizer's ``UpdateItem``
counts a request, so a repeated one counts it twice at worst and never not at all: the caller
may be refused one request early, and the limit still holds. An operation that would do harm
when repeated does not belong here.

A throttled request is repeated once too: each repeat is load on what is too busy already.

Not for several threads at once: a Lambda container runs one invocation at a time.
"""

from __future__ import annotations

import json
import os
import time

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.dynamodb_responses import (
    CREDENTIALS_REFUSED,
    SIGNATURE_REFUSED,
    THROTTLED,
    ConditionNotMet,
    Failure,
    read_answer,
)
from chatgrid_auth.adapters.awslite.http_connection import HttpConnection
from chatgrid_auth.adapters.awslite.http_response import HttpFault
from chatgrid_auth.adapters.awslite.retry_policy import RetryPolicy
from chatgrid_auth.adapters.awslite.sigv4 import RequestSigner
from chatgrid_auth.adapters.awslite.urls import Url, public_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol

    from chatgrid_auth.adapters.awslite.credentials import Credentials, CredentialSource

    class Errors(Protocol):
        """What a caller of this client wants to catch, as classes; a module of them will do."""

        @property
        def ConditionFailed(self) -> Callable[[dict[str, Any] | None], Exception]:  # noqa: N802
            """The condition of a write did not hold; takes the item, where it was asked for."""

        @property
        def StoreThrottled(self) -> Callable[[str, str], Exception]:  # noqa: N802
            """DynamoDB was too busy for as long as the budget lasted; operation and code."""

        @property
        def StoreUnavailable(self) -> Callable[[str, str], Exception]:  # noqa: N802
            """Any other fault; operation and code."""


CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "DynamoDB_20120810."

SKEW_SECONDS = 30
"""A clock that is off by less is not what a signature was refused for."""


class DynamoDB:
    """Calls of DynamoDB, retried within a budget of time, errors told apart by their code.

    Args:
        region: for instance ``eu-central-1``.
        credentials: where credentials come from.
        errors: what to raise.
        endpoint: an ``http`` or ``https`` URL; the region's own when ``None``.
        cafile: PEM file of the only roots to trust; ``None`` for Amazon's, then the platform's.
        patience: time-outs, budget and retries.
        clock: the time in epoch seconds.
        monotonic: a clock that nobody sets.
        sleep: waits between two attempts.
        entropy: as many random bytes as asked for.

    Attributes:
        waited_seconds: how long calls have taken until now, in all, pauses and repeats included.

    Raises:
        ValueError: the endpoint is not an ``http`` or ``https`` URL without a path.
    """

    def __init__(  # noqa: PLR0913 -- time, entropy and waiting are arguments too
        self,
        *,
        region: str,
        credentials: CredentialSource,
        errors: Errors,
        endpoint: str | None = None,
        cafile: str | None = None,
        patience: RetryPolicy | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        entropy: Callable[[int], bytes] = os.urandom,
    ) -> None:
        url = Url(endpoint or public_endpoint("dynamodb", region))
        if url.target != "/":
            raise ValueError("the endpoint has a path")
        tls = None
        if url.scheme == "https":
            # Loaded while the function starts, not during its first request, and not in vain.
            from chatgrid_auth.adapters.awslite.tls import Tls  # noqa: PLC0415

            tls = Tls(cafile)
        self._patience = patience or RetryPolicy()
        self._connection = HttpConnection(
            url.host,
            url.port,
            tls=tls,
            connect_seconds=self._patience.connect,
            reply_seconds=self._patience.reply,
            clock=monotonic,
        )
        self._host = url.authority
        self._region = region
        self._source = credentials
        self._errors = errors
        self._clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._entropy = entropy
        self._clock_offset = 0.0
        self._credentials: Credentials | None = None
        self._prepared: dict[str, tuple[bytes, RequestSigner]] = {}
        self._encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
        self.waited_seconds = 0.0

    def __repr__(self) -> str:
        return f"<DynamoDB at {self._host}>"

    def call(self, operation: str, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Ask DynamoDB.

        Args:
            operation: for instance ``UpdateItem``.
            payload: the request in DynamoDB JSON.

        Raises:
            ConditionFailed: the condition of a write did not hold.
            StoreThrottled: DynamoDB was too busy, twice.
            StoreUnavailable: any other fault.
        """
        return self.call_encoded(operation, self._encode(payload).encode())

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        """As ``call``, for a request that is JSON already."""
        asked_at = self._monotonic()
        try:
            return self._insist(operation, body, asked_at + self._patience.budget)
        finally:
            self.waited_seconds += self._monotonic() - asked_at

    def warm(self) -> None:
        """Do ahead what the first call would have to: credentials, connection, signing key.

        Worth it while a function starts, when its processor is not throttled. A fault is left
        for the first call to meet.
        """
        try:
            now_seconds = self._clock()
            self._preparation("UpdateItem", now_seconds)[1].sign(b"", at_second=int(now_seconds))
            self._connection.open(self._monotonic() + self._patience.budget)
        except (Failure, HttpFault):
            self._connection.close()

    def reset(self) -> None:
        """Forget what did not survive a snapshot or a fork: the connection, the clock's error.

        Credentials need no forgetting: the time says whether they have ended. To be called in
        a snapshot's after-restore hook, where ``warm`` may follow it, and first thing in a fork.
        """
        self._connection.close()
        self._clock_offset = 0.0

    def _insist(self, operation: str, body: bytes, deadline: float) -> dict[str, Any]:
        tried: _Tried | None = None
        while True:
            try:
                return self._attempt(operation, body, deadline)
            except Failure as failure:
                tried = tried or _Tried()
                if not self._may_try_again(failure, tried, deadline):
                    if failure.code in THROTTLED:
                        raise self._errors.StoreThrottled(operation, failure.code) from None
                    raise self._errors.StoreUnavailable(operation, failure.code) from None
            except ConditionNotMet as refused:
                raise self._errors.ConditionFailed(refused.item) from None

    def _attempt(self, operation: str, body: bytes, deadline: float) -> dict[str, Any]:
        now_seconds = self._clock() + self._clock_offset
        head, signer = self._preparation(operation, now_seconds)
        signature = signer.sign(body, at_second=int(now_seconds))
        request = b"%bContent-Length: %d\r\n%b\r\n%b" % (head, len(body), signature, body)
        try:
            response = self._connection.exchange(request, deadline)
        except HttpFault as fault:
            trusted = fault.code != "SSLCertVerificationError"
            raise Failure(
                fault.code, transient=trusted, sent=fault.sent, stale=fault.stale
            ) from None
        return read_answer(response)

    def _preparation(self, operation: str, now_seconds: float) -> tuple[bytes, RequestSigner]:
        """The head of such a request up to its length and signature, and the signer for it."""
        try:
            credentials = self._source.current(now_seconds)
        except CredentialsUnavailable:
            raise Failure("CredentialsUnavailable", transient=False) from None
        if credentials is not self._credentials:
            self._credentials = credentials
            self._prepared = {}
        prepared = self._prepared.get(operation)
        if prepared is None:
            prepared = self._prepared[operation] = self._prepare(operation, credentials)
        return prepared

    def _prepare(self, operation: str, credentials: Credentials) -> tuple[bytes, RequestSigner]:
        headers = {
            "Host": self._host,
            "Content-Type": CONTENT_TYPE,
            "X-Amz-Target": TARGET_PREFIX + operation,
        }
        if credentials.session_token:
            headers["X-Amz-Security-Token"] = credentials.session_token
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        signer = RequestSigner(
            access_key_id=credentials.access_key_id,
            secret_access_key=credentials.secret_access_key,
            region=self._region,
            service="dynamodb",
            headers=headers,
        )
        return f"POST / HTTP/1.1\r\n{lines}".encode(), signer

    def _may_try_again(self, failure: Failure, tried: _Tried, deadline: float) -> bool:
        """Whether another attempt makes sense; when it does, this has waited for its time."""
        if failure.code in SIGNATURE_REFUSED and not tried.clock_corrected:
            tried.clock_corrected = True
            return self._correct_clock(failure.date)
        if failure.code in CREDENTIALS_REFUSED and not tried.credentials_renewed:
            tried.credentials_renewed = True
            return self._renew_credentials()
        tried.failures += 1
        tried.repeats += failure.repeatable_once
        if (
            not failure.transient
            or tried.failures >= self._patience.attempts
            or tried.repeats > self._patience.repeats
        ):
            return False
        if failure.stale:
            return True
        pause = self._patience.pause(tried.failures, self._entropy)
        if self._monotonic() + pause >= deadline:
            return False
        self._sleep(pause)
        return True

    def _correct_clock(self, date: str) -> bool:
        """Whether the server's date shows that this clock is wrong; if so, it is allowed for."""
        from chatgrid_auth.adapters.awslite.timestamps import from_http_date  # noqa: PLC0415 -- rare

        server_time = from_http_date(date)
        if server_time is None:
            return False
        offset = server_time - self._clock()
        if abs(offset - self._clock_offset) < SKEW_SECONDS:
            return False
        self._clock_offset = offset
        return True

    def _renew_credentials(self) -> bool:
        """Whether there are credentials other than those that were refused."""
        try:
            now_seconds = self._clock() + self._clock_offset
            return self._source.renewed(now_seconds) is not self._credentials
        except CredentialsUnavailable:
            return False


class _Tried:
    """What one call has tried already."""

    __slots__ = ("clock_corrected", "credentials_renewed", "failures", "repeats")

    def __init__(self) -> None:
        self.failures = 0
        self.repeats = 0
        self.clock_corrected = False
        self.credentials_renewed = False
