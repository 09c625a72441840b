"""What `make beside` refuses before it starts, and that it names the true cause."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from chatgrid_devkit.beside import run
from chatgrid_devkit.stack.deployment import read_deployment
from chatgrid_devkit.stack.system import STACK_FILE, TEMPLATE

EXAMPLE = TEMPLATE.parent / "examples" / "http-api" / "template.yaml"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The state folder of a stack that runs."""
    functions = read_deployment(TEMPLATE).functions.values()
    environments = {f.logical_id: dict(f.environment) for f in functions}
    stack = {"parameters": {}, "environments": environments}
    (tmp_path / STACK_FILE).write_text(json.dumps(stack))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """What it says in its one line."""
    assert run.main([str(argument) for argument in arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_without_a_stack_it_says_how_to_start_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = said(capsys, EXAMPLE, "--state", tmp_path)
    assert line.startswith(f"no stack runs on {tmp_path}: start one with `make dev`")


def test_a_template_that_is_not_there_is_named_and_not_the_stack(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = said(capsys, "nope.yaml", "--state", state)
    assert line == "nope.yaml: No such file or directory"


def test_a_file_that_is_no_template_is_named(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "other.yaml").write_text("Resources: [")
    assert run.main([str(state / "other.yaml"), "--state", str(state)]) == 1
    assert capsys.readouterr().err.startswith(f"{state / 'other.yaml'}: ")


def test_a_parameter_without_a_value_is_wrong_usage(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main([str(EXAMPLE), "--state", str(state), "--parameter", "AllowedOrigin"])
    assert ended.value.code == 2
    assert "NAME=VALUE" in capsys.readouterr().err


def test_a_node_function_without_its_packages_is_told_before_anything_starts(
    tmp_path: Path, state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A copy of the example: the one in the repository may have them."""
    for file in ("template.yaml", "node/package.json", "node/orders.mjs", "python/invoices.py"):
        copy = tmp_path / "copy" / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((EXAMPLE.parent / file).read_bytes())
    line = said(capsys, tmp_path / "copy" / "template.yaml", "--state", state)
    assert "OrdersFunction needs chatgrid-guard: run `npm install` in" in line
    assert "docs/other-apis.md" in line


def test_a_node_function_with_its_packages_may_run(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"dependencies": {"@scope/one": "1", "two": "2"}}')
    for name in ("@scope/one", "two"):
        (tmp_path / "node_modules" / name).mkdir(parents=True)
    some = next(iter(read_deployment(TEMPLATE).functions.values()))
    run.check_packages([dataclasses.replace(some, code=tmp_path, runtime="nodejs22.x")])
