"""The keys of an account: seen, found, made and revoked."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta

import httpx

from tests.browser.accounts import Account, Accounts
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard


def cells(dashboard: Dashboard, name: str) -> list[str]:
    found: list[str] = dashboard.row(name).get_by_role("cell").all_inner_texts()
    return found


def test_a_key_is_shown_with_all_that_is_known_of_it(
    open_browser: OpenBrowser, account: Account
) -> None:
    in_an_hour = datetime.now(UTC) + timedelta(minutes=59, seconds=50)
    made = account.make_key(
        "CI pipeline",
        scopes=["read", "admin"],
        environment="test",
        rate_limit=1500,
        expires_at=in_an_hour.isoformat(timespec="seconds"),
    )
    key = {"Authorization": f"Bearer {made['raw_key']}"}
    assert httpx.get(f"{account.url}/me", headers=key).status_code == 200
    dashboard = open_browser(account, timezone_id="UTC").visit()
    row = dashboard.row("CI pipeline")
    assert row.get_by_role("rowheader").inner_text().split() == [
        *("CI", "pipeline"),
        made["key_prefix"] + "…",
    ]
    scopes, environment, limit, created, used, expires, _ = cells(dashboard, "CI pipeline")
    assert scopes.split() == ["read", "admin"]
    assert environment == "test"
    assert limit == "1,500 / min"
    assert created == "just now"
    assert used == "just now"
    assert expires == "in 1 hour"


def test_times_are_exact_on_hover_and_on_request(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Dated")
    dashboard = open_browser(account, timezone_id="Asia/Tokyo").visit()
    created = dashboard.row("Dated").get_by_role("cell").nth(3).locator("time")
    local = datetime.fromisoformat(made["created_at"]) + timedelta(hours=9)
    wanted = f"{local:%b} {local.day}, {local.year}, {local.hour % 12 or 12}:{local:%M:%S %p}"
    exact = (created.get_attribute("title") or "").replace("\u202f", " ")
    assert exact == f"{wanted} GMT+9"
    assert created.get_attribute("datetime") == made["created_at"]
    dashboard.button("Exact times").click()
    assert created.inner_text().replace("\u202f", " ") == exact
    assert dashboard.button("Exact times").get_attribute("aria-pressed") == "true"


def test_an_account_without_keys_is_invited_to_make_its_first(
    open_browser: OpenBrowser, account: Account
) -> None:
    dashboard = open_browser(account).visit()
    assert dashboard.page.get_by_role("heading", name="No keys yet").is_visible()
    assert dashboard.page.get_by_role("table").count() == 0
    dashboard.button("Create your first key").click()
    dialog = dashboard.dialog("Create an API key")
    dialog.get_by_label("Name").fill("The first")
    dialog.get_by_label("Name").press("Enter")
    dashboard.button("I have stored it").click()
    assert dashboard.names() == ["The first"]


def test_a_key_made_here_works_and_can_be_seen_once_only(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Deploys")
    dialog.get_by_role("checkbox", name=re.compile("^write")).uncheck()
    dialog.get_by_role("radio", name=re.compile("^test")).check()
    dialog.get_by_label("Requests a minute").fill("7")
    dialog.get_by_label("Expires").select_option("In 7 days")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    assert re.fullmatch(r"cgk_test_[a-z0-9]{32}", raw_key)
    curl = dashboard.dialog("Store this key now").locator("#reveal-curl").inner_text()
    assert raw_key not in curl
    asked = subprocess.run(
        ["bash", "-c", curl], input=f"{raw_key}\n", capture_output=True, text=True, check=True
    )
    assert json.loads(asked.stdout)["object"] == "user"
    assert dashboard.everything_kept(raw_key) == ["document"]

    dashboard.button("I have stored it").click()
    assert dashboard.everything_kept(raw_key) == []
    assert not any(raw_key in url for url in dashboard.requested)
    scopes, environment, limit, _, used, expires, _ = cells(dashboard, "Deploys")
    assert (scopes, environment, limit, used) == ("read", "test", "7 / min", "Never")
    assert expires == "in 7 days"

    me = httpx.get(f"{account.url}/me", headers={"Authorization": f"Bearer {raw_key}"})
    assert me.json()["data"]["api_key"]["name"] == "Deploys"
    dashboard.page.reload()
    dashboard.settle()
    assert dashboard.names() == ["Deploys", "Another"]
    assert dashboard.everything_kept(raw_key) == []


def test_nothing_but_the_button_closes_the_dialog_with_the_key(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Precious")
    dialog.get_by_role("button", name="Create key").click()
    reveal = dashboard.dialog("Store this key now")
    raw_key = dashboard.raw_key()
    for _ in range(3):
        dashboard.page.keyboard.press("Escape")
    dashboard.page.mouse.click(5, 5)
    dashboard.page.evaluate("document.getElementById('reveal').close()")
    reveal.wait_for()
    assert dashboard.raw_key() == raw_key

    with dashboard.page.expect_event("dialog") as asked:
        dashboard.page.evaluate("setTimeout(() => location.reload(), 0)")
    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert dashboard.raw_key() == raw_key
    dashboard.button("I have stored it").click()
    assert reveal.count() == 0


def test_leaving_all_the_same_leaves_no_key_behind(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account, alone=True).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Left behind")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    # A browser may keep the whole page for the way back: then it is told, and nothing more.
    dashboard.page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    assert dashboard.everything_kept(raw_key) == []
    dashboard.page.on("dialog", lambda question: question.accept())
    dashboard.page.goto(f"{account.url.rsplit('/', 1)[0]}/health")
    dashboard.page.go_back()
    dashboard.settle()
    assert dashboard.names() == ["Left behind", "Another"]
    assert dashboard.everything_kept(raw_key) == []


def test_key_and_line_can_be_copied_and_the_page_says_so(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account, permissions=["clipboard-read", "clipboard-write"]).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Copied")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    reveal = dashboard.dialog("Store this key now")
    dashboard.button("Copy key").click()
    reveal.get_by_role("status").filter(has_text="Key copied.").wait_for()
    assert dashboard.page.evaluate("navigator.clipboard.readText()") == raw_key
    dashboard.button("Copy line").click()
    reveal.get_by_role("status").filter(has_text="Line copied.").wait_for()
    assert dashboard.page.evaluate("navigator.clipboard.readText()").startswith("read -rs ")


def test_where_copying_is_not_allowed_the_key_is_selected_instead(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dashboard.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error()); }"
    )
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Selected")
    dialog.get_by_role("button", name="Create key").click()
    raw_key = dashboard.raw_key()
    dashboard.button("Copy key").click()
    dashboard.page.get_by_text("press Ctrl+C or ⌘C").wait_for()
    assert dashboard.page.evaluate("String(getSelection())") == raw_key
    dashboard.button("I have stored it").click()
    assert dashboard.everything_kept(raw_key) == []


#: What is entered into which field, and the words that then stand at it.
WRONG = (
    ("Name", "", "Give the key a name."),
    ("Name", "   ", "Give the key a name."),
    ("Name", "x" * 65, "64 characters at most; these are 65."),
    ("Name", "\u2066", "Must contain a visible character"),
    ("Requests a minute", "0", "A whole number from 1 to 60,000."),
    ("Requests a minute", "many", "A whole number from 1 to 60,000."),
    ("Requests a minute", "60001", "A whole number from 1 to 60,000."),
    ("Date and time", "2020-01-01T10:00", "Choose a time that is still to come."),
    ("Date and time", "", "Choose a date and a time."),
)


def test_a_refused_field_is_told_and_gets_the_focus(
    open_browser: OpenBrowser, account: Account
) -> None:
    """What the page knows to be wrong, and what the API finds, is said at the field."""
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    for field, value, words in WRONG:
        dialog = dashboard.open_create()
        dialog.get_by_label("Name").fill("Fine")
        if field == "Date and time":
            dialog.get_by_label("Expires").select_option("At an exact time…")
        control = dialog.get_by_label(field)
        control.fill(value)
        dialog.get_by_role("button", name="Create key").click()
        error = dialog.get_by_text(words, exact=True)
        error.wait_for()
        error_id = error.get_attribute("id")
        assert control.get_attribute("aria-invalid") == "true", (field, value)
        assert control.evaluate("control => control === document.activeElement"), (field, value)
        control.fill("2999-01-01T10:00" if field == "Date and time" else "7")
        if words != "Must contain a visible character":
            assert error.is_hidden(), (field, value)
        described = (control.get_attribute("aria-describedby") or "").split()
        assert error_id in described, (field, value)
        dialog.get_by_role("button", name="Cancel").click()
    assert dashboard.open_create().locator("[aria-invalid=true]").count() == 0
    assert account.key_names() == ["Another"]


def test_a_key_without_scopes_is_refused_at_the_scopes(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Powerless")
    dialog.get_by_role("checkbox", name=re.compile("^read")).uncheck()
    dialog.get_by_role("checkbox", name=re.compile("^write")).uncheck()
    dialog.get_by_role("button", name="Create key").click()
    dialog.get_by_role("group", name="Scopes").get_by_text("Choose at least one.").wait_for()
    dialog.get_by_role("checkbox", name=re.compile("^admin")).check()
    dialog.get_by_role("button", name="Create key").click()
    dashboard.button("I have stored it").click()
    assert cells(dashboard, "Powerless")[0] == "admin"


def test_an_exact_expiry_is_in_the_persons_own_time(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account, timezone_id="America/New_York").visit()
    dialog = dashboard.open_create()
    dialog.get_by_label("Name").fill("Until noon")
    dialog.get_by_label("Expires").select_option("At an exact time…")
    dialog.get_by_label("Date and time").fill("2030-07-01T12:00")
    assert "Jul 1, 2030" in dialog.inner_text()
    dialog.get_by_role("button", name="Create key").click()
    dashboard.button("I have stored it").click()
    expires = dashboard.row("Until noon").get_by_role("cell").nth(5).locator("time")
    assert expires.get_attribute("datetime") == "2030-07-01T16:00:00.000Z"


def test_a_key_is_revoked_only_once_its_name_has_been_typed(
    open_browser: OpenBrowser, account: Account
) -> None:
    made = account.make_key("Old  laptop")
    account.make_key("New laptop")
    dashboard = open_browser(account).visit()
    dialog = dashboard.revoke("Old laptop", typed="old laptop")
    assert dialog.get_by_text("That is not this key's name.").is_visible()
    assert account.key_names() == ["New laptop", "Old  laptop"]
    dialog.get_by_label("Type the key's name to confirm").fill("Old laptop")
    dialog.get_by_role("button", name="Revoke key").click()
    dialog.wait_for(state="hidden")
    assert dashboard.names() == ["New laptop"]
    key = {"Authorization": f"Bearer {made['raw_key']}"}
    assert httpx.get(f"{account.url}/me", headers=key).status_code == 401


def test_a_key_whose_name_nobody_can_type_is_revoked_by_its_prefix(
    open_browser: OpenBrowser, account: Account
) -> None:
    name = "\u202e\u00d7\u0336\u2066"
    prefix = account.make_key(name)["key_prefix"]
    dashboard = open_browser(account).visit()
    dashboard.page.locator("[data-part=revoke]").last.click()
    dialog = dashboard.dialog("Revoke this key?")
    field = dialog.get_by_label("Type the key's name to confirm")
    for typed in ("", prefix[:-1]):
        field.fill(typed)
        dialog.get_by_role("button", name="Revoke key").click()
        assert dialog.get_by_text("That is not this key's name.").is_visible()
    assert account.key_names() == [name]
    field.fill(prefix)
    dialog.get_by_role("button", name="Revoke key").click()
    dialog.wait_for(state="hidden")
    assert account.key_names() == []


def test_cancelling_or_escaping_changes_nothing(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Kept")
    dashboard = open_browser(account).visit()
    dashboard.open_create().get_by_role("button", name="Cancel").click()
    dashboard.open_create()
    dashboard.page.keyboard.press("Escape")
    dashboard.button("Revoke Kept").click()
    dashboard.page.keyboard.press("Escape")
    dashboard.button("Revoke Kept").click()
    dashboard.dialog("Revoke this key?").get_by_role("button", name="Cancel").click()
    assert dashboard.page.get_by_role("dialog").count() == 0
    assert account.key_names() == ["Kept"]


def test_a_name_is_text_whatever_it_looks_like(open_browser: OpenBrowser, account: Account) -> None:
    name = "<img src=x onerror=alert(1)> \u202eesrever"
    account.make_key(name)
    dashboard = open_browser(account).visit()
    assert dashboard.row("onerror").locator(".name").evaluate("node => node.textContent") == name
    assert dashboard.page.locator("tbody img").count() == 0
    dashboard.revoke(name, typed=name).wait_for(state="hidden")
    assert account.key_names() == []


def test_every_key_can_be_reached_page_by_page_and_found_by_name(
    open_browser: OpenBrowser, account: Account
) -> None:
    first = account.make_key("Key 001")
    for number in range(2, 113):
        account.make_key(f"Key {number:03}")
    dashboard = open_browser(account).visit()
    assert dashboard.names() == [f"Key {n:03}" for n in range(112, 62, -1)]
    assert dashboard.page.locator("#count").inner_text() == "50 keys, and more"
    dashboard.button("Show more").click()
    dashboard.row("Key 013").wait_for()
    dashboard.button("Show more").click()
    dashboard.row("Key 001").wait_for()
    assert dashboard.names() == [f"Key {n:03}" for n in range(112, 0, -1)]
    assert not dashboard.button("Show more").is_visible()

    dashboard.page.reload()
    dashboard.settle()
    field = dashboard.page.get_by_label("Filter by name")
    for text, asked in (
        ("KEY 00", "name=key+00"),
        (first["raw_key"], f"prefix={first['key_prefix']}"),
    ):
        field.fill(text)
        dashboard.row("Key 001").wait_for()
        dashboard.settle()
        assert dashboard.requested[-1].endswith(asked)
        field.fill("")
    field.fill("KEY 00")
    dashboard.settle()
    assert dashboard.names() == [f"Key {n:03}" for n in range(9, 0, -1)]
    assert dashboard.page.locator("#count").inner_text() == "9 found"
    field.fill("nothing like it")
    dashboard.page.get_by_role("heading", name="No key by that name").wait_for()
    dashboard.button("Clear the filter").click()
    assert len(dashboard.names()) == 50
    field.fill(first["id"])
    dashboard.row("Key 001").wait_for()
    field.fill("")
    dashboard.page.get_by_label("Sort by").select_option("Name")
    dashboard.settle()
    assert dashboard.names() == [f"Key {n:03}" for n in range(1, 113)]


def test_a_user_sees_no_key_of_another(open_browser: OpenBrowser, accounts: Accounts) -> None:
    one, other = accounts.new(), accounts.new()
    one.make_key("One's")
    other.make_key("The other's")
    assert open_browser(one).visit().names() == ["One's"]
    assert open_browser(other).visit().names() == ["The other's"]
