"""What an HTTP response of DynamoDB means, and how long and how often to ask for a better one.

A result, a condition that failed, or a failure.

Decided by status and error code alone, never by the words of a message; messages may repeat a
caller's data, so none is passed on.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
"""

from __future__ import annotations

from binascii import crc32
from json import JSONDecoder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from chatgrid_auth.adapters.awslite.http_response import Response

    class Errors(Protocol):
        """What a caller of this client wants to catch, as classes; a module of them will do."""

        @property
        def ConditionFailed(self) -> Callable[[dict[str, Any] | None], Exception]:  # noqa: N802
            """The condition of a write did not hold; takes the item, where it was asked for."""

        @property
        def Cancelled(self) -> Callable[[list[str]], Exception]:  # noqa: N802
            """A transaction was refused; takes the reason of each of its writes."""

        @property
        def StoreThrottled(self) -> Callable[[str, str], Exception]:  # noqa: N802
            """DynamoDB was too busy for as long as the budget lasted; operation and code."""

        @property
        def StoreUnavailable(self) -> Callable[[str, str], Exception]:  # noqa: N802
            """Any other fault; operation and code."""


CONFLICT = "TransactionConflictException"

THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        CONFLICT,
    }
)
"""Worth asking again in a moment; if that goes on, the store is too busy."""

CREDENTIALS_REFUSED = frozenset(
    {"ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException"}
)
"""What credentials lead to that have ended, or that this region does not know yet."""

_decode = JSONDecoder().raw_decode


class ConditionNotMet(Exception):
    """The condition of a write did not hold.

    Args:
        item: the item as it was, where the write asked for it; ``None`` otherwise.
    """

    def __init__(self, item: dict[str, Any] | None) -> None:
        super().__init__("the condition of a conditional write does not hold")
        self.item = item


class TransactionRefused(Exception):
    """A transaction was not made.

    Args:
        reasons: the reason code of each of its writes, ``None`` for those that were not why.
    """

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("a transaction was refused")
        self.reasons = reasons


class Failure(Exception):
    """One attempt without a usable response.

    Args:
        code: DynamoDB's error code, or a word of ours.
        transient: the same request may well succeed a moment later.
        sent: whether the request may have reached DynamoDB.
        stale: it went out on a connection that had been closed meanwhile.
    """

    def __init__(
        self,
        code: str,
        *,
        transient: bool,
        sent: bool = True,
        stale: bool = False,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.transient = transient
        self.sent = sent
        self.stale = stale

    @property
    def repeatable_once(self) -> bool:
        """Whether one more attempt is all that may follow.

        So it is where a write may have been made, which a repeat makes twice, and where DynamoDB
        is too busy, which each repeat adds to. A request that was never sent did neither, and one
        that met a transaction was not carried out, and meets none a moment later.
        """
        return self.sent and self.code != CONFLICT


class RetryPolicy:
    """How long to wait for what, in seconds, and how often to try.

    The authorizer's own time-out is 5 seconds: what is left of it after the budget must still
    carry the refusal, and now and then a renewal of credentials (a second at most).

    Attributes:
        attempts: how often to try in all, connections that could not be made included.
        repeats: how many of the further attempts may follow one that the store may have carried
            out, or for which it was too busy.
    """

    __slots__ = ("attempts", "backoff", "backoff_limit", "budget", "connect", "repeats", "reply")

    def __init__(
        self,
        *,
        connect: float = 0.5,
        reply: float = 1.0,
        budget: float = 2.0,
        attempts: int = 5,
        repeats: int = 1,
        backoff: float = 0.025,
        backoff_limit: float = 0.4,
    ) -> None:
        self.connect = connect
        self.reply = reply
        self.budget = budget
        self.attempts = attempts
        self.repeats = repeats
        self.backoff = backoff
        self.backoff_limit = backoff_limit

    def pause(self, failures: int, entropy: Callable[[int], bytes]) -> float:
        """Seconds to wait after this many failures: any time up to a limit that doubles.

        Drawn over the whole range, so that containers that failed together do not come back
        together.
        """
        limit = min(self.backoff_limit, self.backoff * (1 << (failures - 1)))
        return limit * int.from_bytes(entropy(2), "big") / 0xFFFF


def read_response(response: Response) -> dict[str, Any]:
    """The result of a successful call.

    Raises:
        ConditionNotMet: the condition of a write did not hold; with the item, where asked for.
        TransactionRefused: a transaction was not made.
        Failure: anything else.
    """
    status = response.status
    body = response.body
    checksum = response.headers.get(b"x-amz-crc32")
    if checksum is not None and checksum != b"%d" % crc32(body):
        raise Failure("ChecksumMismatch", transient=True)
    try:
        text = body.decode()
        decoded, end = _decode(text)
    except ValueError:
        decoded, end, text = None, 0, ""
    if not isinstance(decoded, dict) or text[end:].strip():
        # A proxy's page, or a redirect, which is never followed: the request is signed for one
        # host, and would be shown to another.
        transient = status in {200, 429} or status >= 500
        code = "MalformedResponse" if status == 200 else f"Status{status}"
        raise Failure(code, transient=transient)
    if status == 200:
        found: dict[str, Any] = decoded
        return found
    raise _error(decoded, status)


def _error(decoded: dict[str, Any], status: int) -> ConditionNotMet | TransactionRefused | Failure:
    kind = decoded.get("__type")
    code = kind.rpartition("#")[2] if isinstance(kind, str) else ""
    if not (code.isascii() and code.isalnum() and len(code) < 100):
        code = f"Status{status}"
    if code == "ConditionalCheckFailedException":
        item = decoded.get("Item")
        return ConditionNotMet(item if isinstance(item, dict) else None)
    if code == "TransactionCanceledException":
        reasons = decoded.get("CancellationReasons")
        if not isinstance(reasons, list) or not all(isinstance(one, dict) for one in reasons):
            return Failure(code, transient=False)
        return TransactionRefused([str(one.get("Code")) for one in reasons])
    transient = status >= 500 or status == 429 or code in THROTTLED
    return Failure(code, transient=transient)
