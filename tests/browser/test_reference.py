"""The reference as a person finds it: readable anywhere, by anybody, and without a script."""

from __future__ import annotations

import re

import pytest

from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard
from tests.browser.looks import LOOKS, Look, look, whole
from tests.browser.test_accessibility import assert_fine, overflowing


@pytest.fixture
def reference(open_browser: OpenBrowser) -> Dashboard:
    """The reference in a browser of its own; what it complained of fails the test at its end."""
    opened = open_browser()
    opened.page.goto(opened.address.replace("/dashboard", "/reference"))
    return opened


def test_it_breaks_no_rule_and_no_frame_in_any_language(reference: Dashboard) -> None:
    """Rules by one route of eight, since one template made them all; frames by all of them."""
    for width in (320, 480, 1023, 1025, 1600):
        reference.page.set_viewport_size({"width": width, "height": 640})
        for language in ("JavaScript", "Python", "curl"):
            reference.page.get_by_label(language, exact=True).check()
            assert overflowing(reference) == [], (language, width)
    reference.page.locator("article").evaluate_all(
        "articles => articles.forEach((article, place) => { if (place % 8) article.remove(); })"
    )
    assert_fine(reference, look(0))


@whole
@pytest.mark.parametrize("seen", LOOKS)
def test_the_whole_of_it_breaks_no_rule_in_any_look(seen: Look, reference: Dashboard) -> None:
    assert_fine(reference, seen)


def test_the_examples_are_in_the_chosen_language_by_keyboard(reference: Dashboard) -> None:
    page = reference.page
    for language in ("curl", "python", "javascript"):
        shown = page.locator(f".{language} pre")
        assert shown.first.is_visible()
        assert shown.count() == page.locator("article").count()
        others = page.locator("article div:not(dl div) > pre:visible").count() - shown.count()
        assert others == 0
        page.locator("input:checked").press("ArrowRight")


def test_contents_lead_to_every_route_and_errors_to_their_remedy(reference: Dashboard) -> None:
    page = reference.page
    page.get_by_role("navigation", name="Contents").get_by_role("link", name="Get a board").click()
    article = page.get_by_role("article", name="Get a board")
    heading = article.get_by_role("heading", level=3)
    box, bar = heading.bounding_box(), page.get_by_role("banner").bounding_box()
    assert box is not None
    assert bar is not None
    assert box["y"] >= bar["y"] + bar["height"], "under the bar"
    article.get_by_role("link", name="404").click()
    assert page.url.endswith("#error-404")
    assert page.get_by_role("heading", name=re.compile("^404 ")).is_visible()


def test_the_dashboard_and_the_reference_lead_to_each_other(reference: Dashboard, url: str) -> None:
    page = reference.page
    page.get_by_role("banner").get_by_role("link", name="Dashboard").click()
    reference.settle()
    page.get_by_role("link", name="API reference").click()
    page.get_by_role("heading", level=1, name="ChatGrid API: reference").wait_for()
    assert page.get_by_text(f"export URL={url}").is_visible()
