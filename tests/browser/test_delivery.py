"""What reaches the browser: compressed, kept, and with a policy that is in force."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx

from tests.browser.accounts import Account
from tests.browser.conftest import OpenBrowser
from tests.browser.dashboard import Dashboard
from tests.support.stack.local_stack import LocalStack

BUDGET_BYTES = 90_000


def reached(stack: LocalStack) -> list[tuple[str, str]]:
    """Path and status of each request for the page and its files that came to its function."""
    return re.findall(r"(?m)^[A-Z]+ (/v1/dashboard\S*) (\d+)", stack.output.read_text())


def test_a_second_visit_starts_no_function(open_browser: OpenBrowser, stack: LocalStack) -> None:
    first = open_browser(alone=True).visit()
    first.page.wait_for_load_state("networkidle")
    before = reached(stack)
    second = Dashboard(first.page.context.new_page(), url=first.address.rsplit("/", 1)[0])
    second.visit()
    assert second.sign_in_heading.is_visible()
    assert reached(stack)[len(before) :] == []
    assert second.complaints == []


def test_reloading_asks_for_the_page_alone_and_it_is_not_sent_again(
    open_browser: OpenBrowser, stack: LocalStack
) -> None:
    dashboard = open_browser(alone=True).visit()
    dashboard.page.wait_for_load_state("networkidle")
    before = reached(stack)
    with dashboard.page.expect_response(dashboard.address):
        dashboard.page.reload()
    dashboard.settle()
    dashboard.page.wait_for_load_state("networkidle")
    assert reached(stack)[len(before) :] == [("/v1/dashboard", "304")]


def test_an_address_with_a_slash_at_its_end_shows_the_page(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()
    dashboard.page.goto(f"{dashboard.address}/?from=a-bookmark")
    dashboard.sign_in_heading.wait_for()
    assert dashboard.page.url == dashboard.address


def test_head_is_answered_as_get(url: str) -> None:
    for address in (f"{url}/dashboard", f"{url}/dashboard/"):
        head, get = httpx.head(address), httpx.get(address)
        assert head.status_code == get.status_code
        assert head.headers.get("location") == get.headers.get("location")
        assert head.headers.get("etag") == get.headers.get("etag")
        assert head.content == b""


def test_all_of_it_travels_compressed_and_within_its_budget(url: str) -> None:
    with httpx.Client(headers={"Accept-Encoding": "gzip, deflate, br"}) as http:
        page = http.get(f"{url}/dashboard")
        names = re.findall(r'(?:href|src)="(dashboard/[^"]+\.(?:js|css))"', page.text)
        answers = [http.get(f"{url}/{name}") for name in set(names)]
    for answer in (page, *answers):
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert "set-cookie" not in answer.headers
    assert sum(int(answer.headers["content-length"]) for answer in (page, *answers)) <= BUDGET_BYTES


def test_what_the_policy_forbids_does_not_happen(open_browser: OpenBrowser) -> None:
    dashboard = open_browser().visit()
    dashboard.provoked = True
    tried = dashboard.page.evaluate(
        """async () => {
          const attempt = (work) => { try { work(); return "done"; } catch { return "refused"; } };
          const script = document.createElement("script");
          const foreign = document.createElement("script");
          return {
            inlineScript: attempt(() => { script.textContent = "window.ran = true"; }),
            foreignScript: attempt(() => { foreign.src = "http://127.0.0.1:9/x.js"; }),
            markup: attempt(() => { document.body.innerHTML += "<b></b>"; }),
            eval: attempt(() => setTimeout("window.ran = true", 0)),
            request: await fetch("http://127.0.0.1:9/").then(() => "done", () => "refused"),
          };
        }"""
    )
    assert set(tried.values()) == {"refused"}, tried
    told = " ".join(dashboard.complaints)
    assert "violates the document's Content Security Policy" in told
    assert "requires 'TrustedScript' assignment" in told


def test_no_other_page_can_frame_it(open_browser: OpenBrowser) -> None:
    dashboard = open_browser()
    dashboard.provoked = True  # the refusal is a line on the console
    origin = urlsplit(dashboard.address)
    dashboard.page.goto(f"{origin.scheme}://{origin.netloc}/health")
    dashboard.page.evaluate(
        """(address) => new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = done;
          frame.src = address;
          document.body.append(frame);
        })""",
        dashboard.address,
    )
    assert dashboard.page.frames[1].locator("#sign-in").count() == 0


def test_a_project_on_another_host_can_be_asked(open_browser: OpenBrowser) -> None:
    """The settings name 127.0.0.1, which is another origin than localhost."""
    dashboard = open_browser(alone=True)
    dashboard.address = dashboard.address.replace("127.0.0.1", "localhost")
    dashboard.visit().sign_in_as_developer()
    assert dashboard.page.url == dashboard.address
    hosts = {urlsplit(asked).hostname for asked in dashboard.requested}
    assert hosts == {"localhost", "127.0.0.1"}


def test_the_page_talks_to_its_own_host_only(open_browser: OpenBrowser, account: Account) -> None:
    dashboard = open_browser(account, alone=True).visit()
    assert {urlsplit(asked).netloc for asked in dashboard.requested} == {
        urlsplit(account.url).netloc
    }
