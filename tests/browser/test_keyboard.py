"""All that can be done in the page is done without a mouse, and the focus is never lost."""

from __future__ import annotations

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.keyboard import Keyboard

DAY = 86_400


def test_a_key_is_made_and_revoked_by_keyboard_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    keyboard = Keyboard(dashboard)
    keyboard.enter("Skip to content")
    keyboard.enter("Create key")
    assert keyboard.focused() == "Name"
    keyboard.type("By keyboard")
    keyboard.enter("Create key")
    dashboard.dialog("Store this key now").wait_for()
    assert keyboard.focused() == "Copy key"
    keyboard.enter("I have stored it")
    assert keyboard.focused() == "Revoke By keyboard"
    keyboard.press("Enter")
    assert keyboard.focused().startswith("Type the key's name to confirm")
    keyboard.type("By keyboard")
    keyboard.press("Enter")
    dashboard.row("By keyboard").wait_for(state="detached")
    assert keyboard.focused() == "Revoke Another"
    assert account.key_names() == ["Another"]


def test_the_focus_comes_back_to_where_a_dialog_was_opened(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    for name in ("Create key", "Revoke Another"):
        dashboard.button(name).focus()
        dashboard.page.keyboard.press("Enter")
        dashboard.page.keyboard.press("Escape")
        assert Keyboard(dashboard).focused() == name


def test_the_list_is_narrowed_sorted_and_paused_by_keyboard_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Beta", environment="test")
    account.make_key("Gamma", expires_in_seconds=2 * DAY)
    account.make_key("Alpha")
    account.revoke(account.make_key("Gone")["id"])
    dashboard = open_browser(account).visit()
    keyboard = Keyboard(dashboard)
    keyboard.tab_to("Filter by name, prefix or id")
    keyboard.type("alp")
    assert dashboard.names() == ["Alpha"]
    for _ in "alp":
        keyboard.press("Backspace")
    for control, option, wanted, at_rest in (
        ("Status", "Revoked", ["Gone"], "Not"),
        ("Environment", "test", ["Beta"], "Any"),
        ("Expiry", "Within 7", ["Gamma"], "Any"),
        ("Sort by", "Name", ["Alpha", "Beta", "Gamma"], "Newest"),
    ):
        keyboard.choose(control, option)
        dashboard.settle()
        assert dashboard.names() == wanted
        keyboard.press("Shift+Tab")
        keyboard.choose(control, at_rest)
        dashboard.settle()
        assert dashboard.names() == ["Alpha", "Gamma", "Beta"], control
    keyboard.enter("Exact times")
    assert dashboard.button("Exact times").get_attribute("aria-pressed") == "true"
    for name in ("Select Alpha", "Select Beta"):
        keyboard.tab_to(name)
        keyboard.press("Space")
    keyboard.enter("Pause these", key="Shift+Tab")
    assert keyboard.focused() == "Pause keys"
    keyboard.press("Enter")
    dashboard.page.get_by_text("2 of 2 paused.").first.wait_for()
    assert keyboard.focused() == "Close"
    keyboard.press("Enter")
    assert keyboard.focused() == "API keys"
    keyboard.tab_to("Select all shown")
    keyboard.press("Space")
    keyboard.enter("Revoke these")
    keyboard.choose("Why", "They leaked", key="Shift+Tab")
    keyboard.tab_to("Type 3 to confirm")
    keyboard.type("3")
    keyboard.press("Enter")
    dashboard.page.get_by_text("3 of 3 revoked.").first.wait_for()
    assert keyboard.focused() == "Close"
    keyboard.press("Enter")
    dashboard.page.get_by_role("heading", name="No keys yet").wait_for()
    assert account.key_names() == []


def test_a_key_is_changed_rotated_and_revoked_by_keyboard_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("By hand")
    dashboard = open_browser(account).visit()
    keyboard = Keyboard(dashboard)
    keyboard.enter("By hand")
    dashboard.page.locator("#key-actions").wait_for()
    dashboard.settle()
    keyboard.enter("Change")
    assert keyboard.focused() == "Name"
    keyboard.press("Control+A")
    keyboard.type("Hand made")
    keyboard.enter("Where from, and what for")
    keyboard.tab_to("Addresses")
    keyboard.type("127.0.0.1")
    keyboard.tab_to("It may rotate itself")
    keyboard.press("Space")
    keyboard.enter("Save changes")
    dashboard.page.get_by_role("heading", level=1, name="Hand made").wait_for()
    assert keyboard.focused() == "Change"
    known = account.api("GET", f"me/api-keys/{made['id']}").json()["data"]
    told = {name: known[name] for name in ("name", "allowed_ips", "self_rotation")}
    assert told == {"name": "Hand made", "allowed_ips": ["127.0.0.1"], "self_rotation": True}
    for button, then in (("Pause", "Resume"), ("Resume", "Pause")):
        if keyboard.focused() != button:
            keyboard.tab_to(button)
        keyboard.press("Enter")
        dashboard.button(then).wait_for()
        assert keyboard.focused() == then
    keyboard.enter("Rotate")
    keyboard.choose("The secret that it has now still works", "For an hour", key="Shift+Tab")
    keyboard.enter("Rotate key")
    dashboard.dialog("Store this key now").wait_for()
    assert keyboard.focused() == "Copy key"
    keyboard.enter("I have stored it")
    assert keyboard.focused() == "Rotate"
    keyboard.enter("End it now")
    dashboard.button("End it now").wait_for(state="hidden")
    assert keyboard.focused() == "Hand made"
    keyboard.tab_to("An hour" if keyboard.focused() == "A day" else "A day")
    keyboard.press("ArrowLeft")
    dashboard.settle()
    assert dashboard.page.get_by_label("An hour", exact=True).is_checked()
    keyboard.enter("The same numbers in a table")
    assert dashboard.page.locator("#usage-rows").is_visible()
    keyboard.enter("Revoke", key="Shift+Tab")
    keyboard.choose("Why", "It leaked", key="Shift+Tab")
    keyboard.tab_to("Type the key's name to confirm, or what stands in brackets")
    keyboard.type("Hand made")
    keyboard.press("Enter")
    dashboard.page.get_by_text("because it leaked").wait_for()
    assert keyboard.focused() == "Hand made"
    assert account.key_names() == []
