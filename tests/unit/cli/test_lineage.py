"""`revoke --descendants`, `users revoke`, and the operator's own lines in the log."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from chatgrid_auth.domain.actors import API_KEY, Actor
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.services.api_keys import ApiKeys
from chatgrid_cli.keys import users
from tests.support.cli import Operator


def by(key: ApiKey) -> Actor:
    return Actor(type=API_KEY, id=key.owner, key_id=key.id)


def living(operator: Operator, user: str) -> set[str]:
    return {key["id"] for key in operator.answer("users", "keys", user)["data"]}


def test_all_that_a_key_made_is_revoked_with_it_also_afterwards(operator: Operator) -> None:
    user = str(uuid4())
    other, leaked = operator.issue(user).key, operator.issue(user).key
    child = operator.issue(user, actor=by(leaked)).key
    told = operator.answer("keys", "revoke", leaked.id, "--yes", "--descendants")["data"]
    assert told == {"id": leaked.id, "revoked": True, "descendants": [child.id]}
    assert living(operator, user) == {other.id}
    late = operator.answer("keys", "revoke", leaked.id, "--yes", "--descendants", exit_code=1)
    assert late["code"] == "not_found"


def test_without_the_option_what_a_key_made_lives_on(operator: Operator) -> None:
    user = str(uuid4())
    maker = operator.issue(user).key
    child = operator.issue(user, actor=by(maker)).key
    operator.answer("keys", "revoke", maker.id, "--yes")
    assert living(operator, user) == {child.id}
    again = operator.answer("keys", "revoke", maker.id, "--yes", "--descendants")["data"]
    assert again["descendants"] == [child.id]


def test_all_keys_of_one_user_are_revoked_and_nobody_elses(operator: Operator) -> None:
    gone, stays = str(uuid4()), str(uuid4())
    made = {operator.issue(gone).key.id for _ in range(3)}
    operator.issue(stays)
    refused = operator.answer("users", "revoke", gone, exit_code=2)
    assert refused["code"] == "confirmation_needed"
    assert living(operator, gone) == made
    assert set(operator.answer("users", "revoke", gone, "--yes")["data"]["keys"]) == made
    assert living(operator, gone) == set()
    assert len(living(operator, stays)) == 1
    assert operator.answer("users", "revoke", gone, "--yes")["data"]["keys"] == []


def test_what_a_users_keys_make_while_the_operator_confirms_is_revoked_too(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid4())
    leaked = operator.issue(user).key
    late: list[str] = []

    def confirm(*_: object, **__: object) -> None:
        child = operator.issue(user, actor=by(leaked)).key
        late.extend([child.id, operator.issue(user).key.id])

    monkeypatch.setattr(users, "confirm", confirm)
    told = operator.answer("users", "revoke", user)["data"]["keys"]
    assert set(told) == {leaked.id, *late}
    assert living(operator, user) == set()


def test_a_user_who_keeps_making_keys_is_given_up_with_a_word(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = str(uuid4())
    operator.issue(user)
    revoke, rounds = ApiKeys.revoke, iter(range(50))

    def revoke_while_another_is_made(*arguments: Any, **more: Any) -> Any:
        next(rounds)
        gone = revoke(*arguments, **more)
        operator.issue(user)
        return gone

    monkeypatch.setattr(ApiKeys, "revoke", revoke_while_another_is_made)
    told = operator.answer("users", "revoke", user, "--yes", exit_code=1)
    assert told["code"] == "keys_still_made"
    assert "take the account away" in told["message"]


def test_each_act_of_an_operator_is_a_line_in_the_functions_log(
    operator: Operator, tmp_path: Path
) -> None:
    user = str(uuid4())
    made = operator.answer("keys", "create", "--user", user, "--name", "CI")["data"]
    operator.answer("keys", "set-limit", made["id"], "7")
    operator.answer("keys", "revoke", made["id"], "--yes")
    file = tmp_path / "keys.jsonl"
    file.write_text(json.dumps({"hash": "ab" * 32, "owner": user, "scopes": ["read"]}))
    operator.answer("import", str(file))
    mine = [line for line in operator.trail() if line["owner"] == user]
    # In no order: a change of limit goes by the store's clock, of which whole seconds are known.
    assert sorted(line["event"] for line in mine) == [
        "api_key.created",
        "api_key.created",
        "api_key.revoked",
        "api_key.updated",
    ]
    assert [line["key_id"] for line in mine].count(made["id"]) == 3
    for line in mine:
        assert line["actor"]["type"] == "operator"
        assert line["actor"]["id"].startswith("arn:aws:")
    assert made["raw_key"] not in json.dumps(mine)
    assert "ab" * 32 not in json.dumps(mine)


class NoLogs:
    """CloudWatch Logs for somebody without rights there."""

    class exceptions:  # noqa: N801 - boto3's own name
        class ResourceAlreadyExistsException(Exception):
            pass

    def create_log_stream(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "CreateLogStream")


def test_a_line_that_cannot_be_written_is_shown_and_stops_nothing(operator: Operator) -> None:
    operator.fakes["logs"] = NoLogs()
    key = operator.issue().key
    result = operator.run("keys", "revoke", key.id, "--yes")
    assert result.exit_code == 0
    line = json.loads(result.stderr.splitlines()[-1])
    assert (line["event"], line["key_id"]) == ("api_key.revoked", key.id)


def test_the_local_stacks_lines_are_in_a_private_file(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.local = True
    monkeypatch.setattr(operator, "name", str(tmp_path))
    key = operator.issue().key
    operator.answer("keys", "revoke", key.id, "--yes")
    file = tmp_path / "operator.jsonl"
    assert json.loads(file.read_text())["key_id"] == key.id
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
