"""`chatgrid keys`, `users` and `bootstrap`: keys of any user, and the raw key in one place."""

from __future__ import annotations

import re
import shlex
import stat
from pathlib import Path
from uuid import uuid4

import pytest

from chatgrid_auth.domain.keys import hash_of, is_well_formed
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator, keys_in

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
SHAPE = {
    *("id", "user_id", "key_prefix", "name", "scopes", "environment", "rate_limit", "state"),
    *("kind", "allowed_ips", "allowed_origins", "permissions"),
    *(
        "created_by",
        "created_at",
        "expires_at",
        "last_used_at",
        "previous_secret",
        "enabled",
        "disabled_reason",
        "self_rotation",
        "metadata",
        "credits",
        "updated_at",
        "revoked_at",
        "revocation_reason",
    ),
}


def test_a_new_key_is_all_that_standard_output_gets(operator: Operator) -> None:
    result = operator.run("keys", "create", "--user", USER, "--name", "CI")
    assert result.exit_code == 0
    raw_key = result.stdout.removesuffix("\n")
    assert is_well_formed(raw_key)
    assert raw_key not in result.stderr
    assert USER in result.stderr
    credential = operator.gate().admit(hash_of(raw_key), now_ms=now_ms(), request=Request("write"))
    assert credential is not None
    assert (credential.admitted, credential.owner) == (True, USER)


@pytest.mark.parametrize(("own", "entries"), [("true", 1), ("false", 0)])
def test_a_command_leaves_work_for_gateway_keys_as_the_stack_itself_does(
    operator: Operator, own: str, entries: int
) -> None:
    operator.management["OWN_GATEWAY_KEYS"] = own
    made = operator.answer("keys", "create", "--user", USER, "--name", "CI")["data"]
    assert operator.run("keys", "revoke", made["id"], "--yes").exit_code == 0
    waiting = [item for item in operator.items() if item["pk"] == {"S": "PLANS"}]
    assert len(waiting) == entries


def test_a_new_key_is_what_was_asked_for(operator: Operator) -> None:
    asked = ["--user", USER.upper(), "--name", "[bold]Ä", "--scope", "admin", "--scope", "read"]
    asked += ["--environment", "test", "--rate-limit", "7", "--expires", "2w"]
    answer = operator.answer("keys", "create", *asked)
    assert answer["object"] == "api_key"
    data = answer["data"]
    assert set(data) == SHAPE | {"raw_key"}
    assert (data["user_id"], data["name"], data["scopes"]) == (USER, "[bold]Ä", ["read", "admin"])
    assert (data["environment"], data["rate_limit"]) == ("test", 7)
    assert data["raw_key"].startswith("cgk_test_")
    shown = operator.answer("keys", "show", data["id"])["data"]
    assert shown["expires_at"] == data["expires_at"] is not None
    assert "raw_key" not in shown
    assert "[bold]Ä" in operator.run("keys", "list").stdout


def test_a_key_in_a_file_is_for_its_owner_alone(operator: Operator, tmp_path: Path) -> None:
    """And it is nowhere else."""
    file = tmp_path / "key"
    for more in ([], ["--json"]):
        result = operator.run(
            "keys", "create", "--user", USER, "--name", "CI", "--out", str(file), *more
        )
        assert result.exit_code == 0, result.output
        raw_key = file.read_text().removesuffix("\n")
        assert is_well_formed(raw_key)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert raw_key not in result.output
        file.unlink()


def test_no_key_is_made_that_could_not_be_handed_over(operator: Operator, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("precious")
    for place in (file, tmp_path / "nowhere" / "key"):
        result = operator.run("keys", "create", "--user", USER, "--name", "x", "--out", str(place))
        assert result.exit_code in {1, 3}
    assert file.read_text() == "precious"
    assert operator.items() == []


def test_a_refused_key_leaves_no_empty_file_behind(operator: Operator, tmp_path: Path) -> None:
    for _ in range(5):
        operator.issue(USER)
    file = tmp_path / "key"
    result = operator.run("keys", "create", "--user", USER, "--name", "x", "--out", str(file))
    assert result.exit_code == 1
    assert "holds 5 keys, as many as allowed" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    ("asked", "exit_code"),
    [
        (["--user", "ada", "--name", "x"], 2),
        (["--user", USER, "--name", ""], 2),
        (["--user", USER, "--name", "x" * 65], 2),
        (["--user", USER, "--name", "line\nbreak"], 2),
        (["--user", USER, "--name", "x", "--scope", "root"], 2),
        (["--user", USER, "--name", "x", "--rate-limit", "0"], 2),
        (["--user", USER, "--name", "x", "--rate-limit", "60001"], 1),
        (["--user", USER, "--name", "x", "--expires", "2020-01-01T00:00:00Z"], 2),
        (["--user", USER, "--name", "x", "--expires", "6000w"], 2),
        (["--user", USER, "--name", "x", "--expires", "tomorrow"], 2),
        (["--user", USER], 2),
    ],
)
def test_what_the_api_would_refuse_is_refused_here_too(
    operator: Operator, asked: list[str], exit_code: int
) -> None:
    result = operator.run("keys", "create", *asked)
    assert result.exit_code == exit_code, result.output
    assert operator.items() == []


