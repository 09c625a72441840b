"""`chatgrid tokens rotate-secret`: one command, and no token ends by it unless asked for."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from chatgrid_auth.domain import keys
from chatgrid_auth.services.gate.derived_tokens import DerivedTokens
from chatgrid_cli.tokens import commands
from chatgrid_cli.tokens.secret import StackTokenSecret
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator, a_client
from tests.support.tokens import token_of

FIRST = "first-secret-of-a-test-stack-of-no-use-elsewhere"
KEY = keys.generate("live", entropy=os.urandom)


class Secret:
    """The stack's secret as Secrets Manager keeps it, and what the gate makes of it."""

    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        self.client: Any = a_client("secretsmanager")
        text = json.dumps({"current": FIRST, "previous": ""})
        made = self.client.create_secret(Name=os.urandom(8).hex(), SecretString=text)
        self.arn = operator.authorizer["TOKEN_SECRET_ARN"] = made["ARN"]

    def kept(self) -> dict[str, str]:
        found = self.client.get_secret_value(SecretId=self.arn)["SecretString"]
        kept: dict[str, str] = json.loads(found)
        return kept

    def accepts(self, made_with: str) -> bool:
        gate = DerivedTokens(StackTokenSecret(self.operator.stack()))
        return gate.read(token_of(KEY, secret=made_with.encode()), now_ms=now_ms()) is not None


@pytest.fixture
def secret(operator: Operator) -> Secret:
    return Secret(operator)


def test_tokens_of_both_secrets_are_accepted_after_one_command(secret: Secret) -> None:
    result = secret.operator.run("tokens", "rotate-secret")
    assert result.exit_code == 0
    new = secret.kept()["current"]
    assert secret.kept() == {"current": new, "previous": FIRST}
    assert new != FIRST
    assert secret.accepts(FIRST)
    assert secret.accepts(new)
    assert new not in result.output + str(secret.operator.trail())


def test_a_second_rotation_waits_until_no_token_of_the_first_lives(
    secret: Secret, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret.operator.run("tokens", "rotate-secret")
    kept = secret.kept()
    for early_ms in (0, commands.OVERLAP_MS - 5_000):
        later_ms = now_ms() + early_ms
        monkeypatch.setattr(commands, "now_ms", lambda at=later_ms: at)
        refused = secret.operator.run("tokens", "rotate-secret")
        assert (refused.exit_code, secret.kept()) == (1, kept)
    later_ms = now_ms() + commands.OVERLAP_MS + 1_000
    monkeypatch.setattr(commands, "now_ms", lambda: later_ms)
    assert secret.operator.run("tokens", "rotate-secret").exit_code == 0
    assert secret.kept()["previous"] == kept["current"]
    assert secret.accepts(kept["current"])
    assert not secret.accepts(FIRST)


def test_without_an_overlap_only_the_new_secret_counts_at_once(secret: Secret) -> None:
    secret.operator.run("tokens", "rotate-secret")
    leaked = secret.kept()["current"]
    answer = secret.operator.answer("tokens", "rotate-secret", "--no-overlap")
    assert answer["data"] == {"rotated": True, "overlap": False}
    assert not secret.accepts(leaked)
    assert not secret.accepts(FIRST)
    assert secret.accepts(secret.kept()["current"])


def test_a_secret_that_cannot_be_used_is_told_and_left_alone(secret: Secret) -> None:
    for text in ("", "{", '{"current": "short"}', "[]"):
        secret.client.put_secret_value(SecretId=secret.arn, SecretString=text or "null")
        result = secret.operator.run("tokens", "rotate-secret")
        assert result.exit_code == 3
        found = secret.client.get_secret_value(SecretId=secret.arn)["SecretString"]
        assert found == (text or "null")
        assert "short" not in result.output


def test_verify_tells_an_ended_token_from_one_that_is_none(secret: Secret) -> None:
    ended = token_of(KEY, secret=FIRST.encode(), expires_at_ms=now_ms() - 1_000)
    for token, told in (
        (ended, "it has ended, or another stack made it"),
        (ended[:-5], "it starts as a derived token, and is none"),
    ):
        result = secret.operator.run("verify", input=token)
        assert (result.exit_code, told in result.stdout) == (1, True), result.output
        assert token not in result.output
