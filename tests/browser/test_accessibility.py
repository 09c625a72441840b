"""Every state, theme and width: nothing known to axe-core, nothing cut off; and by keyboard."""

from __future__ import annotations

import os
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Any

import pytest

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard
from tests.browser.states import SIZES, STATES, THEMES, State, bring, storage_of
from tests.browser.states_of_keys import KEY_STATES

#: `make browser` looks at each state in each of them; `make test` at each theme and size once.
LOOKS = list(
    product(THEMES, SIZES)
    if "CHATGRID_WHOLE_BROWSER" in os.environ
    else zip(THEMES, SIZES, strict=True)
)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@cache
def axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def violations(dashboard: Dashboard) -> list[Any]:
    dashboard.page.evaluate(axe_source())
    found = dashboard.page.evaluate(
        """async (rules) => (await axe.run(document, {runOnly: rules})).violations.map(
          (rule) => [rule.id, rule.nodes.map((node) => [node.html, node.failureSummary])])""",
        RULES,
    )
    return list(found)


def overflowing(dashboard: Dashboard) -> list[str]:
    """What sticks out sideways, of the page or of an open dialog."""
    found = dashboard.page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth;
          const sticksOut = (node) => {
            const box = node.getBoundingClientRect();
            return box.width > 1 && (box.right > width + 1 || box.left < -1);
          };
          const roots = [...document.querySelectorAll("dialog[open]")];
          const scrolls = [document.documentElement, ...roots]
            .filter((node) => node.scrollWidth > node.clientWidth + 1).map((node) => node.tagName);
          return [...scrolls, ...[...document.querySelectorAll("body *")].filter(sticksOut)
            .map((node) => node.outerHTML.slice(0, 80))];
        }"""
    )
    return list(found)


@pytest.mark.parametrize("state", [*STATES, *KEY_STATES], ids=lambda state: state.name)
def test_no_state_breaks_a_rule_or_its_frame_in_any_theme(
    state: State, open_browser: OpenBrowser, url: str
) -> None:
    origin = url.rsplit("/", 1)[0]
    dashboard = open_browser(storage=storage_of(state, origin), reduced_motion="reduce")
    bring(dashboard, state)
    for theme, (width, height) in LOOKS:
        dashboard.page.emulate_media(color_scheme=theme)
        dashboard.page.set_viewport_size({"width": width, "height": height})
        assert violations(dashboard) == [], (theme, width)
        assert overflowing(dashboard) == [], (theme, width)
    for width in (
        320,
        480,
        961,
        1153,
        1281,
        1345,
    ):  # 320: a screen of 1280 px, magnified four times
        dashboard.page.set_viewport_size({"width": width, "height": 640})
        assert overflowing(dashboard) == [], width


def test_landmarks_and_headings_lead_through_the_page(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Known")
    page = open_browser(account).visit().page
    assert page.get_by_role("banner").count() == 1
    assert page.get_by_role("main").count() == 1
    assert page.get_by_role("contentinfo").count() == 1
    assert page.locator("h1:visible").all_inner_texts() == ["API keys"]
    assert page.get_by_role("table", name="API keys").is_visible()
    assert page.get_by_role("columnheader").all_inner_texts()[0] == "Name"
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.get_by_role("table", name="API keys").get_by_role("rowheader").count() == 1


def focused(dashboard: Dashboard) -> str:
    found: str = dashboard.page.evaluate(
        "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
        " || document.activeElement.id"
    )
    return found.strip()


def tab_to(dashboard: Dashboard, name: str, *, at_most: int = 20) -> None:
    for _ in range(at_most):
        dashboard.page.keyboard.press("Tab")
        if focused(dashboard) == name:
            assert outlined(dashboard), name
            return
    raise AssertionError(f"{name} cannot be reached, only {focused(dashboard)}")


def outlined(dashboard: Dashboard) -> bool:
    """Whether it can be seen where the focus is."""
    shown: bool = dashboard.page.evaluate(
        "() => { const style = getComputedStyle(document.activeElement);"
        " return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2; }"
    )
    return shown


def test_a_key_is_made_and_revoked_by_keyboard_alone(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    press = dashboard.page.keyboard.press
    tab_to(dashboard, "Skip to content")
    press("Enter")
    tab_to(dashboard, "Create key")
    press("Enter")
    assert focused(dashboard) == "name"
    dashboard.page.keyboard.type("By keyboard")
    tab_to(dashboard, "Create key")
    press("Enter")
    dashboard.dialog("Store this key now").wait_for()
    assert focused(dashboard) == "Copy key"
    tab_to(dashboard, "I have stored it")
    press("Enter")
    assert focused(dashboard) == "Revoke By keyboard"
    press("Enter")
    assert focused(dashboard) == "revoke-confirm"
    dashboard.page.keyboard.type("By keyboard")
    press("Enter")
    dashboard.row("By keyboard").wait_for(state="detached")
    assert focused(dashboard) == "Revoke Another"
    assert account.key_names() == ["Another"]


def test_the_focus_comes_back_to_where_a_dialog_was_opened(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    dashboard.button("Create key").focus()
    dashboard.page.keyboard.press("Enter")
    dashboard.page.keyboard.press("Escape")
    assert focused(dashboard) == "Create key"
    dashboard.button("Revoke Another").focus()
    dashboard.page.keyboard.press("Enter")
    dashboard.page.keyboard.press("Escape")
    assert focused(dashboard) == "Revoke Another"


def test_what_happens_is_told_to_a_screen_reader(
    open_browser: OpenBrowser, account: Account
) -> None:
    account.make_key("Another")
    dashboard = open_browser(account).visit()
    status = dashboard.page.locator("#status")
    status.filter(has_text="1 key").wait_for(state="attached")
    dashboard.create("Spoken of")
    status.filter(has_text="The key is no longer shown.").wait_for(state="attached")
    dashboard.page.get_by_label("Filter by name").fill("spoken")
    status.filter(has_text="1 of 2 keys").wait_for(state="attached")
    dashboard.revoke("Spoken of").wait_for(state="hidden")
    status.filter(has_text="Spoken of is revoked.").wait_for(state="attached")


def test_nothing_moves_for_those_who_asked_for_that(open_browser: OpenBrowser, url: str) -> None:
    (loading,) = (state for state in STATES if state.name == "loading")
    origin = url.rsplit("/", 1)[0]
    dashboard = open_browser(storage=storage_of(loading, origin), reduced_motion="reduce")
    bring(dashboard, loading)
    assert dashboard.page.evaluate("document.getAnimations().length") == 0
