"""Browsers of one's own, cheaply: what one test leaves behind is taken away before the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.browser.dashboard import REPORTS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_DEADLINE_MS = 30_000
_SIZE: Any = {"width": 1280, "height": 720}
_KEEP = """(kept) => {
  sessionStorage.clear();
  localStorage.clear();
  for (const {name, value} of kept) localStorage.setItem(name, value);
}"""


class Profiles:
    """Hands out pages, each in a profile that no other page of the test has.

    Chromium takes a second and more of a processor for a new tab, and for files that it has not
    compiled yet: longer than most tests take. So tabs are used again, and all that is left in them
    is what a browser keeps for the sake of speed.
    """

    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        #: An address of the page's origin at which no page is.
        self._elsewhere = f"{origin}/health"
        self._free: list[Page] = []
        self._lent: list[Page] = []
        self._alone: list[Page] = []

    def new_page(self, *, storage: Any = None, alone: bool = False, **own: Any) -> Page:
        """A page in a profile without a past.

        Args:
            storage: what is kept in it, in Playwright's format.
            alone: whether nobody had this profile before, nor has it afterwards: for who sets the
                clock, or comes for the first time.
            own: what only a new profile can be given; it is nobody else's either.
        """
        if alone or own:
            page = self._new(storage_state=storage, **own)
            self._alone.append(page)
            return page
        page = self._free.pop() if self._free else self._fresh()
        self._lent.append(page)
        page.evaluate(_KEEP, storage["origins"][0]["localStorage"] if storage else [])
        return page

    def _fresh(self) -> Page:
        page = self._new()
        page.goto(self._elsewhere)
        return page

    def _new(self, **options: Any) -> Page:
        context = self._browser.new_context(viewport=_SIZE, **options)
        context.set_default_timeout(_DEADLINE_MS)
        context.add_init_script(REPORTS)
        return context.new_page()

    def give_back(self) -> None:
        """Leave every page, with nothing of what was there."""
        for page in self._alone:
            page.context.close()
        for page in self._lent:
            page.unroute_all(behavior="ignoreErrors")
            for other in page.context.pages:
                if other is not page:
                    other.close()
            page.context.set_offline(False)
            page.context.clear_permissions()
            page.goto(self._elsewhere)
            page.evaluate(_KEEP, [])
            page.set_viewport_size(_SIZE)
            page.emulate_media(color_scheme="light", reduced_motion="no-preference")
        self._free += self._lent
        self._alone, self._lent = [], []
