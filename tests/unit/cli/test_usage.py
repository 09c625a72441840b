"""`chatgrid usage`: of one key, one user or all, as bars or as a document."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.usage_table import layout
from chatgrid_auth.services.usage.buckets import start_of
from chatgrid_cli.values import now_ms
from tests.support.cli import Operator


def happened(operator: Operator, pk: str, granularity: str, **counts: int) -> None:
    """Put a bucket there that holds now."""
    start_ms = start_of(now_ms(), granularity)
    told: dict[str, Any] = {}
    for column, count in counts.items():
        letter = layout.LETTERS[column]
        told |= {letter: {"N": str(count)}, f"{letter} GET /boards": {"N": str(count)}}
    place = {"pk": {"S": pk}, "sk": {"S": layout.bucket_sk(granularity, start_ms)}}
    operator.dynamodb.put_item(TableName=operator.usage_table, Item={**place, **told})


def test_everybodys_usage_is_told_without_a_name(operator: Operator) -> None:
    happened(operator, layout.ALL, "hour", allowed=8, refused=1)

    told = operator.answer("usage")["data"]

    assert told["granularity"] == "hour"
    assert len(told["buckets"]) == 24
    assert sum(bucket["allowed"] for bucket in told["buckets"]) == 8
    assert [(route["route"], route["refused"]) for route in told["routes"]] == [("GET /boards", 1)]


def test_a_key_and_a_user_have_usage_of_their_own(operator: Operator) -> None:
    key, user = str(uuid4()), str(uuid4())
    happened(operator, layout.key_pk(key), "hour", allowed=3)
    happened(operator, layout.owner_pk(user), "hour", allowed=5)

    def allowed(*arguments: str) -> int:
        buckets = operator.answer("usage", *arguments)["data"]["buckets"]
        return sum(bucket["allowed"] for bucket in buckets)

    assert (allowed(key), allowed("--user", user), allowed()) == (3, 5, 0)


@pytest.mark.parametrize(("since", "by"), [("1h", "minute"), ("24h", "hour"), ("30d", "day")])
def test_the_buckets_fit_the_time_that_is_asked_for(
    operator: Operator, since: str, by: str
) -> None:
    assert operator.answer("usage", "--since", since)["data"]["granularity"] == by


def test_a_bar_is_as_long_as_the_requests_are_many(operator: Operator) -> None:
    happened(operator, layout.ALL, "minute", allowed=10)

    shown = operator.run("usage", "--since", "5m", "--by", "minute").stdout

    assert "█" * 24 in shown
    assert "GET /boards" in shown


def test_without_requests_it_is_said_why_there_may_be_none(operator: Operator) -> None:
    assert "three minutes behind" in operator.run("usage").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (str(uuid4()), "--user", str(uuid4())),
        ("--by", "week"),
        ("--since", "soon"),
        ("--since", "30d", "--by", "minute"),
        ("no-id",),
    ],
)
def test_a_question_that_makes_no_sense_is_wrong_usage(
    operator: Operator, arguments: tuple[str, ...]
) -> None:
    assert operator.run("usage", *arguments).exit_code == 2
