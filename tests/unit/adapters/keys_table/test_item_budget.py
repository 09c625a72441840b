"""Each byte of a key's item and each operator of its decision is given to somebody, within bounds.

Whoever adds an attribute or a clause takes it out of what is left.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from chatgrid_auth.adapters.keys_table import items, key_items
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.credentials import ApiKey
from chatgrid_auth.domain.keys import tag_of
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.costs import HIGHEST_COST, MOST_COSTS, counter, named
from chatgrid_auth.services.gate.requests import Request
from tests.support.tables.decisions import on_the_wire

NOW_MS = 1_795_000_000_250
#: DynamoDB: one write unit, one expression's operators and its bytes.
UNIT_BYTES, MOST_OPERATORS, MOST_EXPRESSION_BYTES = 1_024, 300, 4_096
OLD, NEW = "a" * 64, "b" * 64
#: The most that was met, and what three lost upkeeps in a row may leave.
NAMES = window.MAX_CHECKPOINTS + 3
CHECKPOINT_BYTES = 10
#: As many as a deployment may have, each as long as it may be.
COSTS = tuple(range(HIGHEST_COST - MOST_COSTS + 1, HIGHEST_COST + 1))

#: What each attribute is for, and its bytes where DynamoDB counts a byte more for each number.
BYTES = {
    "pk, sk": 73,  # where it lies: KEY#, 64 digits of the hash; #
    "own, id": 37,  # whose it is, which it is: 16 bytes each
    "lvl": 6,  # the scopes as a level, there while the key is active
    "lim, used, cap": 25,  # the limit granted; admitted ever; admitted and limit
    "gw": 22,  # the gateway key of its own
    "v": 6,  # which policy holds
    "c": 6,  # how many changes were committed, which the next one has to have seen
    "e": 2,  # an imported key of the test environment
    "cur": 9,  # which secret is the current one
    "x…": 32,  # until when each of two secrets passes
    "s…": 24,  # when each of two was last used
    "m": 10,  # a change that is not in the books yet
    "top, due": 22,  # credits, and their refill
    "g, u…": 39,  # which costs are kept, and as many shadows of `used` as a deployment may have
    "checkpoints": NAMES * CHECKPOINT_BYTES,
}
#: What each clause of the condition is for, and its operators, the AND before it included.
OPERATORS = {
    "lvl >= :lvl": 1,  # active, and the scope suffices
    "#x > :now": 2,  # the secret passes
    "(attribute_not_exists(v) OR v = :v)": 4,  # decided by the policy that holds
    "(attribute_not_exists(due) OR due > :now)": 4,  # no refill is due
    "(attribute_not_exists(top) OR #u < top)": 4,  # credits are left
    "attribute_not_exists(g)": 2,  # no costs are kept, or `g = :g`, these
    "#u<cap": 2,  # no cost above the limit
    "ceilings": 4 * window.MINUTE.checks,  # the window
}


def kept(*costs: int) -> dict[str, Any]:
    """What an item holds of these costs near a rebase."""
    shadows = {counter(cost): items.n(899_999 + cost - 1) for cost in costs}
    return {items.GENERATION: named(costs), **shadows}


def worst_item() -> dict[str, Any]:
    """A rotated, imported key with a policy, credits and costs, used every second near a rebase."""
    made = ApiKey(
        id="ffffffff-ffff-7fff-bfff-ffffffffffff",
        owner="ffffffff-ffff-4fff-bfff-ffffffffffff",
        name="key",
        prefix="k",
        scopes=("admin",),
        environment="test",
        rate_limit=60_000,
        created_at_ms=NOW_MS,
        expires_at_ms=1_999_999_999_999,
    )
    home = key_items.credential(made, OLD, imported=True)
    six = items.n(899_999)
    return {
        **home,
        items.LIMIT: items.n(59_999),
        items.GATEWAY_KEY: items.s("u" * usage_keys.VALUE_LENGTH),
        items.VERSION: items.n(999_999),
        items.CHANGES: items.n(999_999),
        items.CURRENT: items.s(tag_of(NEW)),
        items.until(tag_of(NEW)): items.n(1_999_999_999_999),
        items.used_at(tag_of(OLD)): items.n(1_799_999_999_999),
        items.used_at(tag_of(NEW)): items.n(1_799_999_999_999),
        items.MARKS: {"SS": ["tttttt"]},
        "used": six,
        "cap": six,
        "top": items.n(9_999_999_999),
        "due": items.n(1_799_999_999_999),
        **kept(*COSTS),
        **dict.fromkeys(window.checkpoint_names(NOW_MS // 1_000, NAMES), six),
    }


def bytes_of(name: str, typed: dict[str, Any]) -> int:
    """An attribute's bytes, a number counted with one more than AWS documents."""
    ((kind, value),) = typed.items()
    match kind:
        case "N":
            return len(name) + (len(value.rstrip("0") or "0") + 1) // 2 + 2
        case "SS":
            return len(name) + 3 + sum(map(len, value))
        case _:
            return len(name) + len(value)


