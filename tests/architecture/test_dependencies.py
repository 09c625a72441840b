"""Dependencies point one way: functions → adapters → services → domain. The imports say so."""

from __future__ import annotations

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
AUTH = ROOT / "layers/auth/chatgrid_auth"
CLI = ROOT / "cli/chatgrid_cli"
FUNCTIONS = sorted((ROOT / "functions").glob("*/chatgrid_*"))

#: What each part of the layer may import of the layer.
MAY_IMPORT = {
    "domain": {"domain"},
    "services": {"domain", "services"},
    "adapters": {"domain", "services", "adapters", "settings"},
    "http_api": {"domain", "services", "http_api", "guard", "settings"},
    "guard": {"domain", "limits", "proxy_events", "proxy_responses", "rate_limit_headers"},
    "proxy_events": set(),
    "proxy_responses": set(),
    "rate_limit_headers": {"domain"},
    "settings": set(),
    "limit_settings": {"domain", "settings"},
    "limits": {"domain", "adapters", "settings"},
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
    assert len(FUNCTIONS) == 8
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


@pytest.mark.parametrize("module", modules(CLI), ids=lambda path: str(path.relative_to(CLI)))
def test_the_operators_command_takes_nothing_from_the_functions_or_the_devkit(
    module: Path,
) -> None:
    ours = {name.split(".")[0] for name in imports(module) if name.startswith("chatgrid_")}
    assert ours <= {"chatgrid_auth", "chatgrid_cli"}


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


ADAPTERS = AUTH / "adapters"

#: The modules that a key decision loads, and those that only a JWT brings along: standard library.
LEAN = [
    *modules(ADAPTERS / "awslite"),
    *modules(ADAPTERS / "rate_limits_table"),
    *modules(ADAPTERS / "metering"),
    *(ADAPTERS / "keys_table" / f"{name}.py" for name in ("items", "decisions", "policies")),
]
#: Rooms, and what of third parties they may load beside the standard library.
THIRD_PARTIES: dict[str, set[str]] = {
    "api_gateway": {"botocore"},
    "audit_table": set(),
    "dynamodb": {"botocore", "snapshot_restore_py"},
    "jwt": {"jwt"},
    "idempotency": set(),
    "key_changes": set(),
    "keys_table": set(),
    "metering": set(),
    "rate_limits_table": set(),
    "leaks": {"cryptography"},
    "rotation": set(),
    "usage_table": set(),
    "token_secret": set(),
    "upkeep": set(),
}


def imports_when_run(module: Path) -> Iterator[str]:
    """What a module imports outside ``if TYPE_CHECKING``."""
    tree = ast.parse(module.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def third_parties(module: Path) -> set[str]:
    """The packages that a module loads and that neither Python nor this project brings."""
    tops = {name.split(".")[0] for name in imports_when_run(module)}
    return {name for name in tops - sys.stdlib_module_names if not name.startswith("chatgrid_")}


@pytest.mark.parametrize("module", LEAN, ids=lambda path: path.stem)
def test_what_decides_on_keys_loads_the_standard_library_only(module: Path) -> None:
    assert third_parties(module) == set()


def test_the_lean_aws_client_knows_nothing_of_chatgrid() -> None:
    for module in modules(ADAPTERS / "awslite"):
        ours = {name for name in imports(module) if name.startswith("chatgrid_")}
        assert all(name.startswith("chatgrid_auth.adapters.awslite") for name in ours), module


@pytest.mark.parametrize("room", sorted(THIRD_PARTIES))
def test_each_room_loads_the_third_parties_that_it_is_for(room: str) -> None:
    found = {name for module in modules(ADAPTERS / room) for name in third_parties(module)}
    assert found == THIRD_PARTIES[room]


def test_one_module_alone_loads_pyjwt() -> None:
    """Two threads may load it at once: by a second way in, its own circles of imports break."""
    found = [
        module.name
        for package in (AUTH, ROOT / "functions/authorizer")
        for module in modules(package)
        if "jwt" in third_parties(module)
    ]
    assert found == ["verification_keys.py"]


def test_every_room_of_the_adapters_is_accounted_for() -> None:
    rooms = {path.name for path in ADAPTERS.iterdir() if path.is_dir() and path.name[0] != "_"}
    assert rooms == {"awslite", *THIRD_PARTIES}


def circle_from(start: str, edges: dict[str, set[str]]) -> list[str] | None:
    """A way from a module back to itself along its imports, if there is one."""
    ways = [[start]]
    seen: set[str] = set()
    while ways:
        way = ways.pop()
        for following in edges.get(way[-1], set()):
            if following == start:
                return [*way, start]
            if following not in seen:
                seen.add(following)
                ways.append([*way, following])
    return None


def test_no_two_modules_of_the_layer_need_each_other() -> None:
    def dotted(module: Path) -> str:
        return ".".join(module.relative_to(AUTH.parent).with_suffix("").parts)

    names = {dotted(module) for module in modules(AUTH)}
    edges = {dotted(module): names.intersection(imports(module)) for module in modules(AUTH)}
    circles = [circle for name in names if (circle := circle_from(name, edges))]
    assert not circles, circles[0]


def test_no_module_is_named_for_nothing() -> None:
    nameless = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    for folder in ("layers", "functions", "cli", "devkit", "tests"):
        for module in modules(ROOT / folder):
            assert module.stem not in nameless, module


def test_no_module_and_no_folder_is_too_large_to_take_in() -> None:
    for folder in ("layers", "functions", "cli", "devkit"):
        found = modules(ROOT / folder)
        for module in found:
            assert len(module.read_text().splitlines()) <= 300, module
        crowd = Counter(module.parent for module in found)
        assert all(count <= 15 for count in crowd.values()), crowd.most_common(1)
