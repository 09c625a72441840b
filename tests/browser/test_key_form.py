"""The form that makes and changes keys: kinds, credits and notes, said as one would type them."""

from __future__ import annotations

import json
from typing import Any

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard


def made_with(dashboard: Dashboard, button: str) -> dict[str, Any]:
    """What the form sends to the API, once it has been answered."""
    with dashboard.page.expect_request(
        lambda asked: asked.method in {"POST", "PATCH"} and "/me/api-keys" in asked.url
    ) as sent:
        dashboard.page.get_by_role("dialog").get_by_role("button", name=button).click()
    told: dict[str, Any] = json.loads(sent.value.post_data or "")
    return told


def test_a_publishable_key_names_its_pages_and_reads_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Shop window")
    dialog.get_by_label("Kind").select_option("Publishable")
    assert not dialog.get_by_role("group", name="Scopes").is_visible()
    pages = dialog.get_by_label("Pages that may use it")
    for wrong in ("", "app.example.com", "https://app.example.com/"):
        pages.fill(wrong)
        dialog.get_by_role("button", name="Create key").click()
        assert dialog.locator("#allowed_origins-error").is_visible(), wrong
        assert dashboard.focused() == "Pages that may use it"
    pages.fill("https://app.example.com\nhttp://localhost:5173")
    assert not dialog.locator("#allowed_origins-error").is_visible()
    dialog.get_by_role("button", name="Create key").click()
    assert dashboard.raw_key().startswith("cgp_live_")
    dashboard.button("I have stored it").click()
    (made,) = account.api("GET", "me/api-keys?name=shop").json()["data"]
    assert (made["kind"], made["scopes"]) == ("publishable", ["read"])
    assert dashboard.row("Shop window").get_by_text("publishable").is_visible()
    dashboard.open_key("Shop window")
    assert dashboard.facts()["Kind"] == "Publishable: for web pages"
    dashboard.button("Change").click()
    dashboard.dialog("Change this key").get_by_label("Pages").fill("https://app.example.com")
    assert made_with(dashboard, "Save changes") == {"allowed_origins": ["https://app.example.com"]}


