"""A key was found somewhere: who has its first characters ends it in a few clicks."""

from __future__ import annotations

import re

import httpx

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.played import play_usage

#: The way to its page, the pause, and one look at its last hour.
CLICKS = 3


def test_a_leaked_key_is_paused_and_its_use_seen_in_three_clicks(
    open_browser: OpenBrowser, account: Account
) -> None:
    leaked = account.make_key("Nightly job")
    for number in range(3):
        account.make_key(f"Other {number}")
    bearer = {"Authorization": f"Bearer {leaked['raw_key']}"}
    assert httpx.get(f"{account.url}/me", headers=bearer).status_code == 200
    dashboard = open_browser(account).visit()
    told = play_usage(dashboard)  # the real ones come minutes later
    page = dashboard.page
    page.evaluate("clicks = 0; addEventListener('click', () => { clicks += 1; }, true)")
    page.get_by_label("Filter by name, prefix or id").fill(leaked["key_prefix"])
    assert dashboard.names() == ["Nightly job"]
    dashboard.open_key("Nightly job")
    dashboard.button("Pause").click()
    dashboard.button("Resume").wait_for()
    assert httpx.get(f"{account.url}/me", headers=bearer).status_code == 401
    assert dashboard.facts()["Last used"].startswith("just now")
    page.get_by_label("An hour", exact=True).check()
    dashboard.settle()
    assert page.evaluate("clicks") == CLICKS
    numbers = told["minute"]["data"]
    used = sum(bucket["allowed"] for bucket in numbers["buckets"])
    name = re.compile(f"^Requests in the last hour: {used:,} allowed")
    assert page.get_by_role("img", name=name).is_visible()
    assert page.locator("#usage-routes th").all_inner_texts() == ["GET /boards"]
    trail = page.get_by_role("list", name="What was done to it").locator("p")
    assert trail.first.inner_text().startswith("The key was paused by you from ")
