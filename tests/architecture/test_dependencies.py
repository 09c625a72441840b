"""Dependencies point one way: functions → adapters → services → domain. The imports say so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUTH = ROOT / "layers/auth/chatgrid_auth"
FUNCTIONS = sorted((ROOT / "functions").glob("*/chatgrid_*"))

#: What each part of the layer may import of the layer.
MAY_IMPORT = {
    "domain": {"domain"},
    "services": {"domain", "services"},
    "adapters": {"domain", "services", "adapters"},
    "http_api": {"domain", "services", "http_api", "guard", "settings"},
    "guard": {"domain"},
    "settings": set(),
}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(module: Path) -> Iterator[str]:
    """Every module that this one names in an import, those for the type checker included."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(name: str) -> str | None:
    """The part of the layer that an imported name lies in."""
    parts = name.split(".")
    return parts[1] if parts[0] == "chatgrid_auth" and len(parts) > 1 else None


def test_there_is_something_to_check() -> None:
    assert len(FUNCTIONS) == 4
    assert {part.stem for part in AUTH.iterdir() if part.stem in MAY_IMPORT} == set(MAY_IMPORT)


@pytest.mark.parametrize("module", modules(AUTH), ids=lambda path: str(path.relative_to(AUTH)))
def test_the_layer_points_inwards_only(module: Path) -> None:
    relative = module.relative_to(AUTH)
    if relative.name == "__init__.py" and len(relative.parts) == 1:
        return
    own = relative.parts[0].removesuffix(".py")
    found = {part for name in imports(module) if (part := part_of(name)) is not None}
    assert found <= MAY_IMPORT[own] | {own}, f"{relative} imports {found}"
    outside = {name.split(".")[0] for name in imports(module)}
    assert not any(name.startswith("chatgrid_") and name != "chatgrid_auth" for name in outside)


@pytest.mark.parametrize("package", FUNCTIONS, ids=lambda path: path.name)
def test_a_function_imports_no_other_function_and_no_devkit(package: Path) -> None:
    for module in modules(package):
        ours = {n.split(".")[0] for n in imports(module) if n.startswith("chatgrid_")}
        assert ours <= {"chatgrid_auth", package.name}, module


@pytest.mark.parametrize(
    "module",
    [*modules(AUTH), *(m for package in FUNCTIONS for m in modules(package))],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_a_composition_root_reads_the_environment(module: Path) -> None:
    if module.name == "wiring.py":
        return
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"environ", "environb", "getenv"}, module


def test_the_domain_has_no_clock_no_entropy_and_no_input_or_output() -> None:
    forbidden = {"os", "time", "datetime", "random", "secrets", "socket", "http", "boto3", "json"}
    for module in modules(AUTH / "domain"):
        assert not forbidden & {name.split(".")[0] for name in imports(module)}, module


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    for folder in ("layers", "functions", "devkit", "tests"):
        for module in modules(ROOT / folder):
            assert module.stem not in nameless, module
