"""On a slow phone nothing that can wait is asked for before something is to be seen."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.browser.first_paint import visit

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.accounts import Account


def test_nothing_that_can_wait_is_asked_for_before_the_first_paint(
    browser: Browser, account: Account
) -> None:
    """The page, with how it looks, and the two scripts, which the list of keys would wait for."""
    account.make_key("CI")
    seen = visit(browser, account, slow=True)
    assert 0 < seen.painted_ms < seen.listed_ms
    names = {name.split(".")[0] for name in seen.before_paint}
    assert names == {"dashboard", "main", "auth-js"}
    listing = [urlsplit(one["url"]).path for one in seen.requests if "/me/" in one["url"]]
    assert listing == ["/v1/me/api-keys"]
