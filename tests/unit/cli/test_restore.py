"""After a restore from a backup, what was revoked since is revoked again, and nothing else."""

from __future__ import annotations

from typing import Any, cast
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.restore.changes import make_again, told_of
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator
from tests.support.tables import books
from tests.support.tables.stores import keys_table


class Recovery:
    """A table restored to a moment before two of its keys were revoked and one was made."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.user, self.other = str(uuid4()), str(uuid4())
        self.kept, self.leaked, self.limited = (operator.issue(self.user) for _ in range(3))
        self.theirs = operator.issue(self.other)
        self.table = keys_table(operator.dynamodb)
        for item in operator.items():
            operator.dynamodb.put_item(TableName=self.table, Item=item)
        late = operator.answer("keys", "create", "--user", self.user, "--name", "late")["data"]
        for key_id in (self.leaked.key.id, self.theirs.key.id, late["id"]):
            operator.answer("keys", "revoke", key_id, "--yes")
        operator.answer("keys", "set-limit", self.limited.key.id, "7")

    def replay(self, *arguments: str, **more: Any) -> Any:
        return self.operator.answer("restore", "replay", "--table", self.table, *arguments, **more)

    def admits(self, issued: IssuedKey) -> bool:
        gate = KeyDecisions(Boto3Transport(self.operator.dynamodb), table=self.table)
        found = gate.admit(hash_of(issued.raw_key), now_ms=now_ms(), request=Request("read"))
        assert found is not None
        return found.admitted

    def items(self) -> list[Any]:
        return books.contents(self.operator.dynamodb, self.table)


@pytest.fixture
def recovery(operator: Operator) -> Recovery:
    return Recovery(operator)


def test_a_restored_table_refuses_again_what_was_revoked_since(recovery: Recovery) -> None:
    assert all(map(recovery.admits, (recovery.kept, recovery.leaked, recovery.theirs)))
    told = recovery.replay("--yes")["data"]
    assert sorted(told["revoked"]) == sorted([recovery.leaked.key.id, recovery.theirs.key.id])
    assert told["changed"] == [{"id": recovery.limited.key.id, "fields": ["rate_limit"]}]
    assert told["changes_to_check"] == []
    assert told["not_in_table"] >= 1, "the key that was made and revoked since"
    assert not recovery.admits(recovery.leaked)
    assert not recovery.admits(recovery.theirs)
    assert recovery.admits(recovery.kept)
    assert books.errors_in(recovery.items()) == []


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_restored_table_has_again_what_was_changed_since(
    recovery: Recovery, dry_run: bool
) -> None:
    """A key that was disabled, and one whose settings were, each by its last change."""
    operator, kept, limited = recovery.operator, recovery.kept.key, recovery.limited.key
    operator.answer("keys", "update", kept.id, "--name", "first", "--metadata", "a=b")
    operator.answer("keys", "update", kept.id, "--name", "last", "--self-rotation")
    operator.answer("keys", "disable", limited.id)
    operator.answer("keys", "rotate", limited.id, exit_code=1)
    told = recovery.replay("--dry-run" if dry_run else "--yes")["data"]
    assert {one["id"]: one["fields"] for one in told["changed"]} == {
        kept.id: ["metadata", "name", "self_rotation"],
        limited.id: ["disabled_reason", "enabled", "rate_limit"],
    }
    assert recovery.admits(recovery.limited) is dry_run
    assert books.errors_in(recovery.items()) == []
    again = recovery.replay("--yes")["data"]["changed"]
    assert len(again) == (2 if dry_run else 0)


def test_a_key_is_disabled_again_first_and_for_its_own_reason(recovery: Recovery) -> None:
    done: list[object] = []

    class Changes:
        def disable(self, _: str, __: str, *, reason: str) -> None:
            done.append(reason)

        def change(self, _: str, __: str, said: dict[str, object]) -> None:
            done.append(said)

    wanted = {"enabled": False, "disabled_reason": "exposed", "name": "x"}
    make_again(cast("Any", Changes()), recovery.kept.key, wanted)
    assert done == ["exposed", {"name": "x"}]


@pytest.mark.parametrize(
    "spoiled", [None, [], {"name": {"to": 5}}, {"secret": {"to": "x"}}, {"name": 1}]
)
def test_an_entry_that_tells_of_no_settings_is_not_replayed(spoiled: object) -> None:
    assert told_of({"changes": spoiled}) is None


def test_another_secret_is_listed_and_not_replayed(recovery: Recovery) -> None:
    kept = recovery.kept.key
    recovery.operator.answer("keys", "rotate", kept.id)
    told = recovery.replay("--yes")["data"]
    assert told["changes_to_check"] == [{"id": kept.id, "action": "api_key.rotated"}]


def test_a_replayed_revocation_is_kept_as_long_as_any_other(
    recovery: Recovery,
) -> None:
    recovery.operator.management["REVOKED_RETENTION_DAYS"] = "31"
    recovery.replay("--yes")
    ends = [int(item["expires_on"]["N"]) for item in recovery.items() if "expires_on" in item]
    assert len(ends) == 4, "the credential and the record of two keys"
    assert all(30 < (end - now_ms() / 1_000) / 86_400 <= 31 for end in ends)


def test_a_replay_may_be_repeated(recovery: Recovery) -> None:
    recovery.replay("--yes")
    before = recovery.items()
    again = recovery.replay()["data"]
    assert (again["revoked"], again["already_revoked"]) == ([], 2)
    assert sorted(recovery.items(), key=str) == sorted(before, key=str)


def test_a_dry_run_tells_the_same_and_changes_nothing(recovery: Recovery) -> None:
    before = sorted(recovery.items(), key=str)
    told = recovery.replay("--dry-run")["data"]
    assert len(told["revoked"]) == 2
    assert told["dry_run"] is True
    assert sorted(recovery.items(), key=str) == before


def test_without_a_yes_nobody_is_revoked_where_nobody_can_be_asked(recovery: Recovery) -> None:
    refused = recovery.replay(exit_code=2)
    assert refused["code"] == "confirmation_needed"
    assert recovery.admits(recovery.leaked)


def test_what_the_audit_log_tells_of_before_is_not_read(recovery: Recovery) -> None:
    later = "2099-01-01T00:00:00Z"
    told = recovery.replay("--since", later, "--yes")["data"]
    assert (told["revoked"], told["not_in_table"]) == ([], 0)
