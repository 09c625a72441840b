"""The machine's own Chromium, or the reason why there is none to test with.

python -m tests.browser.chromium            says which one would be used
python -m tests.browser.chromium --install  installs Debian's, where that is possible
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: A name that leads to loopback, as an attacker may let one.
REBOUND = "rebound.example"
#: Nothing but the page under test talks to anybody.
ARGUMENTS = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
    "--no-first-run",
)


class NoBrowser(Exception):
    """There is nothing to test with; the text says why, and what would help."""


def executable() -> str:
    """The path of a Chromium.

    Raises:
        NoBrowser: none is there, or what drives it is not installed.
    """
    missing = [
        package
        for package in ("playwright", "axe_playwright_python")
        if importlib.util.find_spec(package) is None
    ]
    if missing:
        raise NoBrowser(
            f"{' and '.join(missing)} not installed: pip install -r requirements/browser.txt"
        )
    chosen = os.environ.get("CHROMIUM", "")
    found = shutil.which(chosen) if chosen else next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise NoBrowser("no Chromium: apt-get install chromium, or set CHROMIUM to its path")
    return found


def arguments() -> list[str]:
    """How to start it: Chromium's sandbox does not work for root."""
    return [*ARGUMENTS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


def install() -> None:
    """Install Debian's Chromium when there is none and this user may; else change nothing."""
    if any(map(shutil.which, _NAMES)) or os.environ.get("CHROMIUM"):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    ):
        subprocess.run(command, check=False, env=quiet, stdout=subprocess.DEVNULL)


def main() -> None:
    """See the module's description."""
    if "--install" in sys.argv[1:]:
        install()
    try:
        print(executable())  # noqa: T201
    except NoBrowser as reason:
        print(f"BROWSER SUITE WILL BE SKIPPED: {reason}", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
