"""The page as a person finds it: by roles, labels and words, never by its inner structure."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Locator, Page

#: Browsers report failed requests on the console by themselves, and no page can keep them from it.
_REQUEST_FAILED = re.compile(r"^Failed to load resource: ")
_DEADLINE_SECONDS = 20.0
#: Has a page tell what its policy kept from it.
REPORTS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
"""


class Dashboard:
    """One tab with the page.

    Attributes:
        complaints: what went wrong in it: exceptions, blocked loads, lines on the console.
        provoked: whether a test asked for complaints, and looks at them itself.
        requested: the URL of every request that it made.
    """

    def __init__(self, page: Page, *, url: str) -> None:
        self.page = page
        self.address = f"{url}/dashboard"
        self.complaints: list[str] = []
        self.provoked = False
        self.requested: list[str] = []
        self._listening: list[tuple[Any, Callable[[Any], None]]] = [
            ("console", self._on_console),
            ("pageerror", lambda error: self.complaints.append(f"exception: {error}")),
            ("request", lambda request: self.requested.append(request.url)),
        ]
        for event, listener in self._listening:
            page.on(event, listener)

    def leave(self) -> None:
        """Listen no more: the page is another test's."""
        for event, listener in self._listening:
            self.page.remove_listener(event, listener)

    def _on_console(self, message: ConsoleMessage) -> None:
        if not _REQUEST_FAILED.match(message.text):
            self.complaints.append(f"console.{message.type}: {message.text}")

    def foreign_requests(self) -> list[str]:
        """Requests to anywhere but this machine."""
        own = ("http://127.0.0.1:", "http://localhost:", "data:", "about:")
        return [asked for asked in self.requested if not asked.startswith(own)]

    def visit(self) -> Dashboard:
        """Load the page and wait until it has shown who is here."""
        self.page.goto(self.address)
        self.settle()
        return self

    def settle(self) -> None:
        """Wait until the page is done with what it does by itself."""
        self.page.locator("#starting").wait_for(state="hidden")
        self.page.locator("[aria-busy=true]").first.wait_for(state="detached")

    # ---- signing in

    @property
    def sign_in_heading(self) -> Locator:
        """There when nobody is signed in."""
        return self.page.get_by_role("heading", name="Sign in", exact=True)

    @property
    def keys_heading(self) -> Locator:
        """There when somebody is."""
        return self.page.get_by_role("heading", name="API keys", exact=True)

    def sign_in_as_developer(self) -> None:
        """The one click of the local run."""
        self.button("Sign in as the developer").click()
        self.keys_heading.wait_for()
        self.settle()

    # ---- keys

    def button(self, name: str) -> Locator:
        """A button by its words."""
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def rows(self) -> Locator:
        """The table's rows, without its head."""
        return self.page.locator("tbody").get_by_role("row")

    def row(self, name: str) -> Locator:
        """The row of the key with this name."""
        header = self.page.get_by_role("rowheader").filter(has_text=name)
        return self.rows.filter(has=header)

    def names(self) -> list[str]:
        """The names that are listed, in their order."""
        found: list[str] = self.rows.locator(".name").all_inner_texts()
        return found

    def dialog(self, name: str) -> Locator:
        """An open dialog by its heading."""
        return self.page.get_by_role("dialog", name=name)

    def open_create(self) -> Locator:
        """The dialog that makes a key."""
        self.button("Create key").first.click()
        return self.dialog("Create an API key")

    def create(self, name: str) -> str:
        """Make a key in the page and close the dialog; the raw key that was shown."""
        dialog = self.open_create()
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_role("button", name="Create key").click()
        raw_key = self.raw_key()
        self.button("I have stored it").click()
        return raw_key

    def raw_key(self) -> str:
        """The raw key that is shown now."""
        shown: str = self.dialog("Store this key now").locator("#reveal-key").inner_text()
        return shown

    def revoke(self, name: str, *, typed: str | None = None) -> Locator:
        """Ask for a key's revocation, with its name typed; the dialog."""
        self.button(f"Revoke {name}").click()
        dialog = self.dialog("Revoke this key?")
        dialog.get_by_label("Type the key's name to confirm").fill(name if typed is None else typed)
        dialog.get_by_role("button", name="Revoke key").click()
        return dialog

    def open_key(self, name: str) -> None:
        """Go to a key's page from the list, and wait until all of it is there."""
        self.row(name).get_by_role("link").click()
        self.page.get_by_role("heading", level=1, name=name, exact=True).wait_for()
        self.page.locator("#key-actions").wait_for()
        self.settle()

    def facts(self) -> dict[str, str]:
        """What the page of a key says of it, by its labels."""
        found: list[list[str]] = self.page.locator(".facts > div").evaluate_all(
            "groups => groups.map((group) => [...group.children].map((part) => part.innerText))"
        )
        return dict(found)

    def sign_out(self) -> None:
        """Leave, and see the sign-in."""
        self.button("Sign out").click()
        self.sign_in_heading.wait_for()

    def focused(self) -> str:
        """The name of what has the focus; BODY when nothing has."""
        found: str = self.page.evaluate(
            """() => {
              const node = document.activeElement;
              if (node === document.body) return "BODY";
              return node.ariaLabel || node.labels?.[0]?.innerText || node.innerText;
            }"""
        )
        return found

    # ---- what the API answers instead

    def answer_keys(self, method: str, status: int, body: Any = None, **headers: str) -> None:
        """Let the API answer requests for keys like this from now on."""

        def answer(route: Any) -> None:
            if route.request.method == method:
                route.fulfill(status=status, json=body or {}, headers=headers)
            else:
                route.fallback()

        self.page.route("**/me/api-keys**", answer)

    def as_before(self) -> None:
        """Let the API answer by itself again."""
        self.page.unroute("**/me/api-keys**")

    def hold(self, method: str) -> Held:
        """Let the API answer requests for keys, and keep its answers back."""
        return Held(self.page, method)

    def everything_kept(self, secret: str) -> list[str]:
        """The places of the browser in which a text can be found."""
        found: list[str] = self.page.evaluate(
            """(secret) => {
              const everything = {
                document: document.documentElement.outerHTML,
                inputs: [...document.querySelectorAll("input")].map((input) => input.value).join(),
                localStorage: JSON.stringify({...localStorage}),
                sessionStorage: JSON.stringify({...sessionStorage}),
                address: location.href,
                history: JSON.stringify(history.state),
                cookies: document.cookie,
                title: document.title,
                windowName: window.name,
                selection: String(getSelection()),
              };
              return Object.keys(everything).filter((place) => everything[place]?.includes(secret));
            }""",
            secret,
        )
        kept_elsewhere: list[str] = self.page.evaluate(
            "async () => [...(await indexedDB.databases()).map((found) => found.name),"
            " ...(await caches.keys())]"
        )
        assert kept_elsewhere == []
        return found


