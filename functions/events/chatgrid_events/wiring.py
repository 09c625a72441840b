"""The events function's composition root: the only reader of its environment."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from chatgrid_auth import settings
from chatgrid_auth.adapters.awslite.credential_chain import credentials_from
from chatgrid_auth.adapters.awslite.fetch import JsonService, fetch
from chatgrid_events.publishing import Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping

#: EventBridge takes ten events in a fraction of it; the function's own time-out is 30 seconds.
_PATIENCE_SECONDS = 5.0


def start(environ: Mapping[str, str] = os.environ) -> Publisher:
    """The publisher of this container.

    Raises:
        SettingError: an environment variable is missing or not usable.
    """
    bridge = JsonService(
        "events",
        region=settings.text(environ, "AWS_REGION"),
        url=settings.text(environ, "AWS_ENDPOINT_URL_EVENTBRIDGE"),
        credentials=credentials_from(environ),
        post=partial(fetch, timeout_seconds=_PATIENCE_SECONDS),
    )

    def put(question: dict[str, Any]) -> bytes:
        now_ms = time.time_ns() // 1_000_000
        return bridge.call("AWSEvents.PutEvents", question, now_ms=now_ms)

    return Publisher(put=put, bus=settings.text(environ, "EVENT_BUS"), log=_line)


def _line(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
