"""What was done to all keys, and the list's ways to find one."""

from __future__ import annotations

from typing import Any

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser


def test_the_activity_page_tells_what_was_done_page_by_page(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Watched")
    for limit in range(1, 53):
        account.api("PATCH", f"me/api-keys/{made['id']}", json={"rate_limit": limit})
    dashboard = open_browser(account).visit()
    page = dashboard.page
    page.get_by_role("link", name="Activity").click()
    page.get_by_role("heading", level=1, name="Activity").wait_for()
    dashboard.settle()
    assert page.url.endswith("#/activity")
    assert dashboard.focused() == "Activity"
    entries = page.locator("#activity-entries > li")
    assert entries.count() == 50
    assert entries.first.locator("p").inner_text().startswith("Watched was changed by you")
    assert entries.first.locator("ul").inner_text() == "rate limit: 51 → 52"
    dashboard.button("Show older entries").click()
    entries.nth(52).wait_for()
    assert entries.last.locator("p").inner_text().startswith("Watched was created by you")
    assert not dashboard.button("Show older entries").is_visible()
    entries.first.get_by_role("link", name="Watched").click()
    page.get_by_role("heading", level=1, name="Watched").wait_for()
    dashboard.settle()
    dashboard.sign_out()
    assert dashboard.everything_kept("Watched") == []


def test_a_leaked_key_is_found_by_its_first_characters_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    """All of it may be pasted, and is cut before anything is done with it."""
    made = account.make_key("Leaked")
    account.make_key("Other", environment="test")
    dashboard = open_browser(account).visit()
    field = dashboard.page.get_by_label("Filter by name, prefix or id")
    field.fill(made["raw_key"])
    assert dashboard.names() == ["Leaked"]
    assert field.input_value() == made["key_prefix"]
    assert dashboard.everything_kept(made["raw_key"]) == []
    field.fill(made["id"])
    assert dashboard.names() == ["Leaked"]


def test_the_list_shows_revoked_keys_and_one_environment_on_request(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.revoke(account.make_key("Gone")["id"])
    account.make_key("Main")
    account.make_key("Test", environment="test")
    dashboard = open_browser(account).visit()
    assert dashboard.names() == ["Test", "Main"]
    for status, environment, wanted in (
        ("Revoked", "Any", ["Gone"]),
        ("All", "Any", ["Test", "Main", "Gone"]),
        ("All", "test", ["Test"]),
        ("Revoked", "test", []),
    ):
        dashboard.page.get_by_label("Status").select_option(status)
        dashboard.page.locator("#environment-filter").select_option(environment)
        dashboard.settle()
        assert dashboard.names() == wanted, (status, environment)
    dashboard.page.get_by_role("heading", name="No such keys").wait_for()
    dashboard.button("Clear the filter").click()
    dashboard.settle()
    assert dashboard.names() == ["Test", "Main"]
    dashboard.page.get_by_label("Status").select_option("All")
    dashboard.settle()
    dashboard.revoke("Main").wait_for(state="hidden")
    dashboard.settle()
    assert dashboard.row("Main").get_by_text("revoked").is_visible()
    dashboard.create("New")
    assert dashboard.names()[0] == "New"


def test_a_key_of_whose_expiry_nothing_is_said_has_the_apis_default(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Other")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    assert dialog.locator("#expiry option:checked").inner_text() == "Never (the default)"
    dialog.get_by_label("Name").fill("Unsaid")
    with dashboard.page.expect_request("**/me/api-keys") as sent:
        dialog.get_by_role("button", name="Create key").click()
    assert "expires" not in (sent.value.post_data or "")
    dashboard.button("I have stored it").click()
    assert dashboard.row("Unsaid").get_by_role("cell").nth(5).inner_text() == "Never"


def test_the_default_expiry_is_the_ceiling_where_that_is_lower(
    open_browser: OpenBrowser, account: Account
) -> None:
    """As the API and the operator's command have it."""
    account.make_key("Other")
    dashboard = open_browser(account)

    def limited(route: Any) -> None:
        answer = route.fetch()
        body = answer.text()
        for name, seconds in (("default", 864_000), ("ceiling", 604_800)):
            unset = f'name="key-lifetime-{name}" content="0"'
            body = body.replace(unset, unset.replace("0", str(seconds)))
        route.fulfill(response=answer, body=body)

    dashboard.page.route("**/dashboard", limited)
    dashboard.visit()
    dialog = dashboard.open_create()
    assert dialog.locator("#expiry option:checked").inner_text() == "In 7 days (the default)"
    offered = dialog.locator("#expiry option").all_inner_texts()
    assert offered[1:] == ["In 7 days (the default)", "In 7 days", "At an exact time…"]
