"""Answers that arrive when the page is somewhere else: each goes where it belongs, or nowhere."""

from __future__ import annotations

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser


def test_a_key_revoked_while_the_list_loads_is_never_shown_again(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Stays")
    account.make_key("Goes")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("GET")
    dashboard.button("Refresh").click()
    held.wait()
    dashboard.revoke("Goes").wait_for(state="hidden")
    assert dashboard.names() == ["Stays"]
    as_it_was = held.let_go()
    dashboard.settle()
    assert len(as_it_was["data"]) == 2
    assert dashboard.names() == ["Stays"]
    # A list that is read a little late, as an index may be.
    dashboard.answer_keys("GET", 200, as_it_was)
    dashboard.button("Refresh").click()
    dashboard.settle()
    assert dashboard.names() == ["Stays"]


def test_a_key_made_while_the_list_loads_stays_in_it(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Old")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("GET")
    dashboard.button("Refresh").click()
    held.wait()
    dashboard.create("New")
    account.make_key("Elsewhere")
    assert len(held.let_go()["data"]) == 1
    dashboard.settle()
    assert dashboard.names() == ["New", "Old"]
    dashboard.as_before()
    dashboard.button("Refresh").click()
    dashboard.row("Elsewhere").wait_for()
    assert dashboard.names() == ["Elsewhere", "New", "Old"]
