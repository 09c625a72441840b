"""The list: put in order, narrowed down, and several keys dealt with at once."""

from __future__ import annotations

import httpx

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard, refusal

DAY = 86_400


def results(dashboard: Dashboard) -> list[str]:
    """What the dialog for several keys tells of each."""
    found: list[str] = dashboard.page.locator("#several-keys [data-part=result]").all_inner_texts()
    return found


def test_the_list_is_sorted_and_narrowed_by_expiry_and_state(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("a soon", expires_in_seconds=2 * DAY)
    account.make_key("C later", expires_in_seconds=90 * DAY)
    used = account.make_key("b never")
    account.make_key("D paused", enabled=False, expires_in_seconds=20 * DAY)
    bearer = {"Authorization": f"Bearer {used['raw_key']}"}
    assert httpx.get(f"{account.url}/me", headers=bearer).status_code == 200
    dashboard = open_browser(account).visit()
    for label, option, wanted in (
        ("Sort by", "Oldest first", ["a soon", "C later", "b never", "D paused"]),
        ("Sort by", "Name", ["a soon", "b never", "C later", "D paused"]),
        ("Sort by", "Expiry", ["a soon", "D paused", "C later", "b never"]),
        ("Expiry", "Within 7 days", ["a soon"]),
        ("Expiry", "Within 30 days", ["a soon", "D paused"]),
        ("Expiry", "Later", ["C later"]),
        ("Expiry", "Never", ["b never"]),
        ("Expiry", "Expired", []),
        ("Expiry", "Any", ["a soon", "D paused", "C later", "b never"]),
        ("Status", "Paused", ["D paused"]),
        ("Status", "Not revoked", ["a soon", "D paused", "C later", "b never"]),
        ("Sort by", "Unused longest", ["D paused", "C later", "a soon", "b never"]),
    ):
        dashboard.page.locator("#keys-list").get_by_label(label, exact=True).select_option(option)
        dashboard.settle()
        assert dashboard.names() == wanted, (label, option)


def test_several_keys_are_paused_by_one_confirmation(
    open_browser: OpenBrowser, account: Account
) -> None:
    for name in ("One", "Two", "Three"):
        account.make_key(name)
    dashboard = open_browser(account).visit()
    page = dashboard.page
    for name in ("One", "Two"):
        page.get_by_role("checkbox", name=f"Select {name}").check()
    page.get_by_text("2 selected").wait_for()
    dashboard.button("Pause these").click()
    dialog = dashboard.dialog("Pause 2 keys?")
    assert dialog.get_by_label("Why").is_hidden()
    dialog.get_by_role("button", name="Pause keys").click()
    dialog.get_by_text("2 of 2 paused.").wait_for()
    assert results(dashboard) == ["paused", "paused"]
    dialog.get_by_role("button", name="Close").click()
    assert page.locator("#done").inner_text() == "2 of 2 paused."
    dashboard.settle()
    assert dashboard.row("One").get_by_text("paused").is_visible()
    enabled = {
        key["name"]: key["enabled"] for key in account.api("GET", "me/api-keys").json()["data"]
    }
    assert enabled == {"One": False, "Two": False, "Three": True}


def test_several_keys_are_revoked_and_each_tells_how_it_went(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = [account.make_key(name) for name in ("One", "Two", "Three", "Four")]
    dashboard = open_browser(account).visit()
    page = dashboard.page
    account.revoke(made[2]["id"])
    out = refusal(503, "service_unavailable", "Service unavailable")
    page.route(f"**/{made[1]['id']}?**", lambda route: route.fulfill(status=503, json=out))
    page.get_by_label("Select all shown").check()
    dashboard.button("Revoke these").click()
    dialog = dashboard.dialog("Revoke 4 keys?")
    dialog.get_by_label("Why").select_option("They leaked")
    number = dialog.get_by_label("Type 4 to confirm")
    number.fill("3")
    number.press("Enter")
    dialog.get_by_text("Type 4, the number of keys.").wait_for()
    assert account.key_names() == ["Four", "Two", "One"]
    number.fill("4")
    assert dialog.locator(".error:visible").count() == 0
    number.press("Enter")
    dialog.get_by_role("button", name="Close").wait_for()
    assert results(dashboard) == [
        "revoked",
        "had been revoked already",
        "not revoked: ChatGrid is unavailable for a moment",
        "not tried",
    ]
    assert dashboard.focused() == "Close"
    page.keyboard.press("Enter")
    dialog.wait_for(state="hidden")
    dashboard.settle()
    assert dashboard.names() == ["Two", "One"]
    page.get_by_text("2 selected").wait_for()
    gone = account.api("GET", "me/api-keys?status=revoked").json()["data"]
    reasons = {key["name"]: key["revocation_reason"] for key in gone}
    assert reasons == {"Four": "key_compromise", "Three": "unspecified"}


def test_what_is_out_of_sight_is_not_chosen_and_a_stop_stops(
    open_browser: OpenBrowser, account: Account
) -> None:
    for name in ("Kept", "Mine A", "Mine B"):
        account.make_key(name)
    dashboard = open_browser(account).visit()
    page = dashboard.page
    page.get_by_label("Select all shown").check()
    page.get_by_label("Filter by name").fill("mine")
    page.get_by_text("2 selected").wait_for()
    page.get_by_label("Filter by name").fill("")
    page.get_by_text("2 selected").wait_for()
    dashboard.button("Revoke these").click()
    dialog = dashboard.dialog("Revoke 2 keys?")
    held = dashboard.hold("DELETE")
    dialog.get_by_label("Type 2 to confirm").fill("2")
    dialog.get_by_role("button", name="Revoke keys").click()
    held.wait()
    dialog.get_by_role("button", name="Stop").click()
    held.let_go()
    dialog.wait_for(state="hidden")
    dashboard.button("Refresh").click()
    dashboard.settle()
    assert dashboard.names() == ["Mine A", "Kept"]
    assert account.key_names() == ["Mine A", "Kept"]
    dashboard.sign_out()
    assert dashboard.everything_kept("Mine") == []
