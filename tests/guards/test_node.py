"""The Node guard, installed from its package, gives the responses that the Python guard gives."""

from __future__ import annotations

import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import node_guard
from tests.support.guard_vectors import FILES, read

HERE = Path(__file__).parent / "node"
pytestmark = pytest.mark.skipif(bool(node_guard.missing()), reason=node_guard.missing())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("node-guard")


@pytest.fixture(scope="module")
def source(folder: Path) -> Path:
    return node_guard.development(folder)


@pytest.fixture(scope="module")
def tarball(source: Path) -> Path:
    return node_guard.packed(source)


@pytest.fixture(scope="module")
def project(tarball: Path, source: Path, folder: Path) -> Path:
    return node_guard.installed(tarball, beside=source, folder=folder)


def asked() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path in FILES.values():
        _, exposed, cases = read(path)
        for case in cases:
            for by in ("handler",) if "handlers_only" in case else ("handler", "hono"):
                yield case["name"], by, {**case["expected"], "exposed": exposed}


def test_every_vector_gets_the_response_that_python_gives(project: Path) -> None:
    script = project / "run_vectors.mjs"
    shutil.copy(HERE / script.name, script)
    printed = node_guard.run("node", script, *FILES.values(), cwd=project)
    told = [(each["name"], each["by"], each["response"]) for each in json.loads(printed)]
    expected = list(asked())
    assert len(expected) > 100
    for one, other in zip(told, expected, strict=True):
        assert one == other


def test_a_users_program_compiles_with_the_packages_types(project: Path, source: Path) -> None:
    shutil.copy(HERE / "consumer.ts", project)
    settings = {"target": "es2023", "lib": ["es2023", "dom"], "module": "nodenext"}
    options = {**settings, "strict": True, "noEmit": True, "skipLibCheck": True}
    described = {"compilerOptions": options, "files": ["consumer.ts"]}
    (project / "tsconfig.json").write_text(json.dumps(described))
    node_guard.run(source / "node_modules" / ".bin" / "tsc", cwd=project)


def test_the_package_brings_its_code_its_types_and_nothing_else(tarball: Path) -> None:
    with tarfile.open(tarball) as archive:
        names = {name.removeprefix("package/") for name in archive.getnames()}
        declared = archive.extractfile("package/package.json")
        assert declared is not None
        described = json.load(declared)
    assert not {"dependencies", "peerDependencies", "optionalDependencies"} & described.keys()
    entries = [target for entry in described["exports"].values() for target in entry.values()]
    assert {target.removeprefix("./") for target in entries} <= names
    others = names - {"package.json", "README.md"}
    assert others == {name for name in others if name.startswith("dist/")}


def test_the_lock_file_names_no_place_to_download_from() -> None:
    locked = json.loads((node_guard.SOURCE / "package-lock.json").read_text())
    assert all("resolved" not in package for package in locked["packages"].values())
    assert all(package.get("integrity") for name, package in locked["packages"].items() if name)