def test_keys_of_all_users_are_listed_each_once(operator: Operator) -> None:
    made = {operator.issue(owner).key.id for owner in (USER, str(uuid4())) for _ in range(2)}
    answer = operator.answer("keys", "list")
    assert (answer["object"], answer["has_more"]) == ("list", False)
    assert {key["id"] for key in answer["data"]} == made
    assert all(set(key) == SHAPE for key in answer["data"])
    assert len(operator.answer("keys", "list", "--user", USER)["data"]) == 2
    some = operator.answer("keys", "list", "--limit", "3")
    assert (len(some["data"]), some["has_more"]) == (3, True)
    assert "There are more" in operator.run("keys", "list", "--limit", "3").stderr


def test_revoked_and_expired_keys_are_told_apart(operator: Operator) -> None:
    gone, late = operator.issue(USER).key, operator.issue(USER, expires_at_ms=now_ms() - 1).key
    operator.run("keys", "revoke", gone.id, "--yes")
    assert [k["state"] for k in operator.answer("users", "keys", USER)["data"]] == ["expired"]
    states = {
        key["id"]: key["state"]
        for key in operator.answer("users", "keys", USER, "--revoked")["data"]
    }
    assert states == {gone.id: "revoked", late.id: "expired"}


def test_an_empty_stack_says_what_to_do(operator: Operator) -> None:
    result = operator.run("keys", "list")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "chatgrid bootstrap" in result.stderr
    assert operator.answer("keys", "list")["data"] == []
    assert operator.run("users", "keys", USER).stderr == "This user has no keys.\n"


def test_a_revoked_key_is_refused_at_once_and_cannot_be_revoked_again(operator: Operator) -> None:
    issued = operator.issue()
    answer = operator.answer("keys", "revoke", issued.key.id, "--yes")
    assert answer == {
        "object": "api_key_revoked",
        "data": {"id": issued.key.id, "revoked": True},
    }
    credential = operator.gate().admit(
        hash_of(issued.raw_key), now_ms=now_ms(), request=Request("read")
    )
    assert credential is not None
    assert not credential.admitted
    again = operator.answer("keys", "revoke", issued.key.id, "--yes", exit_code=1)
    assert (again["object"], again["code"]) == ("error", "not_found")
    assert "revoked already" in again["message"]


def test_another_limit_holds_from_the_answer_on(operator: Operator) -> None:
    issued = operator.issue(rate_limit=5)

    def left(at_ms: int) -> int:
        credential = operator.gate().admit(
            hash_of(issued.raw_key), now_ms=at_ms, request=Request("read")
        )
        assert credential is not None
        return credential.reading.remaining

    assert left(now_ms()) == 4
    answer = operator.answer("keys", "set-limit", issued.key.id, "100")
    assert answer["object"] == "api_key"
    assert (answer["data"]["id"], answer["data"]["rate_limit"]) == (issued.key.id, 100)
    assert answer["data"]["rate_limit_remaining"] == 99
    assert left(now_ms()) == 98
    assert operator.answer("keys", "show", issued.key.id)["data"]["rate_limit"] == 100
    told = operator.run("keys", "set-limit", issued.key.id, "3")
    assert (told.exit_code, told.stdout) == (
        0,
        f"Key {issued.key.id} ('key', {issued.key.prefix}…) has 3 requests in any 60 seconds now;"
        " before, 100.\n",
    )


def test_whose_usage_key_a_key_counts_on_is_shown_in_words(operator: Operator) -> None:
    key = operator.issue().key
    assert operator.answer("keys", "show", key.id)["data"]["own_usage_key"] is False
    shown = operator.run("keys", "show", key.id).stdout
    assert "False" not in shown
    assert "own_usage_key         no: in API Gateway it counts on its tier's" in shown


def test_what_was_revoked_is_told_by_its_name_too(operator: Operator) -> None:
    key = operator.issue(name="CI of the shop").key
    told = operator.run("keys", "revoke", key.id, "--yes").stdout
    assert told == f"Key {key.id} ('CI of the shop', {key.prefix}…) is revoked.\n"


