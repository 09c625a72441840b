"""Signing in and out, in every way that there is, and sessions that are none."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from chatgrid_devkit.identity.auth import DEVELOPER_EMAIL, DEVELOPER_PASSWORD
from tests.browser.accounts import STORAGE_KEY, Account, Accounts, stored
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard
from tests.support.stack.local_stack import LocalStack

ENDED = "Your session has ended. Sign in again to go on."


def test_one_click_signs_in_as_the_developer_and_leaves_a_clean_address(
    open_browser: OpenBrowser, stack: LocalStack
) -> None:
    dashboard = open_browser().visit()
    dashboard.sign_in_as_developer()
    assert dashboard.page.url == dashboard.address
    assert "First admin key" in dashboard.names()
    assert dashboard.page.get_by_text(DEVELOPER_EMAIL).is_visible()


def test_a_password_signs_in_and_a_wrong_one_only_says_so(
    open_browser: OpenBrowser,
) -> None:
    dashboard = open_browser().visit()
    page = dashboard.page
    page.get_by_label("E-mail").fill(DEVELOPER_EMAIL)
    page.get_by_label("Password").fill("not-this-one")
    page.get_by_label("Password").press("Enter")
    page.get_by_role("alert").filter(has_text="E-mail or password is wrong.").wait_for()
    page.get_by_label("Password").fill(DEVELOPER_PASSWORD)
    page.get_by_label("Password").press("Enter")
    dashboard.keys_heading.wait_for()
    # The document says the same word of the test environment.
    assert set(dashboard.everything_kept(DEVELOPER_PASSWORD)) <= {"document"}


def test_what_is_missing_is_said_at_the_field_and_gets_the_focus(open_browser: OpenBrowser) -> None:
    page = open_browser().visit().page
    page.get_by_role("button", name="Sign in", exact=True).click()
    email = page.get_by_label("E-mail")
    assert email.evaluate("field => field === document.activeElement")
    assert email.get_attribute("aria-invalid") == "true"
    assert page.get_by_text("Enter your e-mail address").is_visible()
    email.fill(DEVELOPER_EMAIL)
    email.press("Enter")
    assert page.get_by_text("Enter your password.").is_visible()
    assert email.get_attribute("aria-invalid") is None


def test_a_link_signs_in_once_and_only_the_browser_that_asked(
    open_browser: OpenBrowser, accounts: Accounts
) -> None:
    email = f"link-{time.time_ns()}@example.com"
    mine, other = open_browser().visit(), open_browser()
    mine.page.get_by_label("E-mail").fill(email)
    mine.button("E-mail me a sign-in link").click()
    mine.page.get_by_role("heading", name="Check your inbox").wait_for()
    assert mine.page.get_by_text(email).is_visible()
    first = accounts.link_for(email)

    other.page.goto(first)
    other.sign_in_heading.wait_for()
    assert other.page.get_by_text(
        "A sign-in link works only in the browser that asked"
    ).is_visible()
    mine.page.goto(first)
    mine.sign_in_heading.wait_for()
    expired = "That link has expired or has been used already. Ask for a new one."
    assert mine.page.get_by_text(expired).is_visible()
    assert mine.page.url == mine.address

    mine.page.get_by_label("E-mail").fill(email)
    mine.button("E-mail me a sign-in link").click()
    mine.page.get_by_role("heading", name="Check your inbox").wait_for()
    mine.page.goto(accounts.link_for(email, earlier=[first]))
    mine.keys_heading.wait_for()
    assert mine.page.url == mine.address
    assert mine.page.get_by_text(email).is_visible()


def test_words_in_the_address_are_never_shown(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()
    dashboard.page.goto(f"{dashboard.address}?error=x&error_description=Call+555+0100")
    dashboard.sign_in_heading.wait_for()
    assert "555" not in dashboard.page.content()
    assert dashboard.page.url == dashboard.address


def test_signing_out_takes_everything_away_and_going_back_brings_nothing_back(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("A key of mine")
    dashboard = open_browser(account).visit()
    assert dashboard.names() == ["A key of mine"]
    dashboard.button("Sign out").click()
    dashboard.sign_in_heading.wait_for()
    assert dashboard.everything_kept("A key of mine") == []
    assert dashboard.everything_kept(account.email) == []
    dashboard.page.reload()
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.get_by_text(ENDED).count() == 0


def test_signing_out_works_without_a_network(open_browser: OpenBrowser, account: Account) -> None:
    dashboard = open_browser(account).visit()
    dashboard.page.context.set_offline(True)
    dashboard.button("Sign out").click()
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.evaluate(f"localStorage.getItem('{STORAGE_KEY}')") is None


def test_signing_out_in_one_tab_signs_out_all(open_browser: OpenBrowser, account: Account) -> None:
    first = open_browser(account).visit()
    second = Dashboard(first.page.context.new_page(), url=first.address.rsplit("/", 1)[0]).visit()
    second.button("Sign out").click()
    first.sign_in_heading.wait_for()
    assert first.page.get_by_text(ENDED).is_visible()
    assert second.complaints == []


def test_a_session_about_to_end_is_renewed_and_stays_renewed(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Still here")
    old = {**account.session, "expires_at": int(time.time()) + 5}
    dashboard = open_browser(storage=stored(dashboard_origin(account), old)).visit()
    assert dashboard.names() == ["Still here"]
    kept = json.loads(dashboard.page.evaluate(f"localStorage.getItem('{STORAGE_KEY}')"))
    assert kept["refresh_token"] != account.session["refresh_token"]
    assert kept["expires_at"] > old["expires_at"]
    dashboard.page.reload()
    dashboard.settle()
    assert dashboard.names() == ["Still here"]


def expired(session: dict[str, Any]) -> dict[str, Any]:
    return {**session, "expires_at": int(time.time()) - 60, "refresh_token": "used-up"}


def forged(session: dict[str, Any]) -> dict[str, Any]:
    head, body, _ = session["access_token"].split(".")
    return {**session, "access_token": f"{head}.{body}.AAAA", "refresh_token": "made-up"}


def none_at_all(session: dict[str, Any]) -> dict[str, Any]:
    return {**session, "access_token": "not a token", "refresh_token": "nor this"}


@pytest.mark.parametrize("worthless", [expired, forged, none_at_all])
def test_a_worthless_session_shows_no_key_and_ends_at_sign_in(
    worthless: Callable[[dict[str, Any]], dict[str, Any]],
    open_browser: OpenBrowser,
    account: Account,
) -> None:
    account.make_key("Nobody else's business")
    session = worthless(account.session)
    dashboard = open_browser(storage=stored(dashboard_origin(account), session))
    dashboard.page.goto(dashboard.address)
    dashboard.page.evaluate(
        """() => { window.seen = [];
        new MutationObserver(() => window.seen.push(document.body.innerText))
          .observe(document.body, {subtree: true, childList: true, characterData: true}); }"""
    )
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.get_by_text(ENDED).is_visible()
    assert "Nobody else's business" not in json.dumps(dashboard.page.evaluate("window.seen"))
    assert dashboard.page.evaluate(f"localStorage.getItem('{STORAGE_KEY}')") is None


def test_a_refused_token_is_renewed_once_before_signing_out(
    open_browser: OpenBrowser, account: Account
) -> None:
    """Nobody is signed out for a token that has just expired."""
    account.make_key("Still here")
    session = {**forged(account.session), "refresh_token": account.session["refresh_token"]}
    dashboard = open_browser(storage=stored(dashboard_origin(account), session)).visit()
    assert dashboard.names() == ["Still here"]


def test_a_session_that_another_tab_has_renewed_first_goes_on(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Still here")
    session = {**forged(account.session), "refresh_token": "the one before"}
    dashboard = open_browser(storage=stored(dashboard_origin(account), session))

    def renewed_elsewhere(route: Any) -> None:
        good = json.dumps(account.session)
        dashboard.page.evaluate(f"session => localStorage.setItem('{STORAGE_KEY}', session)", good)
        used = {"code": "refresh_token_already_used", "message": "Invalid Refresh Token: Used"}
        version = {"x-supabase-api-version": "2024-01-01"}
        route.fulfill(status=400, json=used, headers=version)

    dashboard.page.route("**/auth/v1/token?grant_type=refresh_token", renewed_elsewhere)
    dashboard.visit()
    assert dashboard.names() == ["Still here"]


def test_the_end_of_a_session_takes_the_keys_away(
    open_browser: OpenBrowser, account: Account
) -> None:
    """A session that ends while the page is open is told, too."""
    account.make_key("Here for now")
    dashboard = open_browser(account).visit()
    assert dashboard.names() == ["Here for now"]
    session = json.dumps(forged(account.session))
    dashboard.page.evaluate(f"session => localStorage.setItem('{STORAGE_KEY}', session)", session)
    dashboard.page.route("**/auth/v1/logout**", lambda _: None)  # never answered
    with dashboard.page.expect_request("**/auth/v1/logout**"):
        dashboard.button("Refresh").click()
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.get_by_text(ENDED).is_visible()
    assert dashboard.everything_kept("Here for now") == []


def test_only_what_the_project_has_is_offered(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()
    offered = {"external": {"email": False, "github": True, "google": True, "phone": True}}
    dashboard.page.route("**/auth/v1/settings", lambda route: route.fulfill(json=offered))
    page = dashboard.visit().page
    page.get_by_role("button", name="Continue with GitHub").wait_for()
    names = page.locator("main").get_by_role("button").all_inner_texts()
    assert names == ["Continue with GitHub", "Continue with Google"]
    assert not page.get_by_label("E-mail").is_visible()


def test_a_sign_in_service_that_is_out_is_named_as_such(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()
    dashboard.page.route("**/auth/v1/settings", lambda route: route.abort())
    dashboard.page.route("**/auth/v1/token**", lambda route: route.fulfill(status=503, json={}))
    page = dashboard.visit().page
    page.get_by_text("The sign-in service does not answer.").wait_for()
    page.get_by_label("E-mail").fill(DEVELOPER_EMAIL)
    page.get_by_label("Password").fill(DEVELOPER_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_text("The sign-in service cannot be reached.").wait_for()


def test_without_a_supabase_project_the_page_says_what_to_set(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()

    def without_project(route: Any) -> None:
        answer = route.fetch()
        name = 'name="supabase-url" content="'
        before, after = answer.text().split(name)
        route.fulfill(response=answer, body=f'{before}{name}"{after.split(chr(34), 1)[1]}')

    dashboard.page.route(dashboard.address, without_project)
    page = dashboard.visit().page
    page.get_by_role("heading", name="Sign-in is not set up yet").wait_for()
    assert page.get_by_text("SupabasePublishableKey").is_visible()
    assert page.get_by_text(dashboard.address).is_visible()


def dashboard_origin(account: Account) -> str:
    return account.url.rsplit("/", 1)[0]
