"""The time by the store's clock, for what must not depend on the clock of an operator's machine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chatgrid_auth.adapters.awslite.server_clock import from_http_date
from chatgrid_cli.errors import FAULT, CliError

#: A ``Date`` is cut to seconds: half a second is missing, give or take another half.
_MISSING_MS = 500
#: How old an answer's ``Date`` may be by now. With that half second, the time lies at most half a
#: second ahead and two behind: within what clocks may differ by (docs/decisions/0002).
_OLDEST_MS = 1_500


@contextmanager
def store_clock(client: Any) -> Iterator[Callable[[], int]]:
    """The time in Unix milliseconds, by the ``Date`` of the client's latest answer.

    Raises:
        CliError: (the clock, when asked) no answer tells it, or none within 2 s.
    """
    clock = _StoreClock()
    events, mark = client.meta.events, f"chatgrid-{id(clock)}"
    events.register("request-created.dynamodb", clock.leaves, unique_id=f"{mark}-leaves")
    events.register("after-call.dynamodb", clock.comes, unique_id=f"{mark}-comes")
    try:
        yield clock.now_ms
    finally:
        events.unregister("request-created.dynamodb", unique_id=f"{mark}-leaves")
        events.unregister("after-call.dynamodb", unique_id=f"{mark}-comes")


class _StoreClock:
    def __init__(self) -> None:
        self._asked_ms = 0
        self._told_ms: int | None = None

    def leaves(self, **_: object) -> None:
        self._asked_ms = _uptime_ms()
        self._told_ms = None

    def comes(self, parsed: dict[str, Any], **_: object) -> None:
        headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        told_s = from_http_date(headers.get("date", ""))
        self._told_ms = None if told_s is None else told_s * 1_000 + _MISSING_MS

    def now_ms(self) -> int:
        # The answer was dated after the request was made: it is at most as old as that.
        if self._told_ms is None or _uptime_ms() - self._asked_ms > _OLDEST_MS:
            raise CliError(
                "DynamoDB's answer does not tell the time to within 2 s (none is in it, or it came"
                " late), which a change of limit needs: nothing was changed; try again",
                code="no_time",
                exit_code=FAULT,
            )
        return self._told_ms


def _uptime_ms() -> int:
    return time.monotonic_ns() // 1_000_000