def test_an_operator_may_give_a_limit_above_what_users_may_ask_for(operator: Operator) -> None:
    above = int(operator.management["RATE_LIMIT_CEILING"]) + 1
    made = ["keys", "create", "--user", USER, "--name", "x", "--rate-limit", str(above)]
    key = operator.answer(*made)["data"]
    assert key["rate_limit"] == above
    assert operator.answer("keys", "set-limit", key["id"], "60000")["data"]["rate_limit"] == 60_000


def test_no_limit_is_set_above_what_one_item_can_count(operator: Operator) -> None:
    key = operator.issue(rate_limit=5).key
    error = operator.answer("keys", "set-limit", key.id, "60001", exit_code=1)
    assert (error["code"], "60000" in error["message"]) == ("validation_error", True)
    assert operator.run("keys", "set-limit", key.id, "0").exit_code == 2
    assert operator.answer("keys", "show", key.id)["data"]["rate_limit"] == 5


def test_a_revoked_key_gets_no_other_limit(operator: Operator) -> None:
    key = operator.issue().key
    operator.run("keys", "revoke", key.id, "--yes")
    error = operator.answer("keys", "set-limit", key.id, "7", exit_code=1)
    assert error["code"] == "not_found"
    assert "revoked" in error["message"]


def test_a_key_is_not_revoked_without_a_yes(operator: Operator) -> None:
    issued = operator.issue()
    result = operator.run("keys", "revoke", issued.key.id, input="y\n")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert operator.answer("keys", "show", issued.key.id)["data"]["state"] == "active"


def test_a_key_of_another_user_is_not_found_under_this_one(operator: Operator) -> None:
    key = operator.issue().key
    for command in (["show", key.id], ["revoke", key.id, "--yes"], ["set-limit", key.id, "7"]):
        error = operator.answer("keys", *command, "--user", USER, exit_code=1)
        assert error["code"] == "not_found"
    assert operator.answer("keys", "show", str(uuid4()), exit_code=1)["code"] == "not_found"


def test_a_credential_in_place_of_an_id_is_refused_and_not_repeated(operator: Operator) -> None:
    raw_key = operator.issue().raw_key
    commands = (["keys", "show"], ["keys", "revoke"], ["keys", "set-limit"], ["users", "keys"])
    for command in commands:
        result = operator.run(*command, raw_key)
        assert result.exit_code == 2
        assert raw_key not in result.output


def test_the_first_admin_key_is_made_once(operator: Operator) -> None:
    data = operator.answer("bootstrap", "--user", USER)["data"]
    assert (data["user_id"], data["scopes"]) == (USER, ["admin"])
    assert operator.answer("bootstrap", exit_code=1)["code"] == "conflict"
    assert keys_in(operator.items()) == 1


@pytest.mark.parametrize("options", [(), ("--user", USER)])
def test_what_a_used_stack_advises_makes_an_admin_key(
    operator: Operator, options: tuple[str, ...]
) -> None:
    operator.issue()
    told = operator.answer("bootstrap", *options, exit_code=1)["message"]
    (advised,) = re.findall("`chatgrid (.+?)`", told)
    made = operator.answer(*shlex.split(advised))["data"]
    assert made["scopes"] == ["admin"]
    assert not options or made["user_id"] == USER


def test_no_raw_key_is_ever_in_the_store(operator: Operator) -> None:
    made = [operator.run("bootstrap").stdout.strip()]
    made += [
        operator.run("keys", "create", "--user", USER, "--name", "x").stdout.strip()
        for _ in range(2)
    ]
    stored = repr(operator.items())
    assert not any(raw_key[13:] in stored for raw_key in made)


def test_what_would_steer_a_terminal_is_shown_and_not_sent(operator: Operator) -> None:
    key = operator.issue(USER).key
    operator.dynamodb.update_item(
        TableName=operator.table,
        Key={"pk": {"S": f"USER#{USER}"}, "sk": {"S": f"KEY#{key.id}"}},
        UpdateExpression="SET #name = :name",
        ExpressionAttributeNames={"#name": "name"},
        ExpressionAttributeValues={":name": {"S": "\x1b[31mred\x07"}},
    )
    shown = operator.run("keys", "list").stdout
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\\x1b[31mred" in shown


def test_a_missing_table_is_a_fault_and_not_an_absent_key(operator: Operator) -> None:
    operator.dynamodb.delete_table(TableName=operator.table)
    for command in (["keys", "list"], ["users", "keys", USER], ["keys", "show", str(uuid4())]):
        assert operator.answer(*command, exit_code=3)["code"] == "not_there"