def test_a_canary_has_a_name_and_notes_and_nothing_else_to_say(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("In the wiki")
    dialog.get_by_label("Kind").select_option("Canary")
    told = made_with(dashboard, "Create key")
    assert told == {"name": "In the wiki", "kind": "canary", "environment": "live"}
    dashboard.button("I have stored it").click()
    dashboard.open_key("In the wiki")
    dashboard.page.get_by_text("A trap: it lets nobody in").wait_for()
    for action in ("Pause", "Rotate"):
        assert not dashboard.button(action).is_visible()
    dashboard.button("Change").click()
    dialog = dashboard.dialog("Change this key")
    dialog.get_by_text("Notes", exact=True).click()
    dialog.get_by_label("Your own notes").fill("page = 1 = 2")
    assert made_with(dashboard, "Save changes") == {"metadata": {"page": "1 = 2"}}
    dialog.wait_for(state="hidden")
    assert dashboard.facts()["Note: page"] == "1 = 2"


def test_credits_are_shown_and_changed_without_undoing_what_was_spent(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Metered")
    dialog.get_by_text("Credits", exact=True).click()
    dialog.get_by_label("New credits").select_option("Each day")
    dialog.get_by_label("It then has").fill("0")
    dialog.get_by_role("button", name="Create key").click()
    assert dialog.get_by_text("Say how many it has now.").is_visible()
    assert dialog.get_by_text("A whole number from 1 to 1,000,000,000.").is_visible()
    dialog.get_by_label("Credits left").fill("1000")
    dialog.get_by_label("It then has").fill("500")
    assert dialog.locator(".error:visible").count() == 0
    told = made_with(dashboard, "Create key")
    assert told["credits"] == {"remaining": 1000, "refill": {"amount": 500, "interval": "day"}}
    dashboard.button("I have stored it").click()
    dashboard.open_key("Metered")
    assert dashboard.facts()["Credits"].startswith("1,000 left; 500 each day, next in ")
    dashboard.button("Change").click()
    dialog = dashboard.dialog("Change this key")
    dialog.get_by_label("It then has").fill("600")
    assert made_with(dashboard, "Save changes") == {
        "credits": {"refill": {"amount": 600, "interval": "day"}}
    }
    dialog.wait_for(state="hidden")
    dashboard.button("Change").click()
    dialog.get_by_label("Credits left").fill("")
    dialog.get_by_label("New credits").select_option("None")
    assert made_with(dashboard, "Save changes") == {"credits": None}
    dialog.wait_for(state="hidden")
    assert dashboard.facts()["Credits"] == "Not counted"


def test_notes_are_changed_line_by_line_and_odd_ones_stay(
    open_browser: OpenBrowser, account: Account
) -> None:
    notes = {"team": "core", "old": "x", "a=b": "odd", "__proto__": "kept"}
    made = account.make_key("Noted", metadata=notes)
    dashboard = open_browser(account).visit()
    dashboard.open_key("Noted")
    dashboard.button("Change").click()
    dialog = dashboard.dialog("Change this key")
    field = dialog.get_by_label("Your own notes")
    assert sorted(field.input_value().split("\n")) == [
        "__proto__ = kept",
        "old = x",
        "team = core",
    ]
    field.fill("no equals sign")
    field.press("Tab")
    assert dialog.get_by_text("“no equals sign” is no name = value.").is_visible()
    field.fill("team = payments\n__proto__ = kept\nnew=1")
    assert dialog.locator("#metadata-error").is_hidden()
    told = made_with(dashboard, "Save changes")
    assert told == {"metadata": {"team": "payments", "old": None, "new": "1"}}
    dialog.wait_for(state="hidden")
    known = account.api("GET", f"me/api-keys/{made['id']}").json()["data"]["metadata"]
    wanted = {"team": "payments", "new": "1", "a=b": "odd", "__proto__": "kept"}
    assert known == wanted


def test_a_key_is_let_rotate_itself_and_forbidden_again(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Self-reliant")
    dialog.get_by_text("Where from, and what for").click()
    lets_it = dashboard.page.get_by_label("It may rotate itself")
    lets_it.check()
    dialog.get_by_label("Kind").select_option("Publishable")
    assert not lets_it.is_visible()
    dialog.get_by_label("Kind").select_option("Secret")
    assert made_with(dashboard, "Create key")["self_rotation"] is True
    dashboard.button("I have stored it").click()
    dashboard.open_key("Self-reliant")
    assert dashboard.facts()["May rotate itself"] == "Yes"
    dashboard.button("Change").click()
    assert lets_it.is_visible(), "what is set is not folded away"
    assert lets_it.is_checked()
    lets_it.uncheck()
    assert made_with(dashboard, "Save changes") == {"self_rotation": False}
    dashboard.dialog("Change this key").wait_for(state="hidden")
    assert dashboard.facts()["May rotate itself"] == "No"


def test_what_is_wrong_inside_a_fold_unfolds_it_and_is_told(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Folded")
    fold = dialog.get_by_text("Where from, and what for")
    fold.click()
    for field, wrong, words in (
        ("Addresses", "192.0.2.7 home", "“home” is no address"),
        ("Permissions", "Boards:read", "“Boards:read” is no permission"),
        ("Addresses", "192.0.2.7/24", "No bit may be set behind"),
    ):
        control = dialog.get_by_label(field)
        control.fill(wrong)
        fold.click()
        dialog.get_by_role("button", name="Create key").click()
        dialog.locator(".error:visible").filter(has_text=words).wait_for()
        assert dashboard.focused() == field, wrong
        control.fill("")
        assert dialog.locator(".error:visible").count() == 0
    assert account.key_names() == ["Another"]


def test_how_long_a_key_lives_is_in_sight_on_a_phone(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dashboard.page.set_viewport_size({"width": 360, "height": 740})
    dialog = dashboard.open_create()
    dialog.wait_for()
    told = dialog.locator("#expires_at-hint")
    bottom = told.evaluate("told => told.getBoundingClientRect().bottom")
    buttons = dialog.locator(".actions").evaluate("row => row.getBoundingClientRect().top")
    assert told.inner_text() == "Good until it is revoked."
    assert 0 < bottom < buttons
