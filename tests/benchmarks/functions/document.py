"""docs/benchmarks/functions.md: what was measured stands between marks, the words around stay."""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "benchmarks" / "functions.md"


def put(name: str, text: str) -> None:
    """Put a text between the marks of this name, with when and where it was measured.

    Raises:
        ValueError: the document has no such marks.
    """
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
    whole = DOCUMENT.read_text("utf-8")
    between = re.compile(f"{re.escape(begin)}.*{re.escape(end)}", re.DOTALL)
    written, found = between.subn(lambda _: f"{begin}{_about()}\n\n{text}\n{end}", whole)
    if found != 1:
        raise ValueError(name)
    DOCUMENT.write_text(written, "utf-8")


def command(name: str, description: str, told: Callable[[int], str]) -> None:
    """A measurement's command: print what so many rounds tell, and keep it if asked to."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="keep the figures in docs")
    given = parser.parse_args()
    text = told(given.rounds)
    if given.write:
        put(name, text)
    print(text)


def _about() -> str:
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return (
        f"Measured {datetime.datetime.now(datetime.UTC):%Y-%m-%d %H:%M} UTC at revision {revision},"
        f" Python {platform.python_version()}, {os.cpu_count()} cores,"
        f" load average {os.getloadavg()[0]:.1f}."
    )
