"""How much has to be deployed for each subject, unpacked."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tests.benchmarks.authorizer.material import ROOT
from tests.benchmarks.authorizer.subjects import BUNDLED, OURS, SINGLE, Subject

_JWT = ("PyJWT", "cryptography")


def deployed_bytes(subject: Subject) -> dict[str, int]:
    """Bytes of code by part: its own, and what comes with it; bytecode left out."""
    if subject.node:
        return {"bundle": (BUNDLED / subject.module).stat().st_size}
    sizes: dict[str, int] = {}
    if subject.name in {OURS, SINGLE}:
        sizes["own code"] = _folder_bytes(ROOT / "layers" / "auth" / "chatgrid_auth") + (
            _folder_bytes(ROOT / "functions" / "authorizer" / "chatgrid_authorizer")
        )
        sizes["for JWTs"] = _packages_bytes(_JWT)
    if subject.packages:
        sizes["packages"] = _packages_bytes(subject.packages)
    return sizes


def _folder_bytes(folder: Path) -> int:
    files = (path for path in folder.rglob("*") if path.is_file())
    return sum(path.stat().st_size for path in files if "__pycache__" not in path.parts)


def _packages_bytes(names: tuple[str, ...]) -> int:
    """Of these distributions and all that they need."""
    waiting, known = list(names), set[str]()
    size = 0
    while waiting:
        name = waiting.pop()
        if name in known:
            continue
        known.add(name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            continue  # needed elsewhere: another system, an extra
        for file in found.files or []:
            path = Path(str(file.locate()))
            if path.suffix != ".pyc" and path.is_file():
                size += path.stat().st_size
        waiting += [
            re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]
            for requirement in found.requires or []
            if "extra ==" not in requirement
        ]
    return size
