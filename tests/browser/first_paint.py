"""The page on a slow phone: when its first content is painted, and when the keys are listed.

    python -m tests.browser.first_paint [--rounds 5] [--write]

On loopback, with Chromium's own brakes: 400 kbit/s, 400 ms to and fro, a quarter of the processor.
Each round is a browser that has nothing in its cache and somebody signed in. Containers are warm.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import httpx

from tests.benchmarks.functions import document
from tests.browser.accounts import Account, Accounts
from tests.browser.chromium import NoBrowser, arguments, executable
from tests.browser.dashboard import Dashboard
from tests.support.stack.local_stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import Browser

BYTES_A_SECOND = 400_000 // 8
LATENCY_MS = 400
SLOWER = 4
KEYS = 20
_WATCH = """
const look = () => {
  if (document.querySelector("tbody tr")?.checkVisibility()) window.listedAt = performance.now();
  else requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""
_TOLD = """
async () => {
  while (!window.listedAt) await new Promise(requestAnimationFrame);
  return {
    painted_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
    listed_ms: window.listedAt,
    requests: [...performance.getEntriesByType("navigation"),
               ...performance.getEntriesByType("resource")]
      .map((entry) => ({url: entry.name, began_ms: entry.startTime, bytes: entry.transferSize})),
  };
}
"""


class Visit(NamedTuple):
    """One visit of the page.

    Attributes:
        painted_ms, listed_ms: since it was asked for: its first content, and the list of keys.
        requests: what it asked for until then: URL, begin, bytes.
    """

    painted_ms: float
    listed_ms: float
    requests: list[dict[str, Any]]

    @property
    def before_paint(self) -> set[str]:
        """The last parts of the addresses that it asked for before its first content was there."""
        began = (one["url"] for one in self.requests if one["began_ms"] < self.painted_ms)
        return {url.rsplit("/", 1)[-1] for url in began}


def visit(browser: Browser, account: Account, *, slow: bool) -> Visit:
    """Visit the page as somebody who is signed in, with nothing in the cache."""
    origin = account.url.rsplit("/", 1)[0]
    storage: Any = account.browser_storage(origin)
    context = browser.new_context(storage_state=storage, viewport={"width": 360, "height": 740})
    try:
        dashboard = Dashboard(context.new_page(), url=account.url)
        page = dashboard.page
        page.add_init_script(_WATCH)
        if slow:
            session = context.new_cdp_session(page)
            session.send("Network.enable")
            session.send(
                "Network.emulateNetworkConditions",
                {
                    "offline": False,
                    "latency": LATENCY_MS,
                    "downloadThroughput": BYTES_A_SECOND,
                    "uploadThroughput": BYTES_A_SECOND,
                },
            )
            session.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        page.goto(dashboard.address)
        page.locator("tbody tr").first.wait_for(timeout=60_000)
        told: dict[str, Any] = page.evaluate(_TOLD)
        return Visit(**told)
    finally:
        context.close()


def measured(rounds: int) -> list[Visit]:
    """Visits on a local stack of their own."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # may not be installed

    path = executable()
    with (
        tempfile.TemporaryDirectory() as temporary,
        LocalStack(Path(temporary) / "state") as stack,
        httpx.Client(timeout=20) as http,
        sync_playwright() as playwright,
    ):
        account = Accounts(str(stack.described["url"]), stack.output, http).new()
        for number in range(KEYS):
            account.make_key(f"Key {number}")
        browser = playwright.chromium.launch(executable_path=path, args=arguments())
        visit(browser, account, slow=False)  # the containers start
        return [visit(browser, account, slow=True) for _ in range(rounds)]


def main() -> int:
    """See the module's description."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="keep the figures in docs")
    given = parser.parse_args()
    try:
        visits = measured(given.rounds)
    except NoBrowser as reason:
        print(f"the page was not measured: {reason}", file=sys.stderr)  # noqa: T201
        return 0
    told = table(visits)
    if given.write:
        document.put("page", told)
    print(told)  # noqa: T201
    return 0


def table(visits: list[Visit]) -> str:
    """Medians of the visits."""
    before = sorted(name.split(".")[0] for name in visits[-1].before_paint)
    rows = {
        "first contentful paint": f"{median(one.painted_ms for one in visits) / 1e3:.1f} s",
        f"{KEYS} keys are listed": f"{median(one.listed_ms for one in visits) / 1e3:.1f} s",
        "bytes, headers included": f"{median(map(_bytes, visits)):,.0f}",
        "asked for before the paint": ", ".join(before),
    }
    lines = [f"| {name} | {value} |" for name, value in rows.items()]
    return "\n".join(["|  |  |", "| --- | ---: |", *lines])


def _bytes(one: Visit) -> int:
    return sum(asked["bytes"] for asked in one.requests)


if __name__ == "__main__":
    sys.exit(main())
