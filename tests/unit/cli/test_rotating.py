"""`chatgrid keys rotate`, `end-secret` and `show --secrets`, and what becomes of a lost secret."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.rotation.rotations import DynamoRotations
from chatgrid_auth.domain import keys
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_auth.services.gate.requests import Request
from chatgrid_cli.output import Output
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator


def passes(operator: Operator, raw_key: str) -> bool:
    """Whether a gate that remembers nothing admits this secret."""
    found = operator.gate().admit(keys.hash_of(raw_key), now_ms=now_ms(), request=Request("read"))
    return found is not None and found.admitted


def test_standard_output_gets_the_new_secret_and_nothing_else(operator: Operator) -> None:
    issued = operator.issue()
    result = operator.run("keys", "rotate", issued.key.id)
    assert result.exit_code == 0
    raw_key = result.stdout.strip()
    assert keys.is_well_formed(raw_key)
    assert "former secret works until" in result.stderr
    assert passes(operator, raw_key)
    assert passes(operator, issued.raw_key)


def test_a_grace_of_nothing_ends_the_former_secret(operator: Operator) -> None:
    issued = operator.issue()
    data = operator.answer("keys", "rotate", issued.key.id, "--grace", "0")["data"]
    assert data["previous_secret"] is None
    assert passes(operator, data["raw_key"])
    assert not passes(operator, issued.raw_key)


def test_only_force_ends_a_previous_secret_on_the_way(operator: Operator) -> None:
    issued = operator.issue()
    operator.answer("keys", "rotate", issued.key.id)
    error = operator.answer("keys", "rotate", issued.key.id, exit_code=1)
    assert error["code"] == "previous_secret_active"
    assert passes(operator, issued.raw_key)
    operator.answer("keys", "rotate", issued.key.id, "--force")
    assert not passes(operator, issued.raw_key)


def test_a_secret_can_be_ended_by_itself(operator: Operator) -> None:
    issued = operator.issue()
    raw_key = operator.answer("keys", "rotate", issued.key.id)["data"]["raw_key"]
    ended = operator.answer("keys", "end-secret", issued.key.id)
    assert ended["data"]["previous_secret"] is None
    assert not passes(operator, issued.raw_key)
    assert passes(operator, raw_key)


def test_a_key_without_a_previous_secret_is_told_apart_from_no_key(operator: Operator) -> None:
    issued = operator.issue()
    told = operator.answer("keys", "end-secret", issued.key.id, exit_code=1)
    assert (told["code"], told["message"]) == ("not_found", "this key has no previous secret")
    told = operator.answer("keys", "end-secret", str(uuid4()), exit_code=1)
    assert (told["code"], told["message"]) == ("not_found", "there is no such key")


def test_each_secret_is_shown_by_prefix_end_and_last_use(operator: Operator) -> None:
    issued = operator.issue()
    assert passes(operator, issued.raw_key)
    raw_key = operator.answer("keys", "rotate", issued.key.id)["data"]["raw_key"]
    data = operator.answer("keys", "show", issued.key.id, "--secrets")["data"]
    current, former = data["secrets"]
    assert (current["key_prefix"], current["which"]) == (raw_key[:13], "current")
    assert (current["expires_at"], current["last_used_at"]) == (None, None)
    assert (former["key_prefix"], former["which"]) == (issued.raw_key[:13], "previous")
    assert former["expires_at"]
    assert former["last_used_at"]
    text = operator.run("keys", "show", issued.key.id, "--secrets").output
    assert raw_key[:13] in text
    for secret in (issued.raw_key, raw_key):
        assert keys.hash_of(secret) not in text + str(data)
        assert secret not in text + str(data)


def test_without_being_asked_no_secret_is_listed(operator: Operator) -> None:
    issued = operator.issue()
    assert "secrets" not in operator.answer("keys", "show", issued.key.id)["data"]


def test_a_revoked_key_has_no_secrets_to_show_and_none_to_rotate(operator: Operator) -> None:
    issued = operator.issue()
    operator.run("keys", "revoke", issued.key.id, "--yes")
    assert operator.answer("keys", "show", issued.key.id, "--secrets")["data"]["secrets"] == []
    assert operator.answer("keys", "rotate", issued.key.id, exit_code=1)["code"] == "not_found"


def test_a_secret_that_cannot_be_written_is_told_with_what_works(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = operator.issue()

    def full(_: Output, line: str) -> None:
        assert keys.is_well_formed(line)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Output, "raw", full)
    result = operator.run("keys", "rotate", issued.key.id)
    assert result.exit_code == 3
    assert "No space left on device" in result.stderr
    assert issued.raw_key[:13] in result.stderr
    assert passes(operator, issued.raw_key)


def test_where_there_is_no_place_for_it_nothing_is_rotated(
    operator: Operator, tmp_path: Path
) -> None:
    issued = operator.issue()
    taken = tmp_path / "key"
    taken.write_text("mine")
    assert operator.run("keys", "rotate", issued.key.id, "--out", str(taken)).exit_code != 0
    assert operator.answer("keys", "show", issued.key.id)["data"]["key_prefix"] == issued.key.prefix
    fresh = tmp_path / "fresh"
    assert operator.run("keys", "rotate", issued.key.id, "--out", str(fresh)).exit_code == 0
    assert passes(operator, fresh.read_text().strip())
    assert fresh.stat().st_mode & 0o777 == 0o600


def test_a_rotation_whose_answer_was_lost_tells_what_to_do(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    issued = operator.issue()

    def lost(*_: object, **__: object) -> bool:
        raise StoreUnavailable("UpdateItem", "ReadTimeoutError")

    monkeypatch.setattr(DynamoRotations, "rotate", lost)
    result = operator.run("keys", "rotate", issued.key.id)
    assert result.exit_code == 3
    assert f"chatgrid keys show {issued.key.id} --secrets" in result.stderr
    assert (
        f"chatgrid keys rotate {issued.key.id} --user {issued.key.owner} --force" in result.stderr
    )
    assert "cannot be reached" in result.stderr
    assert result.stdout == ""
