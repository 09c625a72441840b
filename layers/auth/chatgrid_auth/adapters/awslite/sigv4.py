"""AWS Signature Version 4 for ``POST /`` requests whose headers stay the same.

A client of one AWS service sends the same headers again and again; only the time and the body
vary. So everything else is prepared once: the canonical request around the date, the day's
signing key, and the two inner states of its HMAC.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

from hashlib import sha256
from time import gmtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from hashlib import _Hash as HASH

_ALGORITHM = "AWS4-HMAC-SHA256"
_INNER_PAD = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD = bytes(byte ^ 0x5C for byte in range(256))


class RequestSigner:
    """Signs bodies sent with one credential and one fixed set of headers.

    The same instance serves any day: the signing key is derived anew when the date changes.

    Args:
        access_key_id: the public part of the credential.
        secret_access_key: the secret part; it is kept to derive tomorrow's key.
        region: for instance ``eu-central-1``.
        service: for instance ``dynamodb``.
        headers: every header to sign except ``X-Amz-Date``, which the signer adds; names in
            any letter case, ``Host`` among them.
    """

    __slots__ = (
        "_after_date",
        "_amz_date",
        "_authorization",
        "_before_date",
        "_credential",
        "_day",
        "_inner",
        "_outer",
        "_scope",
        "_second",
        "_secret",
        "_service",
        "_signed_headers",
        "_to_sign",
    )

    def __init__(
        self,
        *,
        access_key_id: str,
        secret_access_key: str,
        region: str,
        service: str,
        headers: Mapping[str, str],
    ) -> None:
        canonical = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
        canonical["x-amz-date"] = ""
        names = sorted(canonical)
        self._signed_headers = ";".join(names)
        before = names[: names.index("x-amz-date")]
        after = names[len(before) + 1 :]
        head = "".join(f"{name}:{canonical[name]}\n" for name in before)
        tail = "".join(f"{name}:{canonical[name]}\n" for name in after)
        self._before_date = f"POST\n/\n\n{head}x-amz-date:".encode()
        self._after_date = f"\n{tail}\n{self._signed_headers}\n".encode()
        self._credential = access_key_id
        self._secret = secret_access_key
        self._scope = f"/{region}/{service}/aws4_request"
        self._service = (region, service)
        self._second = -1
        self._day = ""

    def __repr__(self) -> str:
        return f"<RequestSigner for {'/'.join(self._service)}>"

    def sign(self, body: bytes, *, at_second: int) -> bytes:
        """The header lines ``X-Amz-Date`` and ``Authorization`` for this body at this time.

        Args:
            body: the request's body.
            at_second: the time of the request, in whole epoch seconds.
        """
        if at_second != self._second:
            self._set_time(at_second)
        payload = sha256(body).hexdigest().encode()
        canonical = b"%b%b%b%b" % (self._before_date, self._amz_date, self._after_date, payload)
        inner = self._inner.copy()
        inner.update(self._to_sign + sha256(canonical).hexdigest().encode())
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b"%b%b\r\n" % (self._authorization, outer.hexdigest().encode())

    def _set_time(self, at_second: int) -> None:
        year, month, day, hour, minute, second = gmtime(at_second)[:6]
        today = f"{year:04}{month:02}{day:02}"
        amz_date = f"{today}T{hour:02}{minute:02}{second:02}Z"
        if today != self._day:
            key = _signing_key(self._secret, today, *self._service)
            self._inner, self._outer = _hmac_states(key)
            self._day = today
        self._amz_date = amz_date.encode()
        self._to_sign = f"{_ALGORITHM}\n{amz_date}\n{today}{self._scope}\n".encode()
        self._authorization = (
            f"X-Amz-Date: {amz_date}\r\n"
            f"Authorization: {_ALGORITHM} Credential={self._credential}/{today}{self._scope}, "
            f"SignedHeaders={self._signed_headers}, Signature="
        ).encode()
        self._second = at_second


def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for step in (day, region, service, "aws4_request"):
        inner, outer = _hmac_states(key)
        inner.update(step.encode())
        outer.update(inner.digest())
        key = outer.digest()
    return key


def _hmac_states(key: bytes) -> tuple[HASH, HASH]:
    """HMAC-SHA-256 (RFC 2104) after its key: two states to copy, update, and finish.

    ``hmac.digest`` would hash the padded key on every call, at two and a half times the cost.
    """
    block = (key if len(key) <= 64 else sha256(key).digest()).ljust(64, b"\0")
    return sha256(block.translate(_INNER_PAD)), sha256(block.translate(_OUTER_PAD))
