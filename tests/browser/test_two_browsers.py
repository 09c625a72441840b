"""Two browsers at once end in the right state, whoever did what where."""

from __future__ import annotations

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard


def come_back(dashboard: Dashboard) -> None:
    """What a person does who has been in another window."""
    dashboard.page.evaluate("performance.now = () => 1e9")  # as if some time had passed
    with dashboard.page.expect_response("**/me/api-keys**"):
        dashboard.page.evaluate("dispatchEvent(new Event('focus'))")
    dashboard.settle()


def test_created_here_and_revoked_there(open_browser: OpenBrowser, account: Account) -> None:
    account.make_key("Old")
    here, there = open_browser(account).visit(), open_browser(account).visit()
    here.create("New")
    assert here.names() == ["New", "Old"]
    come_back(there)
    assert there.names() == ["New", "Old"]
    there.revoke("New").wait_for(state="hidden")
    there.revoke("Old").wait_for(state="hidden")
    assert there.page.get_by_role("heading", name="No keys yet").is_visible()
    come_back(here)
    assert here.names() == []
    assert here.page.get_by_role("heading", name="No keys yet").is_visible()
    assert account.key_names() == []


def test_revoked_in_both_at_once(open_browser: OpenBrowser, account: Account) -> None:
    account.make_key("Twice")
    account.make_key("Stays")
    here, there = open_browser(account).visit(), open_browser(account).visit()
    here.revoke("Twice").wait_for(state="hidden")
    there.revoke("Twice").wait_for(state="hidden")
    assert here.names() == there.names() == ["Stays"]
    there.page.get_by_role("status").filter(has_text="Twice had been revoked already.").wait_for(
        state="attached"
    )
    assert account.key_names() == ["Stays"]


def test_created_in_both_at_once(open_browser: OpenBrowser, account: Account) -> None:
    account.make_key("Old")
    here, there = open_browser(account).visit(), open_browser(account).visit()
    raw_keys = {here.create("Same name"), there.create("Same name")}
    assert len(raw_keys) == 2
    for dashboard in (here, there):
        come_back(dashboard)
        assert dashboard.names() == ["Same name", "Same name", "Old"]


def test_revoked_there_while_the_dialog_is_open_here(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Gone meanwhile")
    account.make_key("Stays")
    here = open_browser(account).visit()
    here.button("Revoke Gone meanwhile").click()
    account.revoke(made["id"])
    come_back(here)
    dialog = here.dialog("Revoke this key?")
    dialog.get_by_label("Type the key's name to confirm").fill("Gone meanwhile")
    dialog.get_by_role("button", name="Revoke key").click()
    dialog.wait_for(state="hidden")
    assert here.names() == ["Stays"]
