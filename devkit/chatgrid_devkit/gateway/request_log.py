"""The gateway's log: one JSON line for each request, and what the functions print.

A request's line has the field names of the authorizer's decision line (docs/runbook.md).
By default what one needs while working; everything on demand, and always in a file."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

from chatgrid_devkit.door.printable import printable
from chatgrid_devkit.gateway.redaction import redacted


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """What is known of a request while it is answered; filled in on the way.

    Attributes:
        message: what the client was told of its error.
    """

    request_id: str
    received_ms: int
    method: str
    path: str
    resource: str | None = None
    status: int = 0
    response_type: str | None = None
    outcome: str | None = None
    reason: str | None = None
    message: str | None = None
    latency_ms: float = 0.0
    authorizer_ms: float | None = None
    integration_ms: float | None = None


#: Levels of lines that every request or minute leaves; who wants them finds them in the file.
_USUAL = ("TRACE", "DEBUG", "INFO")  # no set: a function may print what cannot be looked up
_WINDOW_IN_WORDS = "over the limit"
#: What the reconciler counts without having done anything.
_NOTHING_DONE = {"dry_run", "queue_depth", "sweeps"}


def decision_in(context: Mapping[str, object]) -> tuple[str | None, str | None]:
    """The outcome and the reason that an authorizer's context tells, where it is one of ours.

    The outcome has the name that the authorizer's own line gives it.
    """
    match context.get("verdict"), context.get("reason"):
        case "forbidden", _:
            return "forbidden", str(context.get("message"))
        case "rate_limited", _:
            return "rate_limited", "window"
        case str() as verdict, _:
            return verdict, None
        case _, str() as reason:
            return "refused", reason
        case _:
            return None, None


class RequestLog:
    """Writes lines to a stream; none of them holds a credential, a header or a body.

    Args:
        stream: a short line for each request, and what somebody should see of the functions'.
        keep: everything in full, when given.
        verbose: whether the stream gets everything in full as well.
    """

    def __init__(
        self, stream: TextIO, *, keep: TextIO | None = None, verbose: bool = False
    ) -> None:
        self._stream = stream
        self._keep = keep
        self._verbose = verbose

    def request(self, record: RequestRecord) -> None:
        """One line for an answered request: for whoever watches, and of JSON in full."""
        seconds, milliseconds = divmod(record.received_ms, 1000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        full = _json(
            {
                "timestamp": f"{moment}.{milliseconds:03}Z",
                "correlation_id": record.request_id,
                "method": record.method,
                "resource": record.resource,
                "path": record.path,
                "status": record.status,
                "response_type": record.response_type,
                "outcome": record.outcome,
                "reason": record.reason,
                "latency_ms": _rounded(record.latency_ms),
                "authorizer_ms": _rounded(record.authorizer_ms),
                "integration_ms": _rounded(record.integration_ms),
            }
        )
        self._write(full, shown=_sentence(record))

    def output(self, function: str, line: str) -> None:
        """A line that a function printed."""
        shown = _shown(line)
        self._write(
            f"{function} | {line}", shown=None if shown is None else f"{function} | {shown}"
        )

    def note(self, text: str) -> None:
        """A line of the gateway's own."""
        line = f"gateway | {text}"
        self._write(line, shown=line)

    def _write(self, full: str, *, shown: str | None) -> None:
        if self._keep is not None:
            with suppress(OSError):  # a full disk ends nobody's request
                _put(self._keep, full)
        line = full if self._verbose else shown
        if line is not None:
            _put(self._stream, line)


def _put(stream: TextIO, line: str) -> None:
    stream.write(printable(redacted(line)) + "\n")
    stream.flush()


def _shown(line: str) -> str | None:
    """What somebody who did not ask for everything sees of a line that a function printed."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return line  # a print, a traceback
    if not isinstance(said, dict):
        return line
    if said.get("message") == "reconciled" and isinstance(said.get("run"), dict):
        done = {name: n for name, n in said["run"].items() if n and name not in _NOTHING_DONE}
        return f"reconciled: {json.dumps(done)}" if done else None
    usual = said["level"] in _USUAL if "level" in said else "_aws" in said
    return None if usual else line


def _sentence(record: RequestRecord) -> str:
    """What somebody reads of a request: what was asked, the status, and why not otherwise."""
    path = record.path.encode("unicode_escape").decode("ascii")
    parts = [record.method, path, str(record.status)]
    if record.status < 400:
        return " ".join([*parts, f"{record.latency_ms:.0f} ms"])
    why = _WINDOW_IN_WORDS if record.outcome == "rate_limited" else record.reason or record.message
    parts.append((why or record.response_type or "").removeprefix("Missing required "))
    if (why or "").startswith("Missing required "):
        parts.insert(-1, "missing")
    if record.status >= 500:  # the file has more under this name
        parts.append(f"(correlation_id {record.request_id})")
    return " ".join(part for part in parts if part)


def _json(line: Mapping[str, object]) -> str:
    """A line of JSON without what is not known."""
    return json.dumps({key: value for key, value in line.items() if value is not None})


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
