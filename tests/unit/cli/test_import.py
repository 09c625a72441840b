"""`chatgrid import`: every line has one outcome, each key is made once, nothing is lost."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.keys_table import items
from chatgrid_auth.adapters.keys_table.key_store import DynamoKeyStore
from chatgrid_auth.domain.errors import StoreThrottled
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator, keys_in

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
OTHER = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


def a_hash() -> str:
    return sha256(os.urandom(16)).hexdigest()


def line(**facts: Any) -> dict[str, Any]:
    return {"hash": a_hash(), "owner": USER, "scopes": ["read"], **facts}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Writes an import file."""

    def write(*lines: dict[str, Any] | str, name: str = "keys.jsonl") -> str:
        path = tmp_path / name
        texts = [text if isinstance(text, str) else json.dumps(text) for text in lines]
        path.write_text("".join(text + "\n" for text in texts), encoding="utf-8")
        return str(path)

    return write


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    data = answer["data"]
    return data["created"], data["existing"], data["refused"]


def test_a_key_is_taken_over_with_all_that_is_known_of_it(
    operator: Operator, file: Callable[..., str]
) -> None:
    known = line(
        id="0190163d-8694-739b-aea5-966c26f8ad91",
        name="Ä key",
        prefix="sk_old_12",
        scopes=["write", "read", "write"],
        environment="test",
        rate_limit=77,
        created_at="2024-06-15T09:00:00+02:00",
        expires_at="2099-01-01T00:00:00Z",
    )
    answer = operator.answer("import", file(known))
    assert answer["data"]["lines"] == [
        {"line": 1, "outcome": "created", "key_id": known["id"], "code": None, "problem": None}
    ]
    shown = operator.answer("keys", "show", known["id"])["data"]
    assert (shown["user_id"], shown["name"], shown["key_prefix"]) == (USER, "Ä key", "sk_old_12")
    assert (shown["scopes"], shown["environment"]) == (["read", "write"], "test")
    assert (shown["rate_limit"], shown["rate_limit_remaining"]) == (77, 77)
    assert shown["created_at"] == "2024-06-15T07:00:00.000Z"
    assert shown["expires_at"] == "2099-01-01T00:00:00.000Z"
    credential = operator.gate().admit(known["hash"], now_ms=now_ms(), request=Request("write"))
    assert credential is not None
    assert (credential.admitted, credential.environment) == (True, "test")


def test_what_is_not_known_gets_the_stacks_defaults(
    operator: Operator, file: Callable[..., str]
) -> None:
    answer = operator.answer("import", file(line()))
    shown = operator.answer("keys", "show", answer["data"]["lines"][0]["key_id"])["data"]
    assert (shown["name"], shown["rate_limit"], shown["environment"]) == (
        "Imported key",
        120,
        "live",
    )


def test_csv_and_json_lines_say_the_same(operator: Operator, file: Callable[..., str]) -> None:
    hashes = [a_hash(), a_hash().upper()]
    table = file(
        "\ufeffowner,hash,scopes,name,rate_limit,expires_at",
        f'{USER},{hashes[0]},"read,write","a ""b"", c",9,',
        "",
        f"{USER.upper()},{hashes[1]},admin,,,2099-01-01T00:00:00Z",
        name="keys.CSV",
    )
    assert counts(operator.answer("import", table)) == (2, 0, 0)
    found = {key["name"]: key for key in operator.answer("users", "keys", USER)["data"]}
    assert found['a "b", c']["rate_limit"] == 9
    assert found['a "b", c']["scopes"] == ["read", "write"]
    assert found["Imported key"]["expires_at"] == "2099-01-01T00:00:00.000Z"
    same = [line(hash=each.lower()) for each in hashes]
    assert counts(operator.answer("import", file(*same))) == (0, 2, 0)


def test_standard_input_is_read_where_the_file_is_a_dash(operator: Operator) -> None:
    text = json.dumps(line()) + "\n"
    assert counts(operator.answer("import", "-", input=text)) == (1, 0, 0)


def test_a_dry_run_says_what_would_be_and_writes_nothing(
    operator: Operator, file: Callable[..., str]
) -> None:
    there = line()
    operator.run("import", file(there))
    before = operator.items()
    path = file(line(), there, "{", line(scopes=[]))
    answer = operator.answer("import", path, "--dry-run", exit_code=1)
    assert answer["data"]["dry_run"]
    outcomes = [entry["outcome"] for entry in answer["data"]["lines"]]
    assert outcomes == ["would_create", "existing", "refused", "refused"]
    assert counts(answer) == (1, 1, 2)
    assert operator.items() == before
    assert (
        "1 would be imported, 1 there already, 2 refused"
        in operator.run("import", path, "--dry-run").stdout
    )


