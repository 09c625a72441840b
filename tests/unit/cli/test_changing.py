"""`chatgrid keys update`, `enable` and `disable`: what an operator changes of anybody's key."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator


def fault(operator: Operator, raw_key: str) -> str | None:
    """Why a gate that remembers nothing refuses this secret."""
    found = operator.gate().admit(keys.hash_of(raw_key), now_ms=now_ms(), request=Request("read"))
    assert found is not None
    return found.fault


def test_what_is_named_is_changed_and_nothing_else(operator: Operator) -> None:
    key = operator.issue(metadata={"team": "core", "stage": "one"}).key
    before = operator.answer("keys", "show", key.id)["data"]
    options = ("--name", "Deploys", "--scope", "read", "--scope", "write", "--rate-limit", "7")
    notes = ("--metadata", "stage=", "--metadata", "owner=ada", "--self-rotation")
    data = operator.answer("keys", "update", key.id, *options, *notes)["data"]
    assert operator.answer("keys", "show", key.id)["data"] == data
    assert {name: data[name] for name in data if data[name] != before[name]} == {
        "name": "Deploys",
        "scopes": ["read", "write"],
        "rate_limit": 7,
        "rate_limit_remaining": 7,
        "metadata": {"team": "core", "owner": "ada"},
        "self_rotation": True,
        "updated_at": data["updated_at"],
    }


def test_an_expiry_is_given_and_taken_away(operator: Operator) -> None:
    key = operator.issue().key
    given = operator.answer("keys", "update", key.id, "--expires", "2099-01-01T00:00:00Z")
    assert given["data"]["expires_at"] == "2099-01-01T00:00:00.000Z"
    taken = operator.answer("keys", "update", key.id, "--expires", "never")
    assert taken["data"]["expires_at"] is None


def test_a_key_that_is_disabled_is_refused_until_it_is_enabled(operator: Operator) -> None:
    issued = operator.issue()
    told = operator.run("keys", "disable", issued.key.id)
    named = f"Key {issued.key.id} ('key', {issued.key.prefix}…)"
    assert (told.exit_code, told.stdout) == (0, f"{named} is disabled.\n")
    assert fault(operator, issued.raw_key) == "disabled"
    shown = operator.answer("keys", "show", issued.key.id)["data"]
    assert (shown["state"], shown["disabled_reason"]) == ("disabled", "manual")
    told = operator.run("keys", "enable", issued.key.id)
    assert (told.exit_code, told.stdout) == (0, f"{named} is enabled.\n")
    assert fault(operator, issued.raw_key) is None


def test_people_are_told_how_long_a_remembered_refusal_lasts(operator: Operator) -> None:
    key_id = operator.issue().key.id
    assert "five seconds" not in operator.run("keys", "disable", key_id).output
    assert "may refuse it for up to five seconds more" in operator.run(
        "keys", "enable", key_id
    ).stderr.replace("\n", " ")
    assert "five seconds" not in operator.run("keys", "enable", key_id, "--json").output


def test_a_disabled_key_can_be_revoked_and_not_rotated(operator: Operator) -> None:
    key = operator.issue().key
    operator.answer("keys", "disable", key.id)
    assert operator.answer("keys", "rotate", key.id, exit_code=1)["code"] == "conflict"
    operator.answer("keys", "revoke", key.id, "--yes")
    for command in ("enable", "disable"):
        error = operator.answer("keys", command, key.id, exit_code=1)
        assert error["code"] == "not_found"


def test_settings_are_shown_in_words_to_people(operator: Operator) -> None:
    key = operator.issue(metadata={"team": "core"}).key
    shown = operator.run("keys", "show", key.id).stdout
    lines = {line.split()[0]: line.split(maxsplit=1)[-1].strip() for line in shown.splitlines()}
    assert (lines["enabled"], lines["self_rotation"]) == ("yes", "no")
    assert lines["metadata"] == "team=core"


@pytest.mark.parametrize("options", [(), ("--metadata", "team"), ("--rate-limit", "0")])
def test_what_says_no_change_is_refused_before_anything_is_read(
    operator: Operator, options: tuple[str, ...]
) -> None:
    key = operator.issue().key
    before = operator.items()
    assert operator.run("keys", "update", key.id, *options).exit_code == 2
    assert operator.items() == before


def test_a_change_that_breaks_a_rule_says_which(operator: Operator) -> None:
    key = operator.issue().key
    error = operator.answer("keys", "update", key.id, "--rate-limit", "60001", exit_code=1)
    assert (error["code"], "60000" in error["message"]) == ("validation_error", True)
