"""The gateway's log: one JSON line for each request, and what the functions print."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TextIO

from chatgrid_devkit.redaction import redacted


@dataclass(slots=True, kw_only=True)
class RequestRecord:
    """What is known of a request while it is answered; filled in on the way."""

    request_id: str
    received_ms: int
    method: str
    path: str
    resource: str | None = None
    status: int = 0
    response_type: str | None = None
    reason: str | None = None
    latency_ms: float = 0.0
    authorizer_ms: float | None = None
    integration_ms: float | None = None


#: How Powertools begins a line in CloudWatch's embedded metric format: nobody reads it here.
_METRICS_ALONE = '{"_aws":'


class RequestLog:
    """Writes lines to a stream; none of them holds a credential, a header or a body."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def request(self, record: RequestRecord) -> None:
        """One line of JSON for an answered request."""
        seconds, milliseconds = divmod(record.received_ms, 1000)
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        line: Mapping[str, object] = {
            "time": f"{moment}.{milliseconds:03}Z",
            "request_id": record.request_id,
            "method": record.method,
            "resource": record.resource,
            "path": record.path,
            "status": record.status,
            "response_type": record.response_type,
            "reason": record.reason,
            "latency_ms": _rounded(record.latency_ms),
            "authorizer_ms": _rounded(record.authorizer_ms),
            "integration_ms": _rounded(record.integration_ms),
        }
        self._write(json.dumps({key: value for key, value in line.items() if value is not None}))

    def output(self, function: str, line: str) -> None:
        """A line that a function printed; lines that are metrics and nothing else are left out."""
        if line.startswith(_METRICS_ALONE):
            return
        self._write(f"{function} | {line}")

    def note(self, text: str) -> None:
        """A line of the gateway's own."""
        self._write(f"gateway | {text}")

    def _write(self, line: str) -> None:
        self._stream.write(redacted(line) + "\n")
        self._stream.flush()


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)
