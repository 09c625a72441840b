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


def test_after_a_revocation_the_focus_is_on_what_is_next_to_it(
    open_browser: OpenBrowser, account: Account
) -> None:
    for name in ("Other 3", "Match 3", "Match 2", "Other 2", "Match 1", "Other 1"):
        account.make_key(name)
    dashboard = open_browser(account).visit()
    dashboard.page.get_by_label("Filter by name").fill("match")
    for name, then in (
        ("Match 1", "Revoke Match 2"),
        ("Match 3", "Revoke Match 2"),
        ("Match 2", "Clear the filter"),
    ):
        dashboard.revoke(name).wait_for(state="hidden")
        assert dashboard.focused() == then
    dashboard.button("Clear the filter").click()
    for name, then in (
        ("Other 2", "Revoke Other 3"),
        ("Other 3", "Revoke Other 1"),
        ("Other 1", "Create your first key"),
    ):
        dashboard.revoke(name).wait_for(state="hidden")
        assert dashboard.focused() == then
