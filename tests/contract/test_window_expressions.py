"""Each store takes the window's expressions and makes of them what the model makes of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.rate_limits_table.counted_windows import CountedWindows
from chatgrid_auth.domain.limits import window
from chatgrid_auth.domain.limits.any_length import of_seconds
from chatgrid_auth.domain.limits.window_upkeep import change_limit, maintenance
from tests.support.memory.window_model import Item
from tests.support.tables.stores import counting, rate_limits_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

NOW_MS = 1_795_000_000_250


class Twins:
    """An item in a store and its model; every write goes to both and must come out the same."""

    def __init__(
        self, client: DynamoDBClient, numbers: dict[str, int], *, seconds: int = 60
    ) -> None:
        self.client = client
        self.kind = of_seconds(seconds)
        self.table = rate_limits_table(client)
        self.model = Item(numbers)
        self.key = {"pk": {"S": "USER#1"}}
        client.put_item(TableName=self.table, Item={**self.key, **self.model.low_level})

    def admit(self, now_ms: int) -> bool:
        plan, times = self.kind.admission(now_ms), self.kind.times(now_ms, self.model.low_level)
        return self.apply(
            {
                "UpdateExpression": f"SET {plan.assignments} REMOVE {plan.removals}",
                "ConditionExpression": plan.condition,
                "ExpressionAttributeNames": {"#u": "used"},
                "ExpressionAttributeValues": {":c": {"N": "1"}, **times},
            }
        )

    def apply(self, parts: dict[str, Any]) -> bool:
        applied = self._write(parts)
        assert applied == self.model.apply(parts)
        self._same()
        return applied

    def _write(self, parts: dict[str, Any]) -> bool:
        try:
            self.client.update_item(TableName=self.table, Key=self.key, **parts)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ConditionalCheckFailedException"  # noqa: PT017
            return False
        return True

    def _same(self) -> None:
        stored = self.client.get_item(TableName=self.table, Key=self.key, ConsistentRead=True)
        numbers = {n: int(v["N"]) for n, v in stored["Item"].items() if n not in self.key}
        assert numbers == self.model.numbers


@pytest.fixture
def chance() -> random.Random:
    return random.Random(7)


def checkpoint(now_ms: int) -> str:
    return window.checkpoint_names(window.MINUTE.written(now_ms), 1)[0]


def test_a_store_admits_and_refuses_exactly_as_the_model(
    client: DynamoDBClient, chance: random.Random
) -> None:
    twins = Twins(client, {"used": 0, "cap": 3})
    verdicts = []
    now_ms = NOW_MS
    for _ in range(40):
        now_ms += chance.choice([0, 300, 900, 2_000, 20_000, 61_000, 61_500, 62_000])
        verdicts.append(twins.admit(now_ms + chance.choice([0, 200, 500])))
    assert 10 < sum(verdicts) < 35


def test_a_store_judges_a_longer_window_exactly_as_the_model(
    client: DynamoDBClient, chance: random.Random
) -> None:
    twins = Twins(client, {"used": 0, "cap": 3}, seconds=3_600)
    verdicts = []
    now_ms = NOW_MS
    for _ in range(40):
        now_ms += chance.choice([0, 900, 100_000, 1_200_000, 3_600_000, 3_601_000, 3_603_000])
        verdicts.append(twins.admit(now_ms + chance.choice([0, 200, 500])))
    assert 10 < sum(verdicts) < 35


def test_who_is_behind_a_last_use_asks_again_and_leaves_it(client: DynamoDBClient) -> None:
    """Two containers on two sides of the edge of two seconds; the later one is judged first."""
    table, requests, edge_ms = rate_limits_table(client), counting(client), NOW_MS // 2_000 * 2_000
    clock = [edge_ms + 100]
    windows = CountedWindows(Boto3Transport(client), table=table, now_ms=lambda: clock[0])
    kind = of_seconds(3_600)
    assert windows.hit("w", limit=2, kind=kind)[0]
    (place, last_use), before = *kind.begun(clock[0]).items(), requests()
    clock[0] = edge_ms - 100
    assert windows.hit("w", limit=2, kind=kind)[0]
    assert requests() - before == 2
    stored = client.get_item(TableName=table, Key={"pk": {"S": "w"}})["Item"]
    assert stored[place] == last_use
    admitted, state = windows.hit("w", limit=2, kind=kind)
    assert not admitted
    assert state.retry_at_ms == edge_ms + 3_603_000


def test_a_store_tells_apart_names_that_differ_in_case_only(client: DynamoDBClient) -> None:
    """`…B` is 21 seconds before `…b`."""
    twins = Twins(client, {"used": 0, "cap": 2})
    names = window.checkpoint_names(NOW_MS // 1_000, 100)
    upper = next(name for name in names if name.endswith("B"))
    lower = upper[:-1] + "b"
    first_ms = (window.checkpoint_of(upper) - window.MINUTE.span) * 1_000
    assert twins.admit(first_ms)
    assert twins.admit(first_ms + 21_000)
    assert twins.model.numbers == {"used": 2, "cap": 4, upper: 2, lower: 3}


def test_a_store_cleans_up_as_the_model(client: DynamoDBClient) -> None:
    numbers = {"used": 500, "cap": 620}
    numbers |= {checkpoint(NOW_MS - age * 1_000): 620 - age for age in range(69)}
    twins = Twins(client, numbers)
    parts = maintenance(twins.model.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    assert twins.apply(parts)
    assert len(twins.model.numbers) == 2 + 65


def test_a_store_rebases_once_as_the_model(client: DynamoDBClient) -> None:
    numbers = {"used": 800_000, "cap": 800_120}
    numbers |= {checkpoint(NOW_MS - age * 1_000): 800_120 - age for age in range(69)}
    twins = Twins(client, numbers)
    parts = maintenance(twins.model.low_level, now_ms=NOW_MS, limit=120)
    assert parts
    assert twins.apply(parts)
    assert not twins.apply(parts)
    assert twins.admit(NOW_MS)


def test_a_store_changes_a_limit_once_as_the_model(client: DynamoDBClient) -> None:
    twins = Twins(client, {"used": 0, "cap": 2})
    assert [twins.admit(NOW_MS) for _ in range(3)] == [True, True, False]
    parts = change_limit(twins.model.low_level, now_ms=NOW_MS, limit=3)
    assert twins.apply(parts)
    assert not twins.apply(parts)
    assert [twins.admit(NOW_MS) for _ in range(2)] == [True, False]


def test_no_upkeep_makes_an_item_that_is_not_there(client: DynamoDBClient) -> None:
    twins = Twins(client, {"used": 800_000, "cap": 800_120, checkpoint(NOW_MS): 800_120})
    parts = maintenance(twins.model.low_level, now_ms=NOW_MS, limit=60)
    assert parts
    client.delete_item(TableName=twins.table, Key=twins.key)
    assert not twins._write(parts)
    assert "Item" not in client.get_item(TableName=twins.table, Key=twins.key)
