"""`chatgrid audit`: entries listed, exported, and verified against the table and the logs."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.audit_table import layout
from chatgrid_auth.adapters.audit_table.inventory import AuditInventory
from chatgrid_auth.services.audit.chain import hash_of
from chatgrid_cli.audit.anchors import Anchor, read_anchors
from tests.support.cli import Operator
from tests.support.tables.stores import audit_of


def user_with_entries(operator: Operator, number: int = 3) -> str:
    user = str(uuid4())
    for _ in range(number):
        operator.answer("keys", "create", "--user", user, "--name", "CI")
    return user


def spoil(operator: Operator, user: str, seq: int, **facts: Any) -> None:
    """Change an entry by hand and give it the hash that fits."""
    table = audit_of(operator.table)
    place = {"pk": {"S": layout.pk(user)}, "sk": {"S": layout.sk(seq)}}
    item = operator.dynamodb.get_item(TableName=table, Key=place)["Item"]
    document = {**json.loads(item["entry"]["S"]), **facts}
    document["hash"] = hash_of(document)
    operator.dynamodb.put_item(
        TableName=table, Item={**place, "entry": {"S": json.dumps(document)}}
    )


def test_entries_of_one_user_are_listed_newest_first(operator: Operator) -> None:
    user = user_with_entries(operator)
    answer = operator.answer("audit", "list", "--owner", user, "--limit", "2")
    assert [entry["seq"] for entry in answer["data"]] == [3, 2]
    assert answer["has_more"] is True
    assert answer["data"][0]["actor"]["type"] == "operator"
    text = operator.run("audit", "list", "--owner", user).stdout
    assert "api_key.created" in text


def test_an_export_holds_entries_as_hashed_in_a_private_file(
    operator: Operator, tmp_path: Path
) -> None:
    user = user_with_entries(operator)
    file = tmp_path / "entries.jsonl"
    assert operator.run("audit", "export", "--owner", user, "--out", str(file)).exit_code == 0
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["entry"]["seq"] for line in lines] == [1, 2, 3]
    assert all(hash_of(line["entry"]) == line["entry"]["hash"] for line in lines)
    assert {line["owner"] for line in lines} == {user}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert operator.run("audit", "export", "--out", str(file)).exit_code == 1, "overwritten"


def test_a_whole_log_is_told_to_hold(operator: Operator) -> None:
    user = user_with_entries(operator)
    told = operator.answer("audit", "verify", "--owner", user)["data"]
    assert told == {"status": "ok", "entries": 3, "owners": 1, "broken": []}


def test_a_verification_of_all_names_whose_log_is_broken_and_where(operator: Operator) -> None:
    good, bad = user_with_entries(operator), user_with_entries(operator)
    spoil(operator, bad, 1, request_id="another")
    told = operator.answer("audit", "verify", exit_code=1)["data"]
    assert told["broken"] == [{"owner": bad, "first_broken_seq": 2}]
    assert good != bad
    text = operator.run("audit", "verify", "--owner", bad)
    assert (text.exit_code, f"The log of {bad} is broken at entry 2." in text.stdout) == (1, True)


def test_the_logs_tell_of_a_chain_that_was_written_anew(operator: Operator, tmp_path: Path) -> None:
    """Whoever may write the table can make a chain that holds in itself, but not another log."""
    user = user_with_entries(operator)
    file = tmp_path / "log.jsonl"
    mine = [line for line in operator.trail() if line["owner"] == user]
    file.write_text("".join(json.dumps(line) + "\n" for line in mine))
    same = operator.answer("audit", "verify", "--owner", user, "--anchors", str(file))
    assert same["data"]["status"] == "ok"
    spoil(operator, user, 3, request_id="another")
    found = operator.answer("audit", "list", "--owner", user)["data"][0]
    head = {"pk": {"S": layout.pk(user)}, "sk": {"S": layout.HEAD}}
    head |= {"seq": {"N": "3"}, "hash": {"S": found["hash"]}}
    operator.dynamodb.put_item(TableName=audit_of(operator.table), Item=head)
    assert operator.answer("audit", "verify", "--owner", user)["data"]["status"] == "ok"
    told = operator.answer("audit", "verify", "--owner", user, "--anchors", str(file), exit_code=1)[
        "data"
    ]
    assert told["broken"] == [{"owner": user, "first_broken_seq": 3}]


def bare(found: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(line) + "\n" for line in found)


def filtered(found: list[dict[str, Any]]) -> str:
    events = [{"timestamp": 1, "message": json.dumps(line)} for line in found]
    return json.dumps({"events": events, "searchedLogStreams": []}, indent=2)


def insights(found: list[dict[str, Any]]) -> str:
    return json.dumps([{"@timestamp": "x", "@message": json.dumps(line)} for line in found])


def rows(found: list[dict[str, Any]]) -> str:
    cells = [[{"field": "@message", "value": json.dumps(line)}] for line in found]
    return json.dumps({"results": cells, "status": "Complete"})


@pytest.mark.parametrize("export", [bare, filtered, insights, rows])
def test_every_export_of_the_log_is_read(export: Callable[[list[dict[str, Any]]], str]) -> None:
    good = {"event": "api_key.created", "owner": "o", "seq": 1, "hash": "ab"}
    other: list[dict[str, Any]] = [
        {"message": "decision"},
        {"event": 5},
        {**good, "seq": "1"},
        {**good, "owner": None},
    ]
    found = list(read_anchors(io.StringIO(export([*other, good]))))
    assert found == [Anchor(owner="o", seq=1, hash="ab")]


@pytest.mark.parametrize("text", ["", "{}", filtered([]), filtered([{"event": "decision"}])])
def test_a_file_without_an_anchor_verifies_nothing(
    operator: Operator, tmp_path: Path, text: str
) -> None:
    """An export by a wrong filter must not look like one that the table agrees with."""
    user_with_entries(operator)
    file = tmp_path / "log.json"
    file.write_text(text)
    told = operator.answer("audit", "verify", "--anchors", str(file), exit_code=1)
    assert (told["code"], "holds no anchor" in told["message"]) == ("no_anchors", True)


def test_anchors_of_others_verify_nothing_of_one_user(operator: Operator, tmp_path: Path) -> None:
    user, other = user_with_entries(operator), user_with_entries(operator)
    file = tmp_path / "log.jsonl"
    file.write_text(bare([line for line in operator.trail() if line["owner"] == other]))
    asked = ("audit", "verify", "--owner", user, "--anchors", str(file))
    told = operator.answer(*asked, exit_code=1)
    assert (told["code"], "holds no anchor" in told["message"]) == ("no_anchors", True)


def test_a_verification_tells_how_many_entries_are_anchored(
    operator: Operator, tmp_path: Path
) -> None:
    user = user_with_entries(operator)
    file = tmp_path / "log.jsonl"
    anchored = [line for line in operator.trail() if line["owner"] == user][:2]
    file.write_text(bare([*anchored, *anchored]))
    asked = ("audit", "verify", "--owner", user, "--anchors", str(file))
    assert operator.answer(*asked)["data"]["anchored"] == 2
    text = operator.run(*asked).stdout
    assert "3 entries of 1 user hold." in text
    assert "2 of 3 entries are anchored." in text


def test_one_entry_is_told_as_one(operator: Operator) -> None:
    user = user_with_entries(operator, 1)
    assert "1 entry of 1 user holds." in operator.run("audit", "verify", "--owner", user).stdout
    assert "1 entry exported." in operator.run("audit", "export", "--owner", user).stderr


@pytest.mark.parametrize("text", ["no json", "\x00"])
def test_a_file_without_json_is_no_file_of_anchors(
    operator: Operator, tmp_path: Path, text: str
) -> None:
    file = tmp_path / "log.txt"
    file.write_text(text)
    told = operator.answer("audit", "verify", "--anchors", str(file), exit_code=1)
    assert told["code"] == "bad_file"


@pytest.mark.parametrize("to_file", [True, False])
def test_an_interrupted_export_of_entries_is_130_and_leaves_no_file(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to_file: bool
) -> None:
    user_with_entries(operator)
    whole = AuditInventory.every_entry

    def cut_off(self: AuditInventory) -> Any:
        yield from whole(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(AuditInventory, "every_entry", cut_off)
    file = tmp_path / "entries.jsonl"
    where = ("--out", str(file)) if to_file else ()
    assert operator.run("audit", "export", *where).exit_code == 130
    assert not file.exists()
