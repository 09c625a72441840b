"""What users install, built and put into a fresh environment: no network, no development tools."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Folders with a distribution in them.
AUTH, CLI = "layers/auth", "cli"

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)( ; (?P<marker>[^\\]+))?", re.MULTILINE)
_WAIT_SECONDS = 120


def build_wheel(folder: str, scratch: Path) -> Path:
    """The wheel of a distribution, built from a copy of its folder."""
    source = scratch / folder.replace("/", "-")
    left_out = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")
    shutil.copytree(ROOT / folder, source, ignore=left_out)
    wheels = scratch / f"{source.name}-wheel"
    _uv("build", "--wheel", "--no-build-isolation", "--out-dir", str(wheels), str(source))
    (wheel,) = wheels.glob("*.whl")
    return wheel


def install_into(folder: Path, *wheels: Path) -> None:
    """Install wheels beside a function's own code, as for a deployment without a layer."""
    _uv("pip", "install", "--no-deps", "--target", str(folder), *map(str, wheels))


class Environment:
    """A virtual environment with nothing in it."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
        subprocess.run(command, check=True, timeout=_WAIT_SECONDS)
        self.bin = folder / "bin"
        self.python = self.bin / "python"
        paths = {"base": str(folder), "platbase": str(folder)}
        # Bytecode is kept, as it is where people install: a start is not a compilation.
        self.variables = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        self.packages = Path(sysconfig.get_path("purelib", vars=paths))

    def install(self, *wheels: Path) -> None:
        """Install wheels, and not what they depend on."""
        _uv("pip", "install", "--no-deps", "--python", str(self.python), *map(str, wheels))

    def install_locked(self, lock: Path) -> list[str]:
        """Put what a lock file names there, as it lies in the environment of the tests."""
        names = []
        for name, version, _, marker in _PINNED.findall(lock.read_text("utf-8")):
            if "win32" in marker:
                continue
            found = distribution(name)
            assert found.version == version, f"{lock} has {name} {version}, not {found.version}"
            names.append(name)
            for file in found.files or ():
                if ".." not in file.parts and file.suffix != ".pyc":
                    target = self.packages / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(str(file.locate()), target)
        return names


def _uv(*arguments: str) -> None:
    command = [sys.executable, "-m", "uv", "--offline", "--quiet", *arguments]
    subprocess.run(command, check=True, timeout=_WAIT_SECONDS)
