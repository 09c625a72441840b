"""Answers that arrive when the page is somewhere else: each goes where it belongs, or nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.browser.accounts import STORAGE_KEY, Account, Accounts
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard, Held, refusal

ENDED = "Your session has ended. Sign in again to go on."
LIMITED = refusal(429, "rate_limit_exceeded", "Rate limit exceeded")


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


def test_nothing_is_refreshed_behind_a_key_that_is_to_be_stored(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Precious")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    before = len(dashboard.requested)
    dashboard.page.evaluate("performance.now = () => 1e9")  # as if some time had passed
    dashboard.page.evaluate("dispatchEvent(new Event('focus'))")
    dashboard.page.evaluate("new Promise(requestAnimationFrame)")
    assert dashboard.requested[before:] == []
    assert dashboard.raw_key() == raw_key


def signed_out_in_another_tab(dashboard: Dashboard, _held: Held) -> None:
    there = Dashboard(dashboard.page.context.new_page(), url=dashboard.address.rsplit("/", 1)[0])
    there.visit().sign_out()
    there.page.close()


def refused_by_the_api(dashboard: Dashboard, held: Held) -> None:
    used = {"code": "refresh_token_not_found", "message": "Invalid Refresh Token"}
    dashboard.page.route(
        "**/auth/v1/token**",
        lambda route: route.fulfill(
            status=400, json=used, headers={"x-supabase-api-version": "2024-01-01"}
        ),
    )
    for _ in range(2):  # the page tries once more, with what the library then has
        held.let_go(401, refusal(401, "unauthorized", "Unauthorized"))


@pytest.mark.parametrize("end", [signed_out_in_another_tab, refused_by_the_api])
def test_a_session_that_ends_waits_until_the_new_key_is_stored(
    end: Callable[[Dashboard, Held], None], open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("GET")
    dashboard.button("Refresh").click()
    held.wait()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Precious")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    end(dashboard, held)

    dashboard.page.locator("#account").wait_for(state="hidden")
    assert dashboard.raw_key() == raw_key
    assert dashboard.everything_kept("Another") == []
    dashboard.page.keyboard.press("Escape")
    assert dashboard.raw_key() == raw_key

    dashboard.button("I have stored it").click()
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.get_by_text(ENDED).is_visible()
    assert dashboard.focused() == "Sign in"
    assert dashboard.everything_kept(raw_key) == dashboard.everything_kept("Precious") == []


def test_a_page_that_is_left_before_comes_back_at_the_sign_in(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("GET")
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Precious")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    signed_out_in_another_tab(dashboard, held)
    dashboard.page.locator("#account").wait_for(state="hidden")
    assert dashboard.raw_key() == raw_key
    # A browser may keep the whole page for the way back: then it is told, and nothing more.
    dashboard.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    dashboard.sign_in_heading.wait_for()
    assert dashboard.everything_kept(raw_key) == []


def test_a_refusal_that_comes_late_is_not_said_in_another_keys_dialog(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("One")
    account.make_key("Two")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("DELETE")
    dashboard.revoke("One")
    held.wait()
    dashboard.page.keyboard.press("Escape")
    dashboard.button("Revoke Two").click()
    held.let_go(429, LIMITED, **{"Retry-After": "30"})
    dialog = dashboard.dialog("Revoke this key?")
    assert dialog.get_by_role("alert").count() == 0
    button = dialog.get_by_role("button", name="Revoke key", exact=True)
    assert button.get_attribute("aria-disabled") == "false"


def test_a_success_that_comes_late_leaves_another_keys_dialog_as_it_is(
    open_browser: OpenBrowser, account: Account
) -> None:
    for name in ("One", "Two", "Three"):
        account.make_key(name)
    dashboard = open_browser(account).visit()
    held = dashboard.hold("DELETE")
    dashboard.revoke("One")
    held.wait()
    dashboard.page.keyboard.press("Escape")
    dialog = dashboard.revoke("Two")
    held.wait(2)
    field = dialog.get_by_label("Type the key's name to confirm")
    field.focus()
    held.let_go()
    assert dashboard.names() == ["Three", "Two"]
    assert field.input_value() == "Two"
    assert field.evaluate("field => field === document.activeElement")
    button = dialog.get_by_role("button", name="Revoke key", exact=True)
    assert button.get_attribute("aria-disabled") == "true"
    held.let_go()
    dialog.wait_for(state="hidden")
    assert dashboard.names() == ["Three"]
    assert dashboard.focused() == "Revoke Three"


def test_a_key_revoked_twice_from_here_is_said_to_be_revoked_once(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Stays")
    account.make_key("Goes")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("DELETE")
    dashboard.revoke("Goes")
    held.wait()
    dashboard.page.keyboard.press("Escape")
    dialog = dashboard.revoke("Goes")
    held.wait(2)
    held.let_go()
    dialog.wait_for(state="hidden")
    held.let_go()
    assert dashboard.page.locator("#status").inner_text() == "Goes is revoked."
    assert dashboard.names() == ["Stays"]


def test_a_cancelled_forms_errors_are_not_shown_in_the_next(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("POST")
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("\u2066")  # nothing in it shows, which the API alone finds
    dialog.get_by_role("button", name="Create key").click()
    held.wait()
    dialog.get_by_role("button", name="Cancel").click()
    dashboard.open_create().get_by_label("Name").fill("Fine")
    assert held.let_go()["status"] == 400
    assert dialog.locator("[aria-invalid=true]").count() == 0
    assert dialog.get_by_label("Name").input_value() == "Fine"


def test_a_key_whose_form_was_cancelled_too_late_is_still_shown(
    open_browser: OpenBrowser, account: Account
) -> None:
    """Its raw form is in that answer and nowhere else."""
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("POST")
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("First")
    dialog.get_by_role("button", name="Create key").click()
    held.wait()
    dialog.get_by_role("button", name="Cancel").click()
    dashboard.open_create().get_by_label("Name").fill("Half of a na")
    made = held.let_go()["data"]
    assert dashboard.raw_key() == made["raw_key"]
    assert dashboard.dialog("Store this key now").get_by_text("First", exact=True).is_visible()
    dashboard.button("I have stored it").click()
    assert dashboard.everything_kept(made["raw_key"]) == []
    assert dashboard.names() == ["First", "Another"]
    # The form that was being filled in is where it was.
    name = dialog.get_by_label("Name")
    assert name.input_value() == "Half of a na"
    assert name.evaluate("field => field === document.activeElement")


def test_two_keys_that_come_at_once_are_shown_one_after_the_other(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("POST")
    for name in ("First", "Second"):
        dialog = dashboard.open_create()
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name="Create key").click()
        held.wait(1 if name == "First" else 2)
        if name == "First":
            dialog.get_by_role("button", name="Cancel").click()
    first, second = held.let_go()["data"]["raw_key"], held.let_go()["data"]["raw_key"]
    assert dashboard.raw_key() == first
    dashboard.button("I have stored it").click()
    assert dashboard.raw_key() == second
    assert dashboard.everything_kept(first) == []
    dashboard.button("I have stored it").click()
    assert dashboard.page.get_by_role("dialog").count() == 0
    assert dashboard.everything_kept(second) == []
    assert dashboard.names() == ["Second", "First", "Another"]


def test_what_one_user_asked_for_is_never_done_for_the_next(
    open_browser: OpenBrowser, accounts: Accounts
) -> None:
    one, other = accounts.new(), accounts.new()
    one.make_key("Old")
    dashboard = open_browser(one).visit()
    held = dashboard.hold("POST")
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Mine")
    dialog.get_by_role("button", name="Create key").click()
    held.wait()
    # Somebody else has signed in in another tab, and the first one's token is good no more.
    session = json.dumps(other.session)
    dashboard.page.evaluate(f"session => localStorage.setItem('{STORAGE_KEY}', session)", session)
    held.let_go(401, refusal(401, "unauthorized", "Missing or invalid token"))
    assert other.key_names() == []


def test_a_dialog_leaves_nothing_for_the_next_user(
    open_browser: OpenBrowser, account: Account
) -> None:
    """Neither what was typed nor what was shown."""
    made = account.make_key("A key of mine")
    dashboard = open_browser(account).visit()
    dashboard.revoke("A key of mine", typed="A key of min").get_by_role("alert")
    dashboard.page.keyboard.press("Escape")
    dashboard.open_create().get_by_label("Name").fill("A name of mine")
    dashboard.page.keyboard.press("Escape")
    dashboard.page.get_by_label("Filter by name").fill("No name of mine")
    dashboard.page.get_by_role("heading", name="No key by that name").wait_for()
    dashboard.sign_out()
    for text in ("A key of min", made["key_prefix"], "A name of mine", "No name of mine"):
        assert dashboard.everything_kept(text) == []


@pytest.mark.parametrize("status", [None, 404, 429])
def test_an_answer_after_the_session_says_nothing(
    status: int | None, open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    account.make_key("A key of mine")
    dashboard = open_browser(account).visit()
    held = dashboard.hold("DELETE")
    dashboard.revoke("A key of mine")
    held.wait()
    dashboard.page.keyboard.press("Escape")
    dashboard.sign_out()
    held.let_go(status, refusal(status or 0, "x", "Not now"))
    assert dashboard.everything_kept("A key of mine") == []
    assert dashboard.page.locator("#status").inner_text() == ""
    assert dashboard.sign_in_heading.is_visible()


def test_what_was_said_to_one_user_is_not_there_for_the_next(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    account.make_key("A key of mine")
    dashboard = open_browser(account).visit()
    dashboard.revoke("A key of mine").wait_for(state="hidden")
    said = dashboard.page.get_by_role("status").filter(has_text="A key of mine is revoked.")
    said.wait_for(state="attached")
    dashboard.sign_out()
    assert dashboard.everything_kept("A key of mine") == []


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
