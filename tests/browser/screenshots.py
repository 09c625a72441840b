"""Pictures of the dashboard's main states, in both themes and both widths.

    python -m tests.browser.screenshots [folder]     (docs/screenshots by default)

They show the page on the real local stack; the keys in them are played.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.chromium import NoBrowser, arguments, executable
from tests.browser.dashboard import Dashboard
from tests.browser.states import SIZES, STATES, THEMES, bring, storage_of
from tests.browser.states_of_keys import KEY_STATES
from tests.support.stack.local_stack import LocalStack

FOLDER = Path(__file__).parents[2] / "docs" / "screenshots"
#: The port is in the pictures, so it is always the same.
PORT = 3000
MAIN_STATES = {
    *("sign-in", "empty", "keys", "create", "create-refused", "reveal", "revoke"),
    *("limited", "offline", "key", "activity", "several-done"),
}


def main() -> int:
    """Write every picture, over those that are there."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    try:
        path = executable()
    except NoBrowser as reason:
        print(f"no pictures: {reason}", file=sys.stderr)  # noqa: T201
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as temporary,
        LocalStack(Path(temporary) / "state", port=PORT) as stack,
    ):
        take(folder, path, url=str(stack.described["url"]))
    return 0


def take(folder: Path, path: str, *, url: str) -> None:
    """Take the pictures with this Chromium of the page at this API."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415  # may not be installed

    origin = url.rsplit("/", 1)[0]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments())
        for state in (one for one in (*STATES, *KEY_STATES) if one.name in MAIN_STATES):
            for theme in THEMES:
                for width, height in SIZES:
                    storage: Any = storage_of(state, origin)
                    context = browser.new_context(
                        storage_state=storage,
                        viewport={"width": width, "height": height},
                        color_scheme=theme,
                        reduced_motion="reduce",
                    )
                    dashboard = Dashboard(context.new_page(), url=url)
                    bring(dashboard, state)
                    # A caret that blinks is another picture every half second.
                    name = f"{state.name}-{theme}-{width}.png"
                    dashboard.page.screenshot(path=folder / name, caret="hide")
                    context.close()
        for theme in THEMES:
            for width, height in SIZES:
                viewport: Any = {"width": width, "height": height}
                page = browser.new_page(viewport=viewport, color_scheme=theme)
                page.goto(f"{url}/reference")
                page.screenshot(path=folder / f"reference-{theme}-{width}.png")
                page.close()
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
