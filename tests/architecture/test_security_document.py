"""docs/security.md tells of each threat which test holds it: those tests exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "security.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/.]+\.py)::(test_\w+)`", DOCUMENT)))


def threats() -> list[str]:
    """The rows of the tables of threats."""
    section = DOCUMENT.partition("\n## Threats\n")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    return [row for row in rows if row != "| threat | held by |" and "---" not in row]


@pytest.mark.parametrize(("file", "test"), NAMED, ids=lambda part: part)
def test_a_test_that_is_named_exists(file: str, test: str) -> None:
    module = ast.parse((ROOT / file).read_text("utf-8"))
    assert test in {node.name for node in module.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", threats(), ids=lambda row: row[2:50])
def test_each_threat_has_a_test(row: str) -> None:
    assert re.search(r"`tests/[\w/.]+\.py::test_\w+`", row), row


def test_there_are_threats_and_every_mention_of_a_test_is_checked() -> None:
    assert len(threats()) > 25
    assert len(re.findall(r"::test_", DOCUMENT)) == len(
        re.findall(r"`tests/[\w/.]+\.py::test_\w+`", DOCUMENT)
    )
