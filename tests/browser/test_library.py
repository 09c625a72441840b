"""The committed bundle of Supabase's library is what its lock file builds."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from chatgrid_pages.assets import LIBRARY, STATIC

SOURCE = Path(__file__).parents[2] / "dashboard"
BUILT_FROM = ("package.json", "package-lock.json", ".npmrc", "build.mjs", "auth-js.entry.js")


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("THE COMMITTED LIBRARY WAS NOT BUILT AGAIN: no Node.js here")
    for name in BUILT_FROM:
        shutil.copy(SOURCE / name, tmp_path)
    installed = subprocess.run(
        [npm, "ci", "--no-audit", "--no-fund"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    if installed.returncode != 0:
        pytest.skip(f"THE COMMITTED LIBRARY WAS NOT BUILT AGAIN: {installed.stderr[-300:]}")
    again = tmp_path / "again.js"
    subprocess.run(
        [npm, "run", "build", "--", str(again)],
        cwd=tmp_path,
        capture_output=True,
        check=True,
        timeout=60,
    )
    assert again.read_bytes() == (STATIC / LIBRARY).read_bytes()


def test_the_lock_file_pins_by_hash_and_names_no_address() -> None:
    lock = json.loads((SOURCE / "package-lock.json").read_text("utf-8"))
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert packages
    for name, facts in packages.items():
        assert facts["integrity"].startswith("sha512-"), name
        assert "resolved" not in facts, name
    wanted = json.loads((SOURCE / "package.json").read_text("utf-8"))
    for group in ("dependencies", "devDependencies"):
        for name, version in wanted[group].items():
            assert packages[f"node_modules/{name}"]["version"] == version, name
