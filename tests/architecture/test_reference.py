"""The reference that is served is the document's, and helps with every error that there is."""

from __future__ import annotations

import html
from pathlib import Path

from chatgrid_auth.domain import error_table
from chatgrid_devkit.openapi import document
from chatgrid_devkit.openapi.examples import ERRORS
from chatgrid_devkit.openapi.reference import FILE, render
from chatgrid_devkit.openapi.remedies import REMEDIES

ROOT = Path(__file__).parents[2]
PAGE = render(document.document())


def test_the_served_file_is_what_the_generator_writes() -> None:
    stale = f"{FILE} is stale: run `python -m chatgrid_devkit.openapi.document`"
    assert (ROOT / FILE).read_text(encoding="utf-8") == PAGE, stale


def test_every_error_of_the_table_is_told_with_what_to_do() -> None:
    told = {id(kind) for kind, _ in REMEDIES}
    table = {name: row for name, row in vars(error_table).items() if name.isupper()}
    assert [name for name, row in table.items() if id(row) not in told] == []
    assert {(kind.code, kind.status) for kind, _ in REMEDIES} >= set(ERRORS)
    statuses = [kind.status for kind, _ in REMEDIES]
    assert statuses == sorted(statuses)
    text = html.unescape(PAGE)
    assert all(f"<q>{kind.message}</q>" in text for kind, _ in REMEDIES)
