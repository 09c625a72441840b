"""What `sam build` packs: the package and its bytecode, from the lock files, and nothing else."""

from __future__ import annotations

import importlib.util
import marshal
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stack.templates import FUNCTIONS, ROOT

PACKED = {
    "AuthLayer": ("layers/auth", "python/chatgrid_auth", "/opt/python/chatgrid_auth", 0b01),
    **{
        function: (
            f"functions/{folder}",
            f"chatgrid_{folder}",
            f"/var/task/chatgrid_{folder}",
            0b11,
        )
        for function, folder in FUNCTIONS.items()
    },
}
LOCKS = ["layers/http/requirements.txt", "layers/jwt/requirements.txt"]


def build(target: str, folder: str, artifacts: Path) -> None:
    """What `sam build` does: the folder's Makefile, in a copy of the folder."""
    scratch = artifacts.with_name(f"{artifacts.name}-source")
    shutil.copytree(ROOT / folder, scratch)
    (scratch / "tests").mkdir()
    (scratch / "tests" / "test_nothing.py").write_text("", encoding="utf-8")
    artifacts.mkdir()
    make = [
        "make",
        f"build-{target}",
        f"ARTIFACTS_DIR={artifacts}",
        f"LAMBDA_PYTHON={sys.executable}",
    ]
    subprocess.run(make, cwd=scratch, check=True, capture_output=True, timeout=60)


@pytest.mark.parametrize("target", PACKED)
def test_only_the_package_is_packed_with_bytecode_independent_of_file_times(
    target: str, tmp_path: Path
) -> None:
    folder, package, deployed_as, flags = PACKED[target]
    artifacts = tmp_path / "artifacts"
    build(target, folder, artifacts)
    packed = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*.py")}
    source = ROOT / folder / package.removeprefix("python/")
    assert packed == {
        f"{package}/{path.relative_to(source).as_posix()}" for path in source.rglob("*.py")
    }
    for module in artifacts.rglob("*.py"):
        compiled = Path(importlib.util.cache_from_source(str(module))).read_bytes()
        assert int.from_bytes(compiled[4:8], "little") == flags
        name = marshal.loads(compiled[16:]).co_filename
        assert name == f"{deployed_as}/{module.relative_to(artifacts / package).as_posix()}"
    others = {path.name for path in artifacts.rglob("*") if path.is_file()}
    assert not {name for name in others if re.search(r"Makefile|requirements|\.toml$", name)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_layers_lock_is_pinned_and_hashed(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    wanted = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert wanted
    for line in wanted:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}", line), line


@pytest.mark.parametrize("lock", LOCKS)
def test_no_layer_holds_a_tool_of_the_laptop(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    names = set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))
    assert not names & {"pytest", "hypothesis", "moto", "ministack", "ruff", "mypy", "uvicorn"}


@pytest.mark.parametrize("layer", ["http", "jwt"])
def test_a_third_party_layer_takes_nothing_but_what_its_lock_says(layer: str) -> None:
    makefile = (ROOT / "layers" / layer / "Makefile").read_text(encoding="utf-8")
    for option in ("--require-hashes", "--no-deps", "--only-binary=:all:", "--python-version 3.13"):
        assert option in makefile
