"""A key's own page: what it is, how it was used, and what can be done with it."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx

from tests.browser.accounts import Account, Accounts
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import refusal
from tests.browser.played import SPANS, play_usage


def me(account: Account, raw_key: str) -> int:
    headers = {"Authorization": f"Bearer {raw_key}"}
    return httpx.get(f"{account.url}/me", headers=headers).status_code


def test_a_keys_page_has_an_address_and_tells_all_that_is_known(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("CI", scopes=["read"], metadata={"team": "core"}, rate_limit=77)
    dashboard = open_browser(account, permissions=["clipboard-read", "clipboard-write"]).visit()
    dashboard.open_key("CI")
    page = dashboard.page
    assert page.url.endswith(f"/dashboard#/keys/{made['id']}")
    assert dashboard.focused() == "CI"
    page.reload()
    page.get_by_role("heading", level=1, name="CI").wait_for()
    dashboard.settle()
    facts = dashboard.facts()
    assert facts["Starts with"] == f"{made['key_prefix']}…"
    assert facts["Limit"] == "77 requests a minute"
    assert facts["Expires"] == "Never"
    assert facts["Scopes"] == "read"
    assert facts["Created by"] == "You, in a session"
    assert facts["Note: team"] == "core"
    dashboard.button("Copy id").click()
    page.locator("#status").filter(has_text="Id copied.").wait_for(state="attached")
    assert page.evaluate("navigator.clipboard.readText()") == made["id"]
    page.go_back()
    dashboard.row("CI").wait_for()
    assert page.locator("h1:visible").all_inner_texts() == ["API keys"]


def test_the_charts_numbers_are_those_of_the_usage_route(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Busy")
    dashboard = open_browser(account, timezone_id="UTC").visit()
    told = play_usage(dashboard)
    dashboard.open_key("Busy")
    page = dashboard.page
    page.get_by_text("The same numbers in a table").click()
    for label, granularity, count in SPANS:
        page.get_by_label(label, exact=True).check()
        dashboard.settle()
        buckets = told[granularity]["data"]["buckets"]
        wanted = [
            [b["allowed"], b["rate_limited"], b["refused"] - b["rate_limited"]] for b in buckets
        ]
        spent = [bucket["credits"] for bucket in buckets]
        cells = page.locator("#usage-rows tr").evaluate_all(
            "rows => rows.map((row) => [...row.querySelectorAll('td')].map((td) => td.innerText))"
        )
        told_in_table = [[int(text.replace(",", "")) for text in row] for row in cells]
        assert told_in_table == [[*row, one] for row, one in zip(wanted, spent, strict=True)]
        drawn = page.locator("#usage-chart g").evaluate_all(
            """bars => bars.map((bar) => ['allowed', 'limited', 'refused'].map((name) =>
                 Number(bar.querySelector(`.${name}`)?.getAttribute('height') ?? 0)))"""
        )
        top = int(page.locator("#usage-top").inner_text().replace(",", ""))
        shown = [[round(height * top / 100) for height in bar] for bar in drawn]
        assert shown == wanted
        assert len(wanted) == count
        sums = [sum(column) for column in zip(*wanted, strict=True)]
        picture = page.locator("#usage-chart").get_by_role("img").get_attribute("aria-label")
        assert [
            int(found.replace(",", ""))
            for found in re.findall(r"([\d,]+) (?:a|l|r)", picture or "")
        ][-3:] == sums
    assert page.locator("#usage-routes tr").all_inner_texts() == ["GET /boards\t1,234\t4\t5\t0"]


def test_the_real_usage_route_is_asked_for_exactly_the_buckets_shown(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Quiet")
    dashboard = open_browser(account).visit()
    for label, granularity, count in SPANS:
        if label == "An hour":
            dashboard.open_key("Quiet")
            dashboard.page.get_by_text("The same numbers in a table").click()
        with dashboard.page.expect_request(re.compile(f"usage.granularity={granularity}")) as asked:
            dashboard.page.get_by_label(label, exact=True).check()
            dashboard.button("Refresh").click()
        dashboard.settle()
        # The page may have dropped this answer for a newer one, so the same is asked again.
        path = asked.value.url.removeprefix(f"{account.url}/")
        assert len(account.api("GET", path).json()["data"]["buckets"]) == count
        assert dashboard.page.locator("#usage-rows tr").count() == count
    assert dashboard.page.get_by_text("It was not used in this time.").is_visible()


def test_a_key_is_paused_and_resumed_by_one_button(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Runner")
    dashboard = open_browser(account).visit()
    dashboard.open_key("Runner")
    dashboard.button("Pause").click()
    dashboard.page.get_by_text(
        "Runner is paused: it is refused until you resume it."
    ).first.wait_for()
    assert dashboard.focused() == "Resume"
    assert me(account, made["raw_key"]) == 401
    assert dashboard.page.locator("#key-badge").inner_text() == "paused"
    dashboard.button("Resume").click()
    dashboard.page.get_by_text(
        "Runner is resumed: it works again within five seconds."
    ).first.wait_for()
    assert account.api("GET", f"me/api-keys/{made['id']}").json()["data"]["enabled"] is True


def test_a_key_is_changed_in_what_was_changed_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Old name", rate_limit=50, metadata={"team": "core"})
    dashboard = open_browser(account).visit()
    dashboard.open_key("Old name")
    dashboard.button("Change").click()
    dialog = dashboard.dialog("Change this key")
    assert dialog.get_by_label("Expires").input_value() == "same"
    dialog.get_by_label("Name").fill("New name")
    dialog.get_by_role("checkbox", name=re.compile("^write")).uncheck()
    dialog.get_by_text("Where from, and what for").click()
    dialog.get_by_label("Addresses").fill("127.0.0.1\n192.0.2.0/24")
    with dashboard.page.expect_request("**/me/api-keys/*") as sent:
        dialog.get_by_role("button", name="Save changes").click()
    dialog.wait_for(state="hidden")
    assert json.loads(sent.value.post_data or "") == {
        "name": "New name",
        "scopes": ["read"],
        "allowed_ips": ["127.0.0.1", "192.0.2.0/24"],
    }
    dashboard.page.get_by_role("heading", level=1, name="New name").wait_for()
    assert dashboard.focused() == "Change"
    known = account.api("GET", f"me/api-keys/{made['id']}").json()["data"]
    assert (known["name"], known["rate_limit"]) == ("New name", 50)
    dashboard.page.get_by_role("link", name="All API keys").click()
    assert dashboard.names() == ["New name"]


def test_a_rotation_shows_the_new_secret_once_and_its_grace_ends(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Turning")
    dashboard = open_browser(account).visit()
    dashboard.open_key("Turning")
    dashboard.button("Rotate").click()
    dashboard.dialog("Rotate this key?").get_by_role("button", name="Rotate key").click()
    raw_key = dashboard.raw_key()
    assert raw_key != made["raw_key"]
    assert dashboard.everything_kept(raw_key) == ["document"]
    assert me(account, raw_key) == me(account, made["raw_key"]) == 200
    dashboard.button("I have stored it").click()
    assert dashboard.everything_kept(raw_key) == []
    assert dashboard.focused() == "Rotate"
    previous = dashboard.page.get_by_role("region", name="Its previous secret still works")
    assert made["key_prefix"] in previous.inner_text()
    dashboard.button("End it now").click()
    previous.wait_for(state="hidden")
    assert dashboard.focused() == "Turning"
    assert me(account, made["raw_key"]) == 401
    assert me(account, raw_key) == 200


def test_a_rotation_whose_answer_was_lost_is_not_done_twice(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Once")
    dashboard = open_browser(account).visit()
    dashboard.open_key("Once")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    dashboard.page.route("**/rotate", lose, times=1)
    dashboard.button("Rotate").click()
    dialog = dashboard.dialog("Rotate this key?")
    dialog.get_by_role("button", name="Rotate key").click()
    dialog.get_by_text("it is the same rotation").wait_for()
    dialog.get_by_role("button", name="Rotate key").click()
    assert me(account, dashboard.raw_key()) == 200
    dashboard.button("I have stored it").click()
    entries = account.api("GET", "me/audit-log").json()["data"]
    assert [entry["action"] for entry in entries].count("api_key.rotated") == 1


def test_a_revocation_keeps_its_reason_and_is_confirmed_for_all_to_see(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Leaked")
    dashboard = open_browser(account).visit()
    dashboard.open_key("Leaked")
    dashboard.button("Revoke").click()
    dialog = dashboard.dialog("Revoke this key?")
    dialog.get_by_label("Why").select_option("It leaked")
    dialog.get_by_label("Type the key's name to confirm").fill("Leaked")
    dialog.get_by_role("button", name="Revoke key").click()
    dialog.wait_for(state="hidden")
    assert dashboard.page.locator("#done").inner_text() == "Leaked is revoked."
    dashboard.page.get_by_text("because it leaked").wait_for()
    assert not dashboard.button("Rotate").is_visible()
    known = account.api("GET", "me/api-keys?status=revoked").json()["data"]
    assert [key["revocation_reason"] for key in known] == ["key_compromise"]
    dashboard.page.reload()
    dashboard.page.get_by_text("because it leaked").wait_for()


def test_a_key_of_somebody_else_is_no_such_key(
    open_browser: OpenBrowser, accounts: Accounts
) -> None:
    one, other = accounts.new(), accounts.new()
    made = other.make_key("The other's")
    dashboard = open_browser(one)
    dashboard.address += f"#/keys/{made['id']}"
    dashboard.visit()
    dashboard.page.get_by_role("heading", name="No such key").wait_for()
    dashboard.settle()
    assert dashboard.everything_kept("The other's") == []


def test_a_keys_page_leaves_nothing_for_the_next_user(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("A key of mine", metadata={"place": "my laptop"})
    dashboard = open_browser(account).visit()
    dashboard.open_key("A key of mine")
    dashboard.button("Change").click()
    dashboard.page.keyboard.press("Escape")
    dashboard.button("Pause").click()
    dashboard.page.get_by_text("A key of mine is paused").first.wait_for()
    dashboard.sign_out()
    for text in ("A key of mine", made["key_prefix"], made["id"], "my laptop"):
        assert dashboard.everything_kept(text) == []


def test_a_keys_trail_names_what_was_done_to_it_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Traced")
    account.make_key("Other")
    account.api("PATCH", f"me/api-keys/{made['id']}", json={"rate_limit": 9})
    dashboard = open_browser(account).visit()
    dashboard.open_key("Traced")
    entries = dashboard.page.get_by_role("list", name="What was done to it").locator("> li")
    assert [text.split(" by ")[0] for text in entries.locator("p").all_inner_texts()] == [
        "The key was changed",
        "The key was created",
    ]
    assert entries.first.locator("ul").inner_text() == "rate limit: 120 → 9"


def test_numbers_that_cannot_be_had_are_said_where_they_would_be(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Unknown")
    dashboard = open_browser(account).visit()
    out = refusal(503, "service_unavailable", "Service unavailable")
    dashboard.page.route("**/usage**", lambda route: route.fulfill(status=503, json=out))
    dashboard.open_key("Unknown")
    usage = dashboard.page.get_by_role("region", name="How it was used")
    usage.get_by_role("alert").wait_for()
    assert dashboard.facts()["Last used"] == "Never"
    dashboard.page.unroute("**/usage**")
    usage.get_by_role("button", name="Try again").click()
    dashboard.page.get_by_role("img", name=re.compile("^Requests in the last day")).wait_for()
    assert not usage.get_by_role("alert").is_visible()
