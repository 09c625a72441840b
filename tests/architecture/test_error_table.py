"""What a client is told of an error is written in one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from chatgrid_auth.domain import error_table
from chatgrid_auth.domain.error_table import ErrorKind
from chatgrid_devkit.openapi.remedies import REMEDIES

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


def documented() -> list[tuple[set[int], set[str], str]]:
    """The rows of the API's page: statuses, codes, and when."""
    table = (ROOT / "docs" / "api.md").read_text("utf-8").partition("| status | code | when |")[2]
    rows = table.partition("\n\n")[0].splitlines()[2:]
    cells = [row.strip("| ").split(" | ") for row in rows]
    return [
        (
            {int(one) for one in status.split(", ")},
            set(re.findall(r"`(\w+)`", codes)),
            "".join(when),
        )
        for status, codes, *when in cells
    ]


@pytest.mark.parametrize(
    "kind", [kind for kind, _ in REMEDIES], ids=lambda kind: f"{kind.status} {kind.message}"
)
def test_the_api_page_has_every_error(kind: ErrorKind) -> None:
    """Where one code stands for several refusals, the text tells them apart: so it is there too."""
    rows = [
        when
        for statuses, codes, when in documented()
        if kind.status in statuses and kind.code in codes
    ]
    assert rows
    if kind.status in {401, 403}:
        assert any(f"`{kind.message.partition('{')[0].strip()}" in when for when in rows)


def test_the_api_page_has_no_error_that_there_is_not() -> None:
    known = {(kind.status, kind.code) for kind, _ in REMEDIES}
    for statuses, codes, _ in documented():
        assert {status for status, code in known if code in codes} >= statuses
        assert {code for status, code in known if status in statuses} >= codes