class Held:
    """Answers that the API has given and that have not arrived yet."""

    def __init__(self, page: Page, method: str) -> None:
        self._page = page
        self._method = method
        self._answered: list[tuple[Any, Any]] = []
        page.route("**/me/api-keys**", self._answer)

    def _answer(self, route: Any) -> None:
        if route.request.method == self._method:
            self._answered.append((route, route.fetch()))
        else:
            route.fallback()

    def wait(self, count: int = 1) -> None:
        """Wait until so many answers are held."""
        deadline = time.monotonic() + _DEADLINE_SECONDS
        while len(self._answered) < count:
            assert time.monotonic() < deadline, f"no answer to {self._method}"
            self._page.evaluate("new Promise(requestAnimationFrame)")

    def let_go(self, status: int | None = None, body: Any = None, **headers: str) -> Any:
        """Let the oldest arrive, or another in its place, and be dealt with; what the API said."""
        self.wait()
        route, answer = self._answered.pop(0)
        with self._page.expect_event("requestfinished", lambda sent: sent == route.request):
            if status is None:
                route.fulfill(response=answer)
            else:
                route.fulfill(status=status, json=body or {}, headers=headers)
        # Reading it takes the page a few turns.
        for _ in range(5):
            self._page.evaluate(
                "new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"
            )
        return answer.json()


def refusal(status: int, code: str, message: str) -> dict[str, Any]:
    """The API's envelope."""
    return {"object": "error", "status": status, "code": code, "message": message}
