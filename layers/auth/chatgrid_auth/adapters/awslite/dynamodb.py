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

What is asked here depends on the time. A request that was stamped with a time that proves wrong
is a fault, whatever DynamoDB made of it, and the next one is stamped right.

Not for several threads at once: a Lambda container runs one invocation at a time.
"""

from __future__ import annotations

import json
import os
import time
from binascii import b2a_base64

from chatgrid_auth.adapters.awslite.credentials import CredentialsUnavailable
from chatgrid_auth.adapters.awslite.dynamodb_responses import (
    CREDENTIALS_REFUSED,
    THROTTLED,
    ConditionNotMet,
    Failure,
    RetryPolicy,
    TransactionRefused,
    read_response,
)
from chatgrid_auth.adapters.awslite.http_connection import HttpConnection
from chatgrid_auth.adapters.awslite.http_response import BODY_LIMIT_BYTES, HttpFault
from chatgrid_auth.adapters.awslite.server_clock import ServerClock
from chatgrid_auth.adapters.awslite.sigv4 import RequestSigner
from chatgrid_auth.adapters.awslite.urls import Url, public_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.awslite.credentials import Credentials, CredentialSource
    from chatgrid_auth.adapters.awslite.dynamodb_responses import Errors


CONTENT_TYPE = "application/x-amz-json-1.0"
TARGET_PREFIX = "DynamoDB_20120810."

CLOCK_WAS_WRONG = "ClockWasWrong"
"""The code of the fault of a request that was stamped with a wrong time."""


class DynamoDB:
    """Calls of DynamoDB, retried within a budget of time, errors told apart by their code.

    Args:
        region: for instance ``eu-central-1``.
        credentials: where credentials come from.
        errors: what to raise.
        endpoint: an ``http`` or ``https`` URL; the region's own when ``None``.
        cafile: PEM file of the only roots to trust; ``None`` for Amazon's, then the platform's.
        retry_policy: time-outs, budget and retries.
        body_limit_bytes: a longer answer is a fault.
        clock: the time in epoch seconds.
        monotonic: a clock that nobody sets.
        sleep: waits between two attempts.
        entropy: as many random bytes as asked for.

    Attributes:
        clock: the time as DynamoDB has it, as far as its answers have told.
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
        retry_policy: RetryPolicy | None = None,
        body_limit_bytes: int = BODY_LIMIT_BYTES,
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
        self._retry_policy = retry_policy or RetryPolicy()
        self._connection = HttpConnection(
            url.host,
            url.port,
            tls=tls,
            connect_seconds=self._retry_policy.connect,
            reply_seconds=self._retry_policy.reply,
            body_limit_bytes=body_limit_bytes,
            clock=monotonic,
        )
        self._host = url.authority
        self._region = region
        self._source = credentials
        self._errors = errors
        self._machine_clock = clock
        self._monotonic = monotonic
        self._sleep = sleep
        self._entropy = entropy
        self._stamps_hold = True
        self._credentials: Credentials | None = None
        self._prepared: dict[str, tuple[bytes, RequestSigner]] = {}
        self._encode = json.JSONEncoder(
            separators=(",", ":"), check_circular=False, default=_binary
        ).encode
        self.clock = ServerClock(clock, monotonic)
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
            Cancelled: a transaction was refused.
            StoreThrottled: DynamoDB was too busy, twice.
            StoreUnavailable: any other fault; also where this machine's time proves wrong.
        """
        return self.call_encoded(operation, self._encode(payload).encode())

    def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
        """As ``call``, for a request that is JSON already."""
        asked_at = self._monotonic()
        try:
            return self._insist(operation, body, asked_at + self._retry_policy.budget)
        finally:
            self.waited_seconds += self._monotonic() - asked_at

    def warm(self) -> None:
        """Do ahead what the first call would have to: credentials, connection, signing key.

        Worth it while a function starts, when its processor is not throttled. A fault is left
        for the first call to meet.
        """
        try:
            now_seconds = self._machine_clock() + self.clock.offset_seconds
            self._preparation("UpdateItem", now_seconds)[1].sign(b"", at_second=int(now_seconds))
            self._connection.open(self._monotonic() + self._retry_policy.budget)
        except (Failure, HttpFault):
            self._connection.close()

    def reset(self) -> None:
        """Forget what did not survive a snapshot or a fork: the connection, the clock's error.

        Credentials need no forgetting: the time says whether they have ended. To be called in
        a snapshot's after-restore hook, where ``warm`` may follow it, and first thing in a fork.
        """
        self._connection.close()
        self.clock.forget()

    def _insist(self, operation: str, body: bytes, deadline: float) -> dict[str, Any]:
        tried: _Tried | None = None
        self._stamps_hold = True
        while True:
            try:
                response = self._attempt(operation, body, deadline)
                if self._stamps_hold:
                    return response
                raise self._errors.StoreUnavailable(operation, CLOCK_WAS_WRONG)
            except Failure as failure:
                tried = tried or _Tried()
                if not self._stamps_hold:  # a wrong time, which a repeat would carry too
                    raise self._errors.StoreUnavailable(operation, CLOCK_WAS_WRONG) from None
                if not self._may_try_again(failure, tried, deadline):
                    if failure.code in THROTTLED:
                        raise self._errors.StoreThrottled(operation, failure.code) from None
                    raise self._errors.StoreUnavailable(operation, failure.code) from None
            except ConditionNotMet as refused:
                if self._stamps_hold:
                    raise self._errors.ConditionFailed(refused.item) from None
                raise self._errors.StoreUnavailable(operation, CLOCK_WAS_WRONG) from None
            except TransactionRefused as refused:
                raise self._errors.Cancelled(refused.reasons) from None

    def _attempt(self, operation: str, body: bytes, deadline: float) -> dict[str, Any]:
        sent_at = self._machine_clock()
        now_seconds = sent_at + self.clock.offset_seconds
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
        if not self.clock.heard(response.headers.get(b"date"), sent_at=sent_at):
            self._stamps_hold = False
        return read_response(response)

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
        if failure.code in CREDENTIALS_REFUSED and not tried.credentials_renewed:
            tried.credentials_renewed = True
            return self._renew_credentials()
        tried.failures += 1
        tried.repeats += failure.repeatable_once
        if (
            not failure.transient
            or tried.failures >= self._retry_policy.attempts
            or tried.repeats > self._retry_policy.repeats
        ):
            return False
        if failure.stale:
            return True
        pause = self._retry_policy.pause(tried.failures, self._entropy)
        if self._monotonic() + pause >= deadline:
            return False
        self._sleep(pause)
        return True

    def _renew_credentials(self) -> bool:
        """Whether there are credentials other than those that were refused."""
        try:
            now_seconds = self._machine_clock() + self.clock.offset_seconds
            return self._source.renewed(now_seconds) is not self._credentials
        except CredentialsUnavailable:
            return False


def _binary(value: bytes) -> str:
    return b2a_base64(value, newline=False).decode()


class _Tried:
    """What one call has tried already."""

    __slots__ = ("credentials_renewed", "failures", "repeats")

    def __init__(self) -> None:
        self.failures = 0
        self.repeats = 0
        self.credentials_renewed = False
