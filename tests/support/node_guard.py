"""Builds and packs the Node guard, and installs the package as a user would."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "guards" / "node"
#: Seconds for one command of npm or node: many times what it takes.
PATIENCE_S = 300


def missing() -> str:
    """What this machine lacks for the Node guard; empty where nothing is."""
    return "" if shutil.which("node") and shutil.which("npm") else "no Node.js here"


def run(*command: str | Path, cwd: Path) -> str:
    """What a command prints. Fails with all that it printed."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def development(folder: Path) -> Path:
    """A copy of the package with what its lock file names, apart from what anybody works in."""
    copy = folder / "source"
    shutil.copytree(SOURCE, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    run("npm", "ci", "--ignore-scripts", "--prefer-offline", cwd=copy)
    return copy


def packed(copy: Path) -> Path:
    """The tarball that would be published."""
    run("npm", "run", "build", cwd=copy)
    name = run("npm", "pack", "--silent", cwd=copy).strip()
    return copy / name


def installed(tarball: Path, *, beside: Path, folder: Path) -> Path:
    """A project of its own with the package installed, and Hono, taken from ``beside``."""
    project = folder / "project"
    project.mkdir()
    (project / "package.json").write_text('{"private": true, "type": "module"}')
    run("npm", "install", "--offline", "--ignore-scripts", str(tarball), cwd=project)
    (project / "node_modules" / "hono").symlink_to(beside / "node_modules" / "hono")
    return project
