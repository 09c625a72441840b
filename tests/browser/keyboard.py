"""The page as somebody has it who uses no mouse: by Tab, and by what keys do where the focus is."""

from __future__ import annotations

from tests.browser.dashboard import Dashboard

_FOCUSED = """() => {
  const node = document.activeElement;
  const name = node.ariaLabel || node.labels?.[0]?.innerText || node.innerText || node.id;
  return name.trim();
}"""
_OUTLINED = """() => {
  const style = getComputedStyle(document.activeElement);
  return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
}"""


class Keyboard:
    """Hands on the keys; what is reached without being seen to be reached is a failure."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._page = dashboard.page
        self.press = dashboard.page.keyboard.press
        self.type = dashboard.page.keyboard.type

    def focused(self) -> str:
        """The name of what has the focus, or its id."""
        found: str = self._page.evaluate(_FOCUSED)
        return found

    def tab_to(self, name: str, *, key: str = "Tab", at_most: int = 40) -> None:
        """Go there by Tab, or back by Shift+Tab."""
        passed = []
        for _ in range(at_most):
            self.press(key)
            passed.append(self.focused())
            if passed[-1] == name:
                assert self._page.evaluate(_OUTLINED), f"{name} has the focus, and nobody sees it"
                return
        raise AssertionError(f"{name} cannot be reached, only {passed}")

    def enter(self, name: str, *, key: str = "Tab") -> None:
        """Go to a button or a link, and press it."""
        self.tab_to(name, key=key)
        self.press("Enter")

    def choose(self, name: str, option: str, *, key: str = "Tab") -> None:
        """Go to a list of options and choose one by its first letters."""
        self.tab_to(name, key=key)
        self.type(option)
        chosen = self._page.evaluate("document.activeElement.selectedOptions?.[0].innerText")
        assert (chosen or "").startswith(option), f"{chosen} at {self.focused()}"
