"""Every decision line is counted once: batches of the log are kept, and folded each minute.

Those that tell of a canary are told of as well.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from base64 import b64decode

from chatgrid_auth.services.usage.tallies import tally

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from chatgrid_auth.adapters.usage_table.arrivals import Arrivals
    from chatgrid_auth.adapters.usage_table.folding import Folding

#: No further minute is begun with less than this left of the function's time.
_RESERVE_MS = 10_000
_GZIP = 31
#: What a line has that tells of a canary; hardly any has it.
_ALERT = '"alert":"canary_used"'


class Counter:
    """Counts what is delivered of the decision log.

    Args:
        arrivals: where batches are kept.
        folding: adds them to the buckets.
        tell_of_canaries: tells of the canaries in these lines (when, in Unix milliseconds, and its
            text), once, however often they are delivered.
        now_ms: the clock, in Unix milliseconds.
        log: writes one line.
    """

    def __init__(
        self,
        *,
        arrivals: Arrivals,
        folding: Folding,
        tell_of_canaries: Callable[[Iterable[tuple[int, str]]], None],
        now_ms: Callable[[], int],
        log: Callable[[str], None],
    ) -> None:
        self._arrivals = arrivals
        self._folding = folding
        self._tell_of_canaries = tell_of_canaries
        self._now_ms = now_ms
        self._log = log

    def handle(self, event: Mapping[str, Any], context: Any = None) -> None:
        """Keep a batch of log events, or fold what was kept.

        Args:
            event: CloudWatch Logs' (``awslogs``), or any other for the schedule.
            context: Lambda's; tells how much time is left.

        Raises:
            StoreUnavailable: Lambda delivers a batch again; the next minute folds again.
        """
        if "awslogs" in event:
            self._keep(event["awslogs"]["data"])
            return
        left_ms = context.get_remaining_time_in_millis() if context is not None else 60_000
        started_ms = self._now_ms()
        added = self._folding.run(until_ms=started_ms + left_ms - _RESERVE_MS)
        if added:
            took_ms = self._now_ms() - started_ms
            line = {"level": "INFO", "message": "folded", "buckets": added, "took_ms": took_ms}
            self._log(json.dumps(line))

    def _keep(self, data: str) -> None:
        batch = json.loads(zlib.decompress(b64decode(data), _GZIP))
        if batch.get("messageType") != "DATA_MESSAGE":
            return  # CloudWatch's own word that it can reach this function
        events = batch["logEvents"]
        sums = tally((event["timestamp"], event["message"]) for event in events)
        if not sums:
            return
        told = f"{batch['logGroup']}\n{batch['logStream']}\n" + "\n".join(e["id"] for e in events)
        self._arrivals.keep(
            sums,
            batch=hashlib.sha256(told.encode()).hexdigest()[:32],
            newest_ms=max(event["timestamp"] for event in events),
            now_ms=self._now_ms(),
        )
        alerts = [(e["timestamp"], e["message"]) for e in events if _ALERT in e["message"]]
        if alerts:
            self._tell_of_canaries(alerts)
