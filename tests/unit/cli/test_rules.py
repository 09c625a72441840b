"""The rules of a key at the operator's command: given, shown, explained and moved along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.domain.keys import hash_of
from tests.support.cli import Operator

USER = "0f8fad5b-d9cb-469f-a165-70867728950e"
RULES = {
    "allowed_ips": ["192.0.2.0/24", "2001:DB8::/32"],
    "permissions": ["boards:*", "keys:verify"],
}


def options() -> list[str]:
    flags = {"allowed_ips": "--allow-ip", "permissions": "--permission"}
    return [text for name, values in RULES.items() for one in values for text in (flags[name], one)]


def made(operator: Operator) -> dict[str, Any]:
    given = ("--user", USER, "--name", "CI", *options())
    data: dict[str, Any] = operator.answer("keys", "create", *given)["data"]
    return data


def test_an_operator_gives_rules_and_takes_them_away(operator: Operator) -> None:
    key_id = made(operator)["id"]
    shown = operator.answer("keys", "show", key_id)["data"]
    assert {name: shown[name] for name in RULES} == RULES
    assert "192.0.2.0/24, 2001:DB8::/32" in operator.run("keys", "show", key_id).stdout
    cleared = operator.answer("keys", "update", key_id, "--any-ip")["data"]
    assert (cleared["allowed_ips"], cleared["permissions"]) == (None, RULES["permissions"])
    given = ("--any-permission", "--allow-ip", "::1")
    changed = operator.answer("keys", "update", key_id, *given)["data"]
    assert (changed["allowed_ips"], changed["permissions"]) == (["::1"], None)
    assert operator.run("keys", "update", key_id, "--any-ip", "--allow-ip", "::1").exit_code == 2


@pytest.mark.parametrize("option", [("--allow-ip", "192.0.2.1/24"), ("--permission", "boards")])
def test_a_rule_that_means_nothing_makes_no_key(
    operator: Operator, option: tuple[str, str]
) -> None:
    result = operator.run("keys", "create", "--user", USER, "--name", "CI", *option)
    assert result.exit_code
    assert "must" in result.output.lower() or "bit" in result.output
    assert option[1] not in result.output.replace(" ".join(option), "")
    assert not operator.answer("keys", "list")["data"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--kind", "publishable"), "--origin: Required"),
        (("--kind", "publishable", "--origin", "x"), "--origin (no. 1): "),
        (("--kind", "publishable", "--origin", "https://a.b", "--scope", "write"), "--scope: "),
        (("--rate-limit", "60001"), "--rate-limit: "),
        (("--allow-ip", "::1", "--allow-ip", "192.0.2.1/24"), "--allow-ip (no. 2): "),
        (("--permission", "boards"), "--permission (no. 1): "),
        (("--refill", "5/month"), "--credits: "),
        (("--credits", "1", "--refill", "5/year"), "--refill: "),
    ],
)
def test_a_rule_that_is_broken_is_told_by_its_option(
    operator: Operator, options: tuple[str, ...], told: str
) -> None:
    result = operator.run("keys", "create", "--user", USER, "--name", "CI", *options)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"chatgrid: {told}"), result.stderr


def test_a_field_that_a_command_has_no_option_for_keeps_its_name(operator: Operator) -> None:
    key_id = operator.issue().key.id
    assert "chatgrid: rate_limit: " in operator.run("keys", "set-limit", key_id, "60001").stderr


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        (("--source-ip", "192.0.2.7"), "api-key"),
        (("--source-ip", "192.0.2.7", "--permission", "keys:verify"), "api-key"),
        (("--source-ip", "203.0.113.7"), "address"),
        ((), "address"),
        (("--source-ip", "::ffff:192.0.2.7", "--permission", "exports:run"), "permission"),
        (("--source-ip", "192.0.2.7", "--scope", "admin", "--permission", "a:b"), "scope"),
    ],
)
def test_a_verdict_tells_which_rule_stands_first(
    operator: Operator, more: tuple[str, ...], reason: str
) -> None:
    raw_key = made(operator)["raw_key"]
    result = operator.run("verify", "--json", *more, input=raw_key + "\n")
    assert json.loads(result.stdout)["data"]["reason"] == reason
    assert result.exit_code == (0 if reason == "api-key" else 1)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_moving_a_key_widens_none_of_its_rules(
    operator: Operator, tmp_path: Path, form: str
) -> None:
    """As another key of the same stack, so that both are there to be compared."""
    key = made(operator)
    text = operator.run("export", "--format", form, "--with-hashes").stdout
    another, moved = str(uuid4()), tmp_path / f"keys.{form}"
    text = text.replace(key["id"], another).replace(hash_of(key["raw_key"]), hash_of(another))
    moved.write_text(text)
    operator.answer("import", str(moved))
    shown = operator.answer("keys", "show", another)["data"]
    assert {name: shown[name] for name in RULES} == RULES
