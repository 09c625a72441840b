"""A build as `sam build` leaves one, with next to nothing in it."""

from __future__ import annotations

from pathlib import Path

from tests.support.stack.templates import FUNCTIONS

PARTS = (*FUNCTIONS, "AuthLayer", "HttpLayer", "JwtLayer")


def made_up_build(folder: Path, *, without: str = "", backwards: bool = False) -> Path:
    """A folder for each function and layer, each with a module and a program.

    Args:
        folder: where; made.
        without: one that is left out.
        backwards: whether the files are made in the other order.
    """
    for name in reversed(PARTS) if backwards else PARTS:
        if name == without:
            continue
        package = folder / name / "package"
        package.mkdir(parents=True)
        for file in ("tool", "module.py") if backwards else ("module.py", "tool"):
            (package / file).write_text(name)
        (package / "tool").chmod(0o755)
    return folder