@pytest.mark.parametrize("stop", ["interruption", "fault"])
def test_a_stopped_import_is_run_again_as_it_was(
    operator: Operator, file: Callable[..., str], monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    """It goes on where it was stopped."""
    operator.management["KEYS_PER_USER"] = "1000"
    path = file(*(line(name=f"k{number}") for number in range(12)))
    create, made = DynamoKeyStore.create, 0

    def stopping(self: DynamoKeyStore, *arguments: Any, **named: Any) -> None:
        nonlocal made
        if made == 5:
            raise KeyboardInterrupt if stop == "interruption" else StoreThrottled("T", "Throttled")
        made += 1
        create(self, *arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(DynamoKeyStore, "create", stopping)
        stopped = operator.run("import", path)
        assert stopped.exit_code == (130 if stop == "interruption" else 3)
        assert "5 imported, 0 there already, 0 refused" in stopped.stdout
        assert "run the same command again" in stopped.stderr
    assert counts(operator.answer("import", path)) == (7, 5, 0)
    assert counts(operator.answer("import", path)) == (0, 12, 0)
    assert keys_in(operator.items()) == 12
    names = {key["name"] for key in operator.answer("users", "keys", USER)["data"]}
    assert names == {f"k{number}" for number in range(12)}


def test_a_write_whose_answer_was_lost_counts_as_there_when_run_again(
    operator: Operator, file: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file(line())
    create = DynamoKeyStore.create

    def unheard(self: DynamoKeyStore, *arguments: Any, **named: Any) -> None:
        create(self, *arguments, **named)
        raise StoreThrottled("TransactWriteItems", "ReadTimeoutError")

    with monkeypatch.context() as patch:
        patch.setattr(DynamoKeyStore, "create", unheard)
        stopped = operator.answer("import", path, exit_code=3)
        assert not stopped["data"]["complete"]
    assert counts(operator.answer("import", path)) == (0, 1, 0)
    assert keys_in(operator.items()) == 1


def test_a_key_of_another_owner_is_never_taken_over(
    operator: Operator, file: Callable[..., str]
) -> None:
    key = line()
    operator.run("import", file(key))
    answer = operator.answer("import", file({**key, "owner": OTHER}), exit_code=1)
    assert answer["data"]["lines"][0]["code"] == "other_owner"
    assert operator.answer("users", "keys", OTHER)["data"] == []


def test_lines_that_repeat_one_another_are_told(
    operator: Operator, file: Callable[..., str]
) -> None:
    one, two = line(), line(id="0190163d-8694-739b-aea5-966c26f8ad91")
    path = file(one, {**one, "name": "again"}, two, line(id=two["id"]))
    for created, existing in ((2, 0), (0, 2)):
        answer = operator.answer("import", path, exit_code=1)
        assert counts(answer) == (created, existing, 2)
        problems = [entry["problem"] for entry in answer["data"]["lines"] if entry["problem"]]
        assert problems == ["the same hash as in line 1", "the same id as in line 3"]


@pytest.mark.parametrize("state", ["live", "revoked"])
@pytest.mark.parametrize("owner", [USER, OTHER])
def test_an_id_that_another_key_has_or_had_is_refused(
    operator: Operator, file: Callable[..., str], owner: str, state: str
) -> None:
    """The plan queue and API Gateway know a key by its id alone: two of one id share a fate."""
    issued = operator.issue(OTHER)
    if state == "revoked":
        operator.run("keys", "revoke", issued.key.id, "--yes")
    before = operator.items()
    path = file(line(owner=owner, id=issued.key.id), line(owner=owner))
    for options, created, existing in ((["--dry-run"], 1, 0), ([], 1, 0), ([], 0, 1)):
        answer = operator.answer("import", path, *options, exit_code=1)
        if "--dry-run" in options:
            assert operator.items() == before
        assert counts(answer) == (created, existing, 1)
        refused = answer["data"]["lines"][0]
        assert (refused["outcome"], refused["code"]) == ("refused", "duplicate_id")
        assert refused["problem"] == "another key has this id"
    assert sum(item.get("id") == items.uuid(issued.key.id) for item in operator.items()) == 1


def test_a_key_with_its_own_id_exists_when_imported_again(
    operator: Operator, file: Callable[..., str]
) -> None:
    """It is told as existing, not as a duplicate id."""
    known = line(id="0190163d-8694-739b-aea5-966c26f8ad91")
    assert counts(operator.answer("import", file(known))) == (1, 0, 0)
    assert counts(operator.answer("import", file(known, line(id=str(uuid4()))))) == (1, 1, 0)
    operator.run("keys", "revoke", known["id"], "--yes")
    assert counts(operator.answer("import", file(known))) == (0, 1, 0)


def test_an_owner_at_the_limit_does_not_stop_an_import(
    operator: Operator, file: Callable[..., str]
) -> None:
    """The line of an owner with as many keys as allowed is refused, and the rest goes on."""
    path = file(*(line() for _ in range(6)), line(owner=OTHER))
    answer = operator.answer("import", path, exit_code=1)
    assert counts(answer) == (6, 0, 1)
    (refused,) = [entry for entry in answer["data"]["lines"] if entry["code"]]
    assert (refused["line"], refused["code"]) == (6, "key_limit")


def test_each_line_is_reported_with_its_number(
    operator: Operator, file: Callable[..., str], tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    result = operator.run("import", file("", line(), "[]", line()), "--report", str(report))
    assert result.exit_code == 1
    assert "line 3: this line is not a JSON object" in result.stderr
    outcomes = [json.loads(text) for text in report.read_text().splitlines()]
    assert [(entry["line"], entry["outcome"]) for entry in outcomes] == [
        (2, "created"),
        (3, "refused"),
        (4, "created"),
    ]


def test_a_report_is_a_new_file_that_its_owner_alone_can_read(
    operator: Operator, file: Callable[..., str], tmp_path: Path
) -> None:
    report = tmp_path / "report.jsonl"
    previous = os.umask(0)
    try:
        operator.run("import", file(line()), "--report", str(report))
    finally:
        os.umask(previous)
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    result = operator.run("import", file(line()), "--report", str(report))
    assert "exists already" in result.stderr


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", ""),
        ("headless.csv", f"{a_hash()},{USER},read"),
        ("twice.csv", "hash,owner,hash,scopes"),
    ],
)
def test_a_csv_file_without_a_usable_header_is_refused_as_a_whole(
    operator: Operator, tmp_path: Path, name: str, content: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    assert operator.answer("import", str(path), exit_code=1)["code"] == "bad_file"


def test_a_missing_file_and_one_without_keys_are_told_apart(
    operator: Operator, file: Callable[..., str]
) -> None:
    assert operator.answer("import", "/nowhere/keys", exit_code=1)["code"] == "file_error"
    empty = operator.run("import", file())
    assert (empty.exit_code, empty.stdout) == (0, "The file holds no keys.\n")


def test_the_operator_is_told_when_imported_keys_are_not_allowed_yet(
    operator: Operator, file: Callable[..., str]
) -> None:
    assert "AllowImportedKeys" in operator.run("import", file(line())).stderr
    operator.authorizer["ALLOW_IMPORTED_KEYS"] = "true"
    assert "AllowImportedKeys" not in operator.run("import", file(line())).stderr


def test_an_export_with_hashes_is_an_import_elsewhere(
    operator: Operator, tmp_path: Path, file: Callable[..., str]
) -> None:
    issued = [operator.issue(USER, name=f"n{number}", scopes=["admin"]) for number in range(3)]
    for form in ("jsonl", "csv"):
        path = tmp_path / f"all.{form}"
        operator.run("export", "--with-hashes", "--format", form, "--out", str(path))
        elsewhere = Operator()
        operator.outputs["KeysTableName"], operator.table = elsewhere.table, elsewhere.table
        assert counts(operator.answer("import", str(path))) == (3, 0, 0)
        found = operator.answer("keys", "list")["data"]
        assert {key["id"] for key in found} == {one.key.id for one in issued}
        operator.outputs["KeysTableName"] = operator.table = operator.management["KEYS_TABLE"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_key_that_moves_stays_disabled_and_keeps_its_notes(
    operator: Operator, tmp_path: Path, form: str
) -> None:
    """What an owner, or a report of a leak, turned off is not turned on by moving it."""
    metadata = {"team": '=billing, "a"', "cost": "ü"}
    for reason in (None, "manual", "dormant", "exposed"):
        issued = operator.issue(USER, self_rotation=reason is None, metadata=metadata)
        place = {"pk": {"S": f"KEY#{hash_of(issued.raw_key)}"}, "sk": {"S": "#"}}
        if reason is not None:
            operator.dynamodb.update_item(
                TableName=operator.table,
                Key=place,
                UpdateExpression="SET #off = :why REMOVE lvl",
                ExpressionAttributeNames={"#off": "off"},
                ExpressionAttributeValues={":why": {"S": reason}},
            )
    path = tmp_path / f"all.{form}"
    operator.run("export", "--with-hashes", "--format", form, "--out", str(path))
    before = settings_shown(operator)
    assert {one["disabled_reason"] for one in before} == {None, "manual", "dormant", "exposed"}
    elsewhere = Operator()
    operator.outputs["KeysTableName"], operator.table = elsewhere.table, elsewhere.table
    try:
        assert counts(operator.answer("import", str(path))) == (4, 0, 0)
        assert settings_shown(operator) == before
    finally:
        operator.outputs["KeysTableName"] = operator.table = operator.management["KEYS_TABLE"]


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_key_that_moves_keeps_its_kind_rules_and_credits(
    operator: Operator, tmp_path: Path, form: str
) -> None:
    """A canary that moved and let its finder in would be worse than none."""
    refill = {"amount": 50, "interval": "month", "next_at": now_ms() + 86_400_000}
    operator.issue(
        USER,
        allowed_ips=["203.0.113.0/24", "2001:db8::/32"],
        permissions=["boards:read", "exports:*"],
        credits_said={"remaining": 0, "refill": refill},
    )
    operator.issue(USER, credits_said={"remaining": 7})
    operator.issue(USER, kind="publishable", allowed_origins=["https://app.example.com"])
    canary = operator.issue(USER, kind="canary").raw_key
    path = tmp_path / f"all.{form}"
    operator.run("export", "--with-hashes", "--format", form, "--out", str(path))
    before = settings_shown(operator)
    assert [one["remaining"] for one in map(credits_of, before) if one] == [0, 7]
    elsewhere = Operator()
    operator.outputs["KeysTableName"], operator.table = elsewhere.table, elsewhere.table
    try:
        assert counts(operator.answer("import", str(path))) == (4, 0, 0)
        assert settings_shown(operator) == before
        met = operator.gate().admit(hash_of(canary), now_ms=now_ms(), request=Request("read"))
        assert met is not None
        assert met.fault == "canary"
    finally:
        operator.outputs["KeysTableName"] = operator.table = operator.management["KEYS_TABLE"]


def test_a_refill_that_was_due_meanwhile_is_due_at_once(
    operator: Operator, file: Callable[..., str]
) -> None:
    refill = {"amount": 50, "interval": "day", "next_at": "2020-01-01T12:00:00.000Z"}
    given = line(credits={"remaining": 0, "refill": refill})
    assert counts(operator.answer("import", file(given))) == (1, 0, 0)
    (shown,) = operator.answer("export")["data"]
    assert shown["credits"]["remaining"] == 50
    assert shown["credits"]["refill"]["next_at"].endswith("T12:00:00.000Z")


def credits_of(row: dict[str, Any]) -> dict[str, Any]:
    held: dict[str, Any] = row["credits"] or {}
    return held


def settings_shown(operator: Operator) -> list[dict[str, Any]]:
    names = ("id", "kind", "enabled", "disabled_reason", "self_rotation", "metadata")
    rules = ("allowed_ips", "allowed_origins", "permissions", "credits")
    rows = operator.answer("export")["data"]
    return sorted(({name: row[name] for name in names + rules} for row in rows), key=str)


def test_a_report_never_takes_the_place_of_the_file_that_is_read(
    operator: Operator, file: Callable[..., str], tmp_path: Path
) -> None:
    path = Path(file(line(), line()))
    before = path.read_bytes()
    soft, hard = tmp_path / "soft", tmp_path / "hard"
    soft.symlink_to(path)
    hard.hardlink_to(path)
    for report in (path, soft, hard):
        for more in ((), ("--dry-run",)):
            error = operator.answer(
                "import", str(path), "--report", str(report), *more, exit_code=2
            )
            assert error["code"] == "same_file"
            assert path.read_bytes() == before
    assert operator.items() == []
