"""`chatgrid leaks report`: the keys in a file are acted upon, and nothing of it is shown."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from chatgrid_auth.domain import keys
from tests.support.cli import Operator
from tests.support.tokens import token_of


def key_of(operator: Operator, user: str) -> tuple[str, str]:
    made = operator.answer("keys", "create", "--user", user, "--name", "CI")["data"]
    return made["id"], made["raw_key"]


def reason(operator: Operator, user: str, key_id: str) -> str | None:
    shown = operator.answer("keys", "show", key_id, "--user", user)["data"]
    found: str | None = shown["disabled_reason"]
    return found


def test_keys_and_tokens_in_a_file_are_disabled(operator: Operator, tmp_path: Path) -> None:
    user = str(uuid4())
    leaked, parent, safe = (key_of(operator, user) for _ in range(3))
    file = tmp_path / "found.txt"
    made_up = keys.generate("live", entropy=os.urandom)
    file.write_text("\n".join([leaked[1], "", "nothing", made_up, token_of(parent[1])]))
    answer = operator.answer("leaks", "report", str(file), "--url", "https://paste.example/1")
    assert answer["received"] == 4
    assert {row["id"] for row in answer["data"]} == {leaked[0], parent[0]}
    assert leaked[1] not in str(answer)
    assert [reason(operator, user, one) for one, _ in (leaked, parent, safe)] == [
        "exposed",
        "exposed",
        None,
    ]
    entry = operator.answer("audit", "list", "--owner", user)["data"][0]
    assert (entry["action"], entry["actor"]["type"]) == ("api_key.exposed", "operator")
    assert entry["changes"]["exposed_url"]["to"] == "https://paste.example/1"


def test_a_stack_that_only_notes_leaks_lets_the_key_go_on(
    operator: Operator, tmp_path: Path
) -> None:
    operator.parameters["LeakResponse"] = "report"
    user = str(uuid4())
    leaked = key_of(operator, user)
    file = tmp_path / "found.txt"
    file.write_text(leaked[1])
    text = operator.run("leaks", "report", str(file))
    assert text.exit_code == 0
    assert leaked[1] not in text.output
    assert f"Key {leaked[0]} is left as it is: LeakResponse is report." in text.stdout
    assert reason(operator, user, leaked[0]) is None


def test_a_file_without_a_secret_of_this_stack_is_no_fault(
    operator: Operator, tmp_path: Path
) -> None:
    file = tmp_path / "found.txt"
    file.write_text(keys.generate("live", entropy=os.urandom))
    text = operator.run("leaks", "report", str(file))
    assert text.exit_code == 0
    assert "1 line, 0 secrets of this stack." in text.output


@pytest.mark.parametrize(
    ("response", "told"), [("disable", "is disabled now"), ("revoke", "is revoked now")]
)
def test_a_report_tells_what_became_of_each_key(
    operator: Operator, response: str, told: str
) -> None:
    operator.parameters["LeakResponse"] = response
    leaked = key_of(operator, str(uuid4()))
    text = operator.run("leaks", "report", "-", input=f"{leaked[1]}\n")
    assert f"Key {leaked[0]} {told}." in text.stdout
    assert "1 line, 1 secret of this stack." in text.output
    again = operator.run("leaks", "report", "-", input=f"{leaked[1]}\n").stdout
    assert (told in again) == (response == "disable"), "a revoked key was in no danger"
