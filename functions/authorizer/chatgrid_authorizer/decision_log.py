"""One line for each decision: little about an allowed one, everything about any other.

The line is JSON with the field names of Powertools' Logger. Powertools itself would cost the
authorizer several times its whole start. An allowed request is what is mostly logged and hardly
ever looked up, so its line stays within 300 bytes; a container's first decision and whatever was
not allowed are told in full. The fields are documented in docs/runbook.md. No credential is ever
in a line. The metrics have lines of their own (``decision_metrics``).
"""

from __future__ import annotations

import time
from json.encoder import encode_basestring_ascii as _quote

from chatgrid_auth.domain.verdicts import Allowed, Forbidden, Limited, Refused, assert_never

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chatgrid_auth.domain.errors import Fault
    from chatgrid_auth.domain.verdicts import Verdict
    from chatgrid_authorizer.event import MethodRequest

# Written out, because building the same record for each request and walking it again would cost
# more than the decision's own arithmetic. All that varies is quoted.
_ALLOWED = (
    '{"level":"INFO","message":"decision","timestamp":"%s.%03dZ","correlation_id":%s,'
    '"method":%s,"resource":%s,"outcome":"%s",%s,"DecisionMs":%.2f}'
)
_FULL = (
    '{"level":"%s","message":"decision","timestamp":"%s.%03dZ","service":"authorizer",'
    '"cold_start":%s,"correlation_id":%s,"function_request_id":%s,"method":%s,"resource":%s,'
    '"outcome":"%s","reason":"%s",%s"DecisionMs":%.2f%s}'
)


class Measured:
    """What was measured of one decision.

    Attributes:
        now_ms: when it was asked for, in Unix milliseconds.
        took_ms: how long it took, the wait for the store included.
        store_ms: how long of that it waited for the store; 0 when the store was not asked.
        cold_start: whether this was the container's first decision.
    """

    __slots__ = ("cold_start", "now_ms", "store_ms", "took_ms")

    def __init__(self, *, now_ms: int, took_ms: float, store_ms: float, cold_start: bool) -> None:
        self.now_ms = now_ms
        self.took_ms = took_ms
        self.store_ms = store_ms
        self.cold_start = cold_start


def named(outcome: Verdict | Fault) -> tuple[str, str]:
    """What lines and metrics call an outcome, and its reason."""
    match outcome:
        case Allowed():
            return "allowed", outcome.caller.auth_mode
        case Refused():
            return "refused", outcome.reason
        case Forbidden():
            return "forbidden", outcome.reason
        case Limited():
            return "rate_limited", _limit_of(outcome)
        case Exception():
            return "fault", type(outcome).__name__
        case _:
            assert_never(outcome)


def _limit_of(outcome: Limited) -> str:
    """Which limit refused: ``window`` (the credential's own), ``credits``, ``owner``, ``route``."""
    if outcome.beyond is None or outcome.beyond.refused_by == "default":
        return "window"
    return outcome.beyond.refused_by.partition(":")[0]


_last_second = (0, "1970-01-01T00:00:00")


def _text_of(second: int) -> str:
    """A second as text; the last one's is kept, for it has many decisions or one."""
    global _last_second  # noqa: PLW0603 - a memo of a pure function, replaced whole
    known, text = _last_second
    if known != second:
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        _last_second = second, text
    return text


def line(
    outcome: Verdict | Fault,
    called: tuple[str, str],
    request: MethodRequest,
    measured: Measured,
    *,
    invocation_id: str | None = None,
) -> str:
    """The line for one decision.

    Args:
        outcome: the verdict, or the fault in its place.
        called: what lines and metrics call it, as `named` has it.
        request: what was asked.
        measured: when it was, and what it took.
        invocation_id: Lambda's id of the invocation, as in the platform's own lines.
    """
    name, reason = called
    now_ms = measured.now_ms
    second, milliseconds = _text_of(now_ms // 1000), now_ms % 1000
    if isinstance(outcome, Allowed) and not measured.cold_start:
        return _ALLOWED % (
            second,
            milliseconds,
            _quote(request.request_id),
            _quote(request.method),
            _quote(request.resource),
            name,
            _caller(outcome),
            measured.took_ms,
        )
    return _FULL % (
        "ERROR" if name == "fault" else "INFO",
        second,
        milliseconds,
        "true" if measured.cold_start else "false",
        _quote(request.request_id),
        "null" if invocation_id is None else _quote(invocation_id),
        _quote(request.method),
        _quote(request.declared_resource),
        name,
        reason,
        _more(outcome) + (_alert(request, now_ms) if reason == "canary" else ""),
        measured.took_ms,
        f',"StoreMs":{measured.store_ms:.2f}' if measured.store_ms else "",
    )


#: Who came with a canary, by address, and until when that is not told again.
_told: dict[str, int] = {}
_TOLD_AGAIN_MS = 60_000
_MOST_TOLD = 1_024


def _alert(request: MethodRequest, now_ms: int) -> str:
    """Where somebody comes from who has found a canary: once a minute for each address."""
    source = request.judged.source
    if _told.get(source, 0) - now_ms >= 0:
        return ""
    _told.pop(source, None)
    if len(_told) >= _MOST_TOLD:
        del _told[next(iter(_told))]
    _told[source] = now_ms + _TOLD_AGAIN_MS
    return f'"alert":"canary_used","source_ip":{_quote(source)},'


def _caller(outcome: Allowed) -> str:
    """Whose request it was, as short as it can be said: a key and its owner, or a JWT's user."""
    caller = outcome.caller
    if caller.key_id is None:
        return f'"user_id":{_quote(caller.user_id)}'
    told = f'"key_id":{_quote(caller.key_id)},"own":"{caller.short_user_id}"'
    if outcome.beyond is None or not outcome.beyond.spent:
        return told
    return f'{told},"credits":{outcome.beyond.spent}'


def _more(outcome: Verdict | Fault) -> str:
    """What is known beside the reason, with a comma at its end."""
    if isinstance(outcome, Exception):
        return f'"detail":{_quote(str(outcome))},'
    whose = outcome.caller if isinstance(outcome, Allowed) else outcome
    told = "" if whose.user_id is None else f'"user_id":{_quote(whose.user_id)},'
    return told if whose.key_id is None else f'{told}"key_id":{_quote(whose.key_id)},'
