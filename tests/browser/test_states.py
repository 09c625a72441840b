"""When the API does not answer as wished, the page says so, says what helps, and goes on."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard, refusal
from tests.browser.states import answer, key

LIMITED = refusal(429, "rate_limit_exceeded", "Rate limit exceeded")


def notice(dashboard: Dashboard, title: str) -> Any:
    return dashboard.page.get_by_role("alert").filter(
        has=dashboard.page.get_by_role("heading", name=title)
    )


def test_an_account_over_its_limit_sees_when_and_gets_in_unaided(
    open_browser: OpenBrowser, account: Account
) -> None:
    """The real limit: 200 requests in any minute."""
    account.make_key("Behind the limit")
    with ThreadPoolExecutor(4) as several:
        statuses = list(several.map(lambda _: account.api("GET", "me").status_code, range(220)))
    assert 429 in statuses
    dashboard = open_browser(account, alone=True)
    dashboard.page.clock.install()
    dashboard.visit()
    over = notice(dashboard, "Too many requests")
    countdown = over.get_by_text(re.compile(r"^Trying again in \d+ s$"))
    seconds = int(re.findall(r"\d+", countdown.inner_text())[0])
    assert 1 <= seconds <= 63  # the window, and the twentieth of it that is counted as one
    dashboard.page.clock.run_for(1000)
    assert int(re.findall(r"\d+", countdown.inner_text())[0]) == seconds - 1
    assert dashboard.names() == []
    # The time is made to pass here; there, the limit is lifted by playing its end.
    dashboard.answer_keys("GET", 200, answer([key(1, "Behind the limit")]))
    dashboard.page.clock.run_for(seconds * 1000)
    dashboard.row("Behind the limit").wait_for()
    assert not over.is_visible()


def test_the_wait_is_the_one_that_the_api_tells(
    open_browser: OpenBrowser, account: Account
) -> None:
    dashboard = open_browser(account, alone=True)
    dashboard.page.clock.install()
    dashboard.answer_keys("GET", 429, LIMITED, **{"Retry-After": "17"})
    dashboard.visit()
    words = notice(dashboard, "Too many requests").get_by_text(re.compile("^Trying again in"))
    assert words.inner_text() in {"Trying again in 17 s", "Trying again in 16 s"}


def test_a_limit_met_in_a_dialog_is_counted_down_on_its_button(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account, alone=True)
    dashboard.page.clock.install()
    dashboard.visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Patient")
    dashboard.answer_keys("POST", 429, LIMITED, **{"Retry-After": "3"})
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_role("alert").filter(has_text="Too many requests").wait_for()
    button = dialog.get_by_role("button", name=re.compile(r"^Create key \(in 3 s\)$"))
    assert button.get_attribute("aria-disabled") == "true"
    dashboard.as_before()
    dashboard.page.clock.run_for(3000)
    dialog.get_by_role("button", name="Create key", exact=True).click()
    dashboard.button("I have stored it").click()
    assert dashboard.names() == ["Patient", "Another"]


def test_a_store_that_is_out_is_asked_again_with_growing_patience(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("RetryPolicy")
    dashboard = open_browser(account, alone=True)
    dashboard.page.clock.install()
    out = refusal(503, "service_unavailable", "Service unavailable")
    dashboard.answer_keys("GET", 503, out, **{"Retry-After": "1"})
    dashboard.visit()
    waits = []
    for _ in range(3):
        unavailable = notice(dashboard, "ChatGrid is unavailable for a moment")
        words = unavailable.get_by_text(re.compile("^Trying again in")).inner_text()
        waits.append(int(re.findall(r"\d+", words)[0]))
        with dashboard.page.expect_response("**/me/api-keys**"):
            dashboard.page.clock.run_for(waits[-1] * 1000)
        dashboard.settle()
    assert waits == [2, 4, 8]
    dashboard.as_before()
    dashboard.button("Try again").click()
    dashboard.row("RetryPolicy").wait_for()
    assert not unavailable.is_visible()


def test_an_outage_while_keys_are_shown_leaves_them_there(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Still shown")
    dashboard = open_browser(account).visit()
    out = refusal(503, "service_unavailable", "Service unavailable")
    dashboard.answer_keys("GET", 503, out)
    dashboard.button("Refresh").click()
    notice(dashboard, "ChatGrid is unavailable for a moment").wait_for()
    assert dashboard.names() == ["Still shown"]


def test_offline_is_said_until_the_network_is_back(
    open_browser: OpenBrowser, account: Account
) -> None:
    """The list is there as soon as the network is."""
    account.make_key("One")
    dashboard = open_browser(account).visit()
    dashboard.page.context.set_offline(True)
    dashboard.button("Refresh").click()
    offline = notice(dashboard, "You are offline")
    offline.wait_for()
    assert dashboard.names() == ["One"]
    account.make_key("Two")
    dashboard.page.context.set_offline(False)
    dashboard.row("Two").wait_for()
    assert not offline.is_visible()


def test_an_answer_that_never_came_is_no_promise_either_way(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Perhaps")

    def cut_off(route: Any) -> None:
        if route.request.method != "POST":
            route.fallback()
            return
        route.fetch()
        route.abort()

    dashboard.page.route("**/me/api-keys**", cut_off)
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_text("the key may have been created or not").wait_for()
    dialog.get_by_role("button", name="Cancel").click()
    dashboard.button("Refresh").click()
    dashboard.row("Perhaps").wait_for()


def test_an_account_that_may_not_manage_keys_is_told_and_can_leave(
    open_browser: OpenBrowser, account: Account
) -> None:
    dashboard = open_browser(account)
    missing = refusal(403, "forbidden", "Missing required scope: admin")
    dashboard.answer_keys("GET", 403, missing)
    dashboard.visit()
    forbidden = notice(dashboard, "This account may not manage keys")
    assert "Missing required scope: admin." in forbidden.inner_text()
    forbidden.get_by_role("button", name="Sign out").click()
    dashboard.sign_in_heading.wait_for()


def test_a_fault_gives_a_number_to_report(open_browser: OpenBrowser, account: Account) -> None:
    dashboard = open_browser(account)
    fault = refusal(500, "internal_error", "Internal server error")
    dashboard.answer_keys("GET", 500, fault, **{"x-amzn-RequestId": "the-number"})
    dashboard.visit()
    went_wrong = notice(dashboard, "Something went wrong on our side")
    assert "the-number" in went_wrong.inner_text()


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_revocation_that_did_not_happen_leaves_the_key_and_says_so(
    status: int, open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Stays")
    dashboard = open_browser(account).visit()
    dashboard.answer_keys("DELETE", status, refusal(status, "x", "Not now"))
    dialog = dashboard.revoke("Stays")
    if status == 401:
        dashboard.sign_in_heading.wait_for()
    else:
        dialog.get_by_role("alert").wait_for()
        assert dashboard.names() == ["Stays"]
    assert account.key_names() == ["Stays"]


def test_while_keys_are_loading_the_page_says_so_and_claims_nothing(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Slow to come")
    dashboard = open_browser(account)
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    dashboard.page.route("**/me/api-keys**", hold)
    dashboard.page.goto(dashboard.address)
    dashboard.page.locator("#keys[aria-busy=true]").wait_for()
    assert dashboard.page.locator("#keys-loading").is_visible()
    assert not dashboard.page.get_by_role("heading", name="No keys yet").is_visible()
    assert len(held) == 1
    held[0].continue_()
    dashboard.row("Slow to come").wait_for()
    assert not dashboard.page.locator("#keys-loading").is_visible()


def test_a_key_at_the_accounts_ceiling_is_refused_with_what_helps(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    full = refusal(409, "conflict", "A user may hold at most 1000 API keys")
    dashboard.answer_keys("POST", 409, full)
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("One too many")
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_text("A user may hold at most 1000 API keys. Revoke one").wait_for()
