"""`chatgrid export`: every key once, and nothing in it that could be used or looked up."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

from chatgrid_auth.domain.keys import hash_of
from tests.support.cli import Operator

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_neither_a_key_nor_its_hash_is_exported_unless_asked_for(operator: Operator) -> None:
    issued = [operator.issue(), operator.issue(USER)]
    for form in ("jsonl", "csv"):
        text = operator.run("export", "--format", form).stdout
        for one in issued:
            assert one.key.id in text
            assert one.raw_key[13:] not in text
            assert hash_of(one.raw_key) not in text
        assert (
            hash_of(issued[0].raw_key)
            in operator.run("export", "--format", form, "--with-hashes").stdout
        )


def test_a_rotated_key_is_exported_by_the_secret_that_works(operator: Operator) -> None:
    """Taken over elsewhere, an ended one would work again."""
    issued = operator.issue()
    rotated = operator.answer("keys", "rotate", issued.key.id, "--grace", "0")["data"]["raw_key"]
    text = operator.run("export", "--with-hashes").stdout
    assert hash_of(rotated) in text
    assert hash_of(issued.raw_key) not in text


def test_both_formats_and_the_document_say_the_same(operator: Operator) -> None:
    operator.issue(USER, name='a "b", c', scopes=["read", "admin"])
    operator.issue(USER)
    operator.run("keys", "revoke", operator.issue(USER).key.id, "--yes")
    more = ("--user", USER, "--revoked")
    rows = [json.loads(line) for line in operator.run("export", *more).stdout.splitlines()]
    assert operator.answer("export", *more)["data"] == rows
    table = csv.DictReader(io.StringIO(operator.run("export", "--format", "csv", *more).stdout))
    for row, cells in zip(rows, table, strict=True):
        assert cells["scopes"].split() == row["scopes"]
        plain = {
            name: json.dumps(v) if isinstance(v, bool | dict) else "" if v is None else str(v)
            for name, v in row.items()
            if name != "scopes"
        }
        assert plain == {name: cell for name, cell in cells.items() if name != "scopes"}
    assert [row["state"] for row in rows] == ["active", "active", "revoked"]


def test_one_users_keys_are_exported_alone(operator: Operator) -> None:
    operator.issue()
    mine = operator.issue(USER).key.id
    assert [key["id"] for key in operator.answer("export", "--user", USER)["data"]] == [mine]


def test_a_file_is_new_private_and_complete(operator: Operator, tmp_path: Path) -> None:
    made = [operator.issue().key.id for _ in range(3)]
    file = tmp_path / "keys.csv"
    answer = operator.answer("export", "--format", "csv", "--out", str(file))
    assert answer["data"] == {"keys": 3, "written_to": str(file)}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {row["id"] for row in csv.DictReader(io.StringIO(file.read_text()))} == set(made)
    assert operator.run("export", "--out", str(file)).exit_code == 1
    assert len(file.read_text().splitlines()) == 4


def test_an_empty_stack_exports_nothing_and_says_so(operator: Operator) -> None:
    result = operator.run("export")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "No keys yet.\n")
    assert operator.answer("export")["data"] == []
    assert operator.run("export", "--format", "csv").stdout.startswith("id,owner,")
