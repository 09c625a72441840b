"""Names in CSV files: never a formula, and the same on the other side."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatgrid_cli.transfer.cells import defused, restored
from tests.support.cli import Operator

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1", "'=1", "''=1"]


@pytest.mark.parametrize("text", FORMULAS, ids=repr)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert defused(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "cell"),
    [("a;=1", "a;'=1"), (";;@x;b", ";;'@x;b"), ("=1;'+1", "'=1;''+1"), ("a; b", "a; b")],
)
def test_what_a_semicolon_makes_the_beginning_of_a_cell_is_defused_too(
    text: str, cell: str
) -> None:
    assert defused(text) == cell


@given(st.text() | st.text("';=+-@a", max_size=7))
def test_every_cell_is_read_back_as_it_was(text: str) -> None:
    assert restored(defused(text)) == text


@pytest.mark.parametrize("text", ["", "CI", "'quoted'", "'", "a=b", "2026-01-01T00:00:00Z"])
def test_a_harmless_cell_is_left_as_it_is(text: str) -> None:
    assert defused(text) == restored(text) == text


def test_a_name_that_is_a_formula_survives_an_export_and_its_import(
    operator: Operator, tmp_path: Path
) -> None:
    key = operator.issue(name='=HYPERLINK("http://x","a,b")').key
    file = tmp_path / "keys.csv"
    operator.answer("export", "--format", "csv", "--with-hashes", "--out", str(file))
    assert "\"'=HYPERLINK" in file.read_text()
    for item in operator.items():
        place = {name: item[name] for name in ("pk", "sk")}
        operator.dynamodb.delete_item(TableName=operator.table, Key=place)
    operator.answer("import", str(file))
    assert operator.answer("keys", "show", key.id)["data"]["name"] == key.name
