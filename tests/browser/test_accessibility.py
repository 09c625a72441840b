"""Every state, theme and width: nothing known to axe-core, nothing cut off."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard
from tests.browser.looks import Look, look, other_looks, whole
from tests.browser.states import STATES, State, bring, storage_of
from tests.browser.states_of_keys import KEY_STATES

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
#: 320: a screen of 1280 px, magnified four times.
WIDTHS = (320, 480, 961, 1153, 1281, 1345)
EVERY_STATE = pytest.mark.parametrize(
    ("number", "state"),
    list(enumerate([*STATES, *KEY_STATES])),
    ids=[state.name for state in (*STATES, *KEY_STATES)],
)


@cache
def axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


def violations(dashboard: Dashboard) -> list[Any]:
    if not dashboard.page.evaluate("'axe' in window"):
        dashboard.page.evaluate(axe_source())
    found = dashboard.page.evaluate(
        """async (rules) => {
          // What is not read need not be told: where each node is, and what is right.
          const options = {runOnly: rules, selectors: false, resultTypes: ["violations"]};
          return (await axe.run(document, options)).violations.map((rule) => [
            rule.id, rule.nodes.map((node) => [node.html, node.failureSummary])]);
        }""",
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


def assert_fine(dashboard: Dashboard, seen: Look) -> None:
    """Nothing is known to axe-core in this look, and nothing is cut off."""
    theme, (width, height) = seen
    dashboard.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    dashboard.page.set_viewport_size({"width": width, "height": height})
    assert violations(dashboard) == [], seen
    assert overflowing(dashboard) == [], seen


@EVERY_STATE
def test_no_state_breaks_a_rule_or_its_frame(
    number: int, state: State, open_browser: OpenBrowser, url: str
) -> None:
    dashboard = open_browser(storage=storage_of(state, url.rsplit("/", 1)[0]))
    bring(dashboard, state)
    assert_fine(dashboard, look(number))
    for width in (*WIDTHS, *(width for _, (width, _) in other_looks(number))):
        dashboard.page.set_viewport_size({"width": width, "height": 640})
        assert overflowing(dashboard) == [], width


@whole
@EVERY_STATE
def test_no_state_breaks_a_rule_in_its_other_looks(
    number: int, state: State, open_browser: OpenBrowser, url: str
) -> None:
    dashboard = open_browser(storage=storage_of(state, url.rsplit("/", 1)[0]))
    bring(dashboard, state)
    for seen in other_looks(number):
        assert_fine(dashboard, seen)


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
    dashboard = open_browser(storage=storage_of(loading, origin))
    dashboard.page.emulate_media(reduced_motion="reduce")
    bring(dashboard, loading)
    assert dashboard.page.evaluate("document.getAnimations().length") == 0