def place_of(name: str) -> str:
    """The line of the budget that an attribute is on."""
    if window.is_checkpoint(name):
        return "checkpoints"
    if items.is_until(name):
        return "x…"
    if items.is_used_at(name):
        return "s…"
    if re.fullmatch(r"u\d+", name):
        return "g, u…"
    (place,) = (line for line in BYTES if name in re.split(r", ", line))
    return place


def decision(*classes: int, **facts: Any) -> dict[str, Any]:
    """The request of a decision, as it is sent."""
    asked: list[bytes] = []

    class Store:
        def call_encoded(self, operation: str, body: bytes) -> dict[str, Any]:
            asked.append(body)
            return {"Attributes": on_the_wire(worst_item())}

    decisions = KeyDecisions(Store(), table="keys", classes=classes)
    decisions.admit(OLD, now_ms=NOW_MS, request=Request("read", **facts))
    request: dict[str, Any] = json.loads(asked[0])
    return request


def operators_in(expression: str) -> int:
    """Operators and functions, AND among them, as DynamoDB Local was seen to count them."""
    return len(re.findall(r"\bAND\b|\bOR\b|[<>]=?|=|\+|-|\w+(?=\()(?<!AND)(?<!OR)", expression))


def test_the_worst_item_with_every_feature_on_is_one_write_unit() -> None:
    spent = dict.fromkeys(BYTES, 0)
    for name, typed in worst_item().items():
        spent[place_of(name)] += bytes_of(name, typed)
    over = {line: spent[line] - BYTES[line] for line in BYTES if spent[line] > BYTES[line]}
    assert over == {}
    assert sum(BYTES.values()) <= UNIT_BYTES


def test_a_decision_has_each_of_its_operators_from_the_budget() -> None:
    text = decision()["ConditionExpression"]
    for clause in OPERATORS:
        if clause != "ceilings":
            assert clause in text
            text = text.replace(clause, "", 1)
    ceilings = re.findall(r"\(attribute_not_exists\((\w+)\) OR #u<\1\)", text)
    assert len(ceilings) == window.MINUTE.checks
    assert re.sub(r"\(attribute_not_exists\((\w+)\) OR #u<\1\)| AND ", "", text) == ""


@pytest.mark.parametrize("expression", ["ConditionExpression", "UpdateExpression"])
@pytest.mark.parametrize("spares", [False, True])
@pytest.mark.parametrize("classes", [(), COSTS])
def test_a_decisions_expressions_stay_within_dynamodbs_bounds(
    expression: str, classes: tuple[int, ...], spares: bool
) -> None:
    facts = {"cost": classes[-1] if classes else 1, "spares_credits": spares}
    text = decision(*classes, **facts)[expression]
    counted = operators_in(text)
    assert counted <= MOST_OPERATORS
    if expression == "ConditionExpression":
        assert counted <= sum(OPERATORS.values())
    assert len(text) <= MOST_EXPRESSION_BYTES


def test_costs_of_two_deployments_at_once_fit_by_the_documented_count() -> None:
    """While one replaces the other, an item keeps one cost more than either may have."""
    item = {**worst_item(), **kept(HIGHEST_COST - MOST_COSTS, *COSTS)}
    assert len(item[items.GENERATION]["S"].split(",")) == MOST_COSTS + 1
    numbers = sum("N" in typed for typed in item.values())
    assert sum(bytes_of(name, typed) for name, typed in item.items()) - numbers <= UNIT_BYTES


def test_no_attribute_but_a_checkpoint_has_five_characters() -> None:
    """By that the window tells its own, and IAM what the authorizer may write."""
    names = window.checkpoint_names(NOW_MS // 1_000, NAMES)
    assert [n for n in worst_item() if window.is_checkpoint(n)] == names
