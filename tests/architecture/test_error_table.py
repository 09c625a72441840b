"""What a client is told of an error is written in one place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.error_table import ErrorKind

ROOT = Path(__file__).parents[2]
TABLE = {"error_table.py", "verdicts.py"}
KINDS = [kind for kind in vars(error_table).values() if isinstance(kind, ErrorKind)]
#: The embedded AWS and the local gateway play API Gateway, which has words of its own.
MODULES = [
    module
    for folder in ("layers", "functions", "cli")
    for module in sorted((ROOT / folder).rglob("*.py"))
    if module.name not in TABLE
]


def test_the_table_has_the_contracts_rows() -> None:
    assert len(KINDS) >= 20
    assert all(400 <= kind.status <= 599 and kind.code and kind.message for kind in KINDS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_other_module_writes_what_stands_in_the_table(module: Path) -> None:
    texts = {kind.message.partition("{")[0] for kind in KINDS}
    found = {
        node.value
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not found & texts
