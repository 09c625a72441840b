"""Which keys the operator's list shows, and what is left behind by Ctrl-C."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import typer

from chatgrid_auth.adapters.keys_table.key_inventory import KeyInventory
from chatgrid_cli.keys import confirming
from chatgrid_cli.output import Output
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator

DAY_MS = 86_400_000


def listed(operator: Operator, *options: str) -> list[str]:
    return sorted(key["name"] for key in operator.answer("keys", "list", *options)["data"])


def test_an_operators_list_shows_what_its_options_take(operator: Operator) -> None:
    user = str(uuid4())
    operator.issue(user, name="Billing")
    test = operator.issue(user, name="billing test", environment="test").key
    operator.issue(user, name="soon", expires_at_ms=now_ms() + 5 * DAY_MS)
    gone = operator.issue(user, name="gone").key
    operator.run("keys", "revoke", gone.id, "--reason", "superseded", "--yes")
    assert listed(operator, "--name", "BILL") == ["Billing", "billing test"]
    assert listed(operator, "--environment", "test") == ["billing test"]
    assert listed(operator, "--prefix", test.prefix) == ["billing test"]
    assert listed(operator, "--expires-before", "6d") == ["soon"]
    assert listed(operator, "--expires-before", "4d") == []
    assert listed(operator, "--status", "revoked") == ["gone"]
    assert listed(operator, "--unused-since", "1d") == []
    assert listed(operator, "--unused-since", "2999-01-01T00:00:00Z", "--user", user) == [
        "Billing",
        "billing test",
        "soon",
    ]


def test_an_operators_reason_is_kept_with_the_key(operator: Operator) -> None:
    user = str(uuid4())
    key = operator.issue(user).key
    operator.run("users", "revoke", user, "--reason", "affiliation_changed", "--yes")
    assert operator.answer("keys", "show", key.id)["data"]["revocation_reason"] == (
        "affiliation_changed"
    )


def test_a_list_says_when_keys_end(operator: Operator) -> None:
    operator.issue(expires_at_ms=now_ms() + 3 * DAY_MS + 60_000)
    assert "(in 3 days)" in operator.run("keys", "list").stdout


@pytest.mark.parametrize(
    "options",
    [
        ["--prefix", "cgk_live_" + "a" * 32],
        ["--prefix", ""],
        ["--name", "x" * 65],
        ["--unused-since", "yesterday"],
        ["--expires-before", "30"],
        ["--status", "disabled"],
    ],
)
def test_an_unusable_filter_of_a_list_is_wrong_usage(
    operator: Operator, options: list[str]
) -> None:
    result = operator.run("keys", "list", *options)
    assert result.exit_code == 2
    assert "a" * 32 not in result.output


def test_ctrl_c_at_a_question_is_an_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        abort = typer.Abort()
        abort.__context__ = KeyboardInterrupt()
        raise abort

    monkeypatch.setattr(confirming, "is_terminal", lambda _: True)
    monkeypatch.setattr(typer, "confirm", interrupted)
    with pytest.raises(typer.Exit) as stopped:
        confirming.confirm(Output(as_json=False), "a key", "Sure?", yes=False)
    assert stopped.value.exit_code == 130


def test_an_interrupted_export_leaves_no_half_file(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.issue()
    whole = KeyInventory.every_key

    def cut_off(self: Any, **how: Any) -> Any:
        yield from whole(self, **how)
        raise KeyboardInterrupt

    monkeypatch.setattr(KeyInventory, "every_key", cut_off)
    file = tmp_path / "keys.jsonl"
    assert operator.run("export", "--out", str(file)).exit_code == 130
    assert not file.exists()
