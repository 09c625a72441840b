"""An example's API, copied out of the repository and run beside a system, as a user would."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

from chatgrid_devkit.stack.ministack import free_port
from tests.support import installed, node_guard

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0


def built(folder: Path) -> tuple[Path, Path]:
    """Both guards as they would be published: the Node package's tarball, the Python wheel."""
    tarball = node_guard.packed(node_guard.development(folder))
    return tarball, installed.build_wheel(installed.AUTH, folder)


def copied(example: str, folder: Path, *, tarball: Path, wheel: Path) -> Path:
    """The example's template in a folder of its own, both guards installed from built packages."""
    copy = folder / example
    # Not what whoever tried the example has installed in it: it would be mixed with the tarball.
    installed_there = shutil.ignore_patterns("node_modules", "package-lock.json", "*.tgz")
    shutil.copytree(node_guard.ROOT / "examples" / example, copy, ignore=installed_there)
    for function in [found.parent for found in copy.rglob("package.json")]:
        shutil.copy(tarball, function / tarball.name)
        node_guard.run("npm", "install", "--offline", "--ignore-scripts", cwd=function)
    installed.install_into(copy / "python", wheel)  # goes before the layer, as on Lambda
    return copy / "template.yaml"


class OtherStack:
    """Runs an example; a context manager that ends it.

    Args:
        template: the example's.
        stack: what stack.json says of the system that runs.
        state: a folder for a copy of that.
    """

    def __init__(self, template: Path, stack: dict[str, Any], state: Path) -> None:
        self._template = template
        state.mkdir()
        (state / "stack.json").write_text(json.dumps(stack))
        self._state = state
        self.port = free_port()
        self.output = state / "output.log"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    *("-m", "chatgrid_devkit.beside.run", str(self._template)),
                    *("--port", str(self.port), "--state", str(self._state)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while " is running at " not in (said := self.output.read_text()):
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.05)
        self.url = said.split(" is running at ", 1)[1].split()[0]
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(_STOP_SECONDS)
