"""What `sam build` makes for Lambda: locked versions, bytecode that counts, nothing else."""

from __future__ import annotations

import _imp
import re
from pathlib import Path

import pytest

from tests.deploy.conftest import skip_unless_built
from tests.support.stack.templates import FUNCTIONS, ROOT

skip_unless_built()

LAYERS = {"HttpLayer": "http", "JwtLayer": "jwt"}
LAYERS_OF = {
    "AuthorizerFunction": ("AuthLayer", "JwtLayer"),
    "ManagementFunction": ("AuthLayer", "HttpLayer"),
    "BoardsFunction": ("AuthLayer", "HttpLayer"),
    "ReconcilerFunction": ("AuthLayer", "HttpLayer"),
    "EventsFunction": ("AuthLayer",),
    "LeaksFunction": ("AuthLayer", "HttpLayer", "JwtLayer"),
    "UsageFunction": ("AuthLayer",),
    "PagesFunction": ("AuthLayer",),
}
#: What Lambda takes of a function and its layers, unpacked.
MOST_BYTES = 250 * 1024 * 1024
#: What every file of bytecode of CPython 3.13 begins with.
MAGIC = (3571).to_bytes(2, "little") + b"\r\n"
UNCHECKED, CHECKED = 0b01, 0b11
AARCH64 = 183
#: Tools of the laptop and of installing; none is of any use to a function.
TOOLS = {"pytest", "hypothesis", "moto", "ministack", "ruff", "mypy", "uvicorn", "httpx", "pip"}
TOOLS |= {"setuptools", "wheel", "uv", "chatgrid_devkit", "bin"}
TESTS = {"tests", "test", "conftest.py"}
TOOL_FILES = re.compile(r"(?i)test_.*\.py|makefile|requirements.*")
#: Cases for those who write validators: annotated-types publishes them as a module of its own.
NO_TEST = {"test_cases.py"}


def size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("layer", LAYERS)
def test_a_layer_holds_what_its_lock_file_names_and_nothing_else(
    for_lambda: Path, layer: str
) -> None:
    lock = (ROOT / "layers" / LAYERS[layer] / "requirements.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ \\]+)", lock, re.MULTILINE))
    folders = (for_lambda / layer / "python").glob("*.dist-info")
    names = [folder.name.removesuffix(".dist-info").rsplit("-", 1) for folder in folders]
    packed = {re.sub(r"[_.-]+", "-", name).lower(): version for name, version in names}
    assert packed == locked


@pytest.mark.parametrize("resource", [*FUNCTIONS, *LAYERS, "AuthLayer"])
def test_every_module_comes_with_bytecode_that_python_3_13_accepts(
    for_lambda: Path, resource: str
) -> None:
    modules = list((for_lambda / resource).rglob("*.py"))
    assert modules
    for module in modules:
        compiled = module.parent / "__pycache__" / f"{module.stem}.cpython-313.pyc"
        head = compiled.read_bytes()[:16]
        assert head[:4] == MAGIC, module
        flags = int.from_bytes(head[4:8], "little")
        assert flags == (UNCHECKED if "Layer" in resource else CHECKED), module
        key = int.from_bytes(MAGIC, "little")
        assert head[8:] == _imp.source_hash(key, module.read_bytes()), module


def test_no_test_and_no_tool_is_packed(for_lambda: Path) -> None:
    for resource in (*FUNCTIONS, *LAYERS, "AuthLayer"):
        for path in (for_lambda / resource).rglob("*"):
            assert path.name not in TESTS, path
            assert path.name in NO_TEST or not TOOL_FILES.fullmatch(path.name), path
    for layer in LAYERS:
        assert not {path.name for path in (for_lambda / layer / "python").iterdir()} & TOOLS
    for function, folder in FUNCTIONS.items():
        packed = {path.name for path in (for_lambda / function).iterdir()}
        assert packed == {f"chatgrid_{folder}"}
    ours = {path.name for path in (for_lambda / "AuthLayer" / "python").iterdir()}
    assert ours == {"chatgrid_auth"}


def test_every_library_is_for_lambdas_processor(for_lambda: Path) -> None:
    libraries = list(for_lambda.rglob("*.so"))
    assert libraries
    for library in libraries:
        head = library.read_bytes()[:20]
        assert head[:4] == b"\x7fELF"
        assert int.from_bytes(head[18:20], "little") == AARCH64, library


def test_a_function_with_its_layers_is_far_from_lambdas_limit(
    for_lambda: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sizes = {name: size(for_lambda / name) for name in (*FUNCTIONS, *LAYERS, "AuthLayer")}
    with capsys.disabled():
        lines = [f"  {bytes_ / 1e6:7.2f} MB  {name}" for name, bytes_ in sizes.items()]
        print("\nUnpacked:", *lines, sep="\n")  # noqa: T201  # a report is asked for
    for function, layers in LAYERS_OF.items():
        assert sizes[function] + sum(sizes[layer] for layer in layers) < MOST_BYTES
