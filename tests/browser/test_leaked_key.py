"""A key was found somewhere: who has its first characters ends it in a few clicks."""

from __future__ import annotations

import re
import time

import httpx

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser

#: The way to its page, the pause, and one look at its last hour.
CLICKS = 3
DEADLINE_SECONDS = 60.0


def test_a_leaked_key_is_found_paused_and_its_use_seen_in_three_clicks(
    open_browser: OpenBrowser, account: Account
) -> None:
    leaked = account.make_key("Nightly job")
    for number in range(3):
        account.make_key(f"Other {number}")
    bearer = {"Authorization": f"Bearer {leaked['raw_key']}"}
    for status in (200, 200):
        assert httpx.get(f"{account.url}/me", headers=bearer).status_code == status
    dashboard = open_browser(account).visit()
    page = dashboard.page
    page.evaluate("clicks = 0; addEventListener('click', () => { clicks += 1; }, true)")
    began = time.monotonic()
    page.get_by_label("Filter by name, prefix or id").fill(leaked["key_prefix"])
    assert dashboard.names() == ["Nightly job"]
    dashboard.open_key("Nightly job")
    dashboard.button("Pause").click()
    dashboard.button("Resume").wait_for()
    assert httpx.get(f"{account.url}/me", headers=bearer).status_code == 401
    assert dashboard.facts()["Last used"].startswith("just now")
    page.get_by_label("An hour", exact=True).check()
    used = page.locator("#usage-routes tr").filter(has_text="GET /me")
    asked = page.evaluate("clicks")
    while not re.search(r"^GET /me\t2\t0\t1\t", "".join(used.all_inner_texts())):
        # The numbers come from the log, a moment behind.
        assert time.monotonic() < began + DEADLINE_SECONDS, used.all_inner_texts()
        dashboard.button("Refresh").click()
        dashboard.settle()
    assert asked == CLICKS
    drawn = page.get_by_role("img", name=re.compile("^Requests in the last hour: 2 allowed"))
    assert drawn.is_visible()
