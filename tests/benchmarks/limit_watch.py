"""Watches a running stack from outside for some minutes: the most admitted in any 60 seconds.

    python -m tests.benchmarks.limit_watch --stack .devkit/stack.json --minutes 4

Eight threads ask without pause with one key of limit 120, over several windows. Refused callers
go on at once, except that every refusal's Retry-After is noted: the first request after that wait
must be admitted, which a ninth, patient caller with a key of its own checks.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx

from tests.support.stack.api import Api

THREADS = 8
LIMIT = 120
WINDOW_S = 60.0


def most_in_any_window(moments: list[float]) -> int:
    """The most of these moments that lie within 60 seconds (half open) of each other."""
    ordered = sorted(moments)
    most = first = 0
    for index, moment in enumerate(ordered):
        while moment - ordered[first] >= WINDOW_S:
            first += 1
        most = max(most, index - first + 1)
    return most


class Watch:
    """What the callers saw."""

    def __init__(self, url: str, *, pause_s: float) -> None:
        self.url = url
        self.pause_s = pause_s
        self.statuses: Counter[int] = Counter()
        self.admitted: list[float] = []
        self.waits_kept = 0
        self.waits_broken = 0
        self._lock = threading.Lock()

    def hammer(self, raw_key: str, until: float) -> None:
        """Ask as often as the pause allows."""
        with httpx.Client(base_url=self.url, timeout=30) as http:
            caller = Api(http, raw_key)
            while time.monotonic() < until:
                response = caller.ask("GET", "/boards")
                with self._lock:
                    self.statuses[response.status_code] += 1
                    if response.status_code == 200:
                        self.admitted.append(time.monotonic())
                time.sleep(self.pause_s)

    def wait_as_told(self, raw_key: str, until: float) -> None:
        """Use the whole limit, wait as told, and see whether one more is admitted."""
        with httpx.Client(base_url=self.url, timeout=30) as http:
            caller = Api(http, raw_key)
            while time.monotonic() < until:
                response = caller.ask("GET", "/boards")
                if response.status_code != 429:
                    continue
                time.sleep(int(response.headers["retry-after"]))
                if caller.ask("GET", "/boards").status_code == 200:
                    self.waits_kept += 1
                else:
                    self.waits_broken += 1


def main() -> int:
    """Watch, print the figures, and fail when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stack", type=Path, default=Path(".devkit/stack.json"))
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--pause", type=float, default=0.15, help="seconds between requests")
    options = parser.parse_args()
    stack = json.loads(options.stack.read_text())
    with httpx.Client(base_url=stack["url"], timeout=30) as http:
        admin = Api(http, stack["admin_key"])
        busy, patient = (admin.create_key(rate_limit=limit)["raw_key"] for limit in (LIMIT, 5))
    watch = Watch(stack["url"], pause_s=options.pause)
    until = time.monotonic() + options.minutes * 60
    callers = [threading.Thread(target=watch.hammer, args=(busy, until)) for _ in range(THREADS)]
    callers.append(threading.Thread(target=watch.wait_as_told, args=(patient, until)))
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    most = most_in_any_window(watch.admitted)
    print(f"requests: {sum(watch.statuses.values())}, by status: {dict(watch.statuses)}")
    print(f"most admitted in any {WINDOW_S:.0f} s: {most} (limit {LIMIT})")
    print(f"waited as told and admitted: {watch.waits_kept}, refused: {watch.waits_broken}")
    return int(most > LIMIT or watch.waits_broken > 0 or watch.waits_kept == 0)


if __name__ == "__main__":
    sys.exit(main())
