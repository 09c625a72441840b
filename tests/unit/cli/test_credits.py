"""Credits by the operator's command: given, shown, changed, ended, and added to."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.support.cli import Operator


def made(operator: Operator, *options: str) -> str:
    facts = ("keys", "create", "--user", str(uuid4()), "--name", "n", *options)
    key_id: str = operator.answer(*facts)["data"]["id"]
    return key_id


def test_a_key_is_made_with_credits_and_shown_with_them(operator: Operator) -> None:
    key_id = made(operator, "--credits", "500", "--refill", "1000/month")
    plain = made(operator)
    held = operator.answer("keys", "show", key_id)["data"]["credits"]
    assert (held["remaining"], held["refill"]["amount"]) == (500, 1_000)
    assert held["refill"]["interval"] == "month"
    assert held["refill"]["next_at"].endswith("-01T00:00:00.000Z")
    assert "500 left, 1000 each month, next" in operator.run("keys", "show", key_id).stdout
    listed = {key["id"]: key["credits"] for key in operator.answer("keys", "list")["data"]}
    assert (listed[key_id], listed[plain]) == (held, None)
    assert "500" in operator.run("keys", "list").stdout


def test_credits_change_and_end_while_the_rest_stays(operator: Operator) -> None:
    key_id = made(operator, "--credits", "5", "--refill", "9/day")
    for said, left, amount in (
        (("update", key_id, "--credits", "7"), 7, 9),
        (("update", key_id, "--refill", "3/week"), 7, 3),
        (("credits", key_id, "add", "4"), 11, 3),
        (("update", key_id, "--refill", "none"), 11, None),
        (("credits", key_id, "set", "2"), 2, None),
    ):
        held = operator.answer("keys", *said)["data"]["credits"]
        assert (held["remaining"], held["refill"] and held["refill"]["amount"]) == (left, amount)
    assert operator.answer("keys", "update", key_id, "--credits", "none")["data"]["credits"] is None
    refused = operator.answer("keys", "credits", key_id, "add", "1", exit_code=2)
    assert refused["code"] == "no_credits"


@pytest.mark.parametrize(
    "options",
    [
        ("--credits", "many"),
        ("--credits", "-1"),
        ("--credits", "none", "--refill", "1/day"),
        ("--credits", "1", "--refill", "day"),
    ],
)
def test_what_is_no_number_of_credits_is_wrong_usage(
    operator: Operator, options: tuple[str, ...]
) -> None:
    facts = ("keys", "create", "--user", str(uuid4()), "--name", "n", *options)
    assert operator.run(*facts).exit_code == 2


def test_rules_of_credits_are_the_apis(operator: Operator) -> None:
    key_id = made(operator)
    broken = {
        "--credits": ("--refill", "1/day"),
        "--refill": ("--credits", "1", "--refill", "1/year"),
    }
    for option, options in broken.items():
        result = operator.run("keys", "update", key_id, *options)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"chatgrid: {option}: ")


def test_no_limit_below_the_dearest_cost_is_given(operator: Operator) -> None:
    operator.management["ROUTE_COSTS"] = '{"POST /exports": 10}'
    key_id = made(operator, "--rate-limit", "10")
    assert operator.run("keys", "set-limit", key_id, "9").exit_code == 1
    facts = ("keys", "create", "--user", str(uuid4()), "--name", "n", "--rate-limit", "9")
    assert operator.run(*facts).exit_code == 1
