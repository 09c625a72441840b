"""Real browsers on the real local stack; nothing is left to find on any page of any test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.browser.accounts import Account, Accounts
from tests.browser.chromium import NoBrowser, arguments, executable
from tests.browser.dashboard import Dashboard
from tests.browser.profiles import Profiles
from tests.support.stack.local_stack import LocalStack

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def chromium() -> str:
    """The machine's Chromium; without one, every test here says why it did not run."""
    try:
        return executable()
    except NoBrowser as reason:
        pytest.skip(f"NO BROWSER TEST RAN: {reason}")


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    """A running browser, for this package: while it runs, no other suite can have an event loop."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # may not be installed

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=arguments())
        yield running
        running.close()


@pytest.fixture(scope="package")
def profiles(browser: Browser, url: str) -> Profiles:
    """What tests browse with."""
    return Profiles(browser, url.rsplit("/", 1)[0])


@pytest.fixture(scope="session")
def stack(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStack]:
    """The local stack, in a process of its own; none is started for tests that cannot run."""
    with LocalStack(tmp_path_factory.mktemp("browser") / "state") as running:
        yield running


@pytest.fixture(scope="session")
def url(stack: LocalStack) -> str:
    """The API's address, with the stage."""
    return str(stack.described["url"])


@pytest.fixture(scope="session")
def accounts(stack: LocalStack, url: str) -> Iterator[Accounts]:
    """Makes accounts."""
    with httpx.Client(timeout=20) as http:
        yield Accounts(url, stack.output, http)


@pytest.fixture
def account(accounts: Accounts) -> Account:
    """A new account, signed in outside any browser."""
    return accounts.new()


OpenBrowser = Callable[..., Dashboard]


@pytest.fixture
def open_browser(profiles: Profiles, url: str) -> Iterator[OpenBrowser]:
    """Opens the page as if in a browser of its own; what it complained of fails the test."""
    opened: list[Dashboard] = []

    def open_(account: Account | None = None, **profile: Any) -> Dashboard:
        if account:
            profile["storage"] = account.browser_storage(url.rsplit("/", 1)[0])
        dashboard = Dashboard(profiles.new_page(**profile), url=url)
        opened.append(dashboard)
        return dashboard

    yield open_
    for dashboard in opened:
        dashboard.leave()
    profiles.give_back()
    for dashboard in opened:
        assert dashboard.provoked or dashboard.complaints == []
        assert dashboard.foreign_requests() == []
