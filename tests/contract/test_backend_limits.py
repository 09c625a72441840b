"""A backend's own limits on the real store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth import guard
from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.domain.verdicts import API_KEY, Caller
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_devkit.template.expansion import load
from tests.support.aws import VARIABLES
from tests.support.tables.stores import dynamodb, rate_limits_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatgrid_auth.limits import Limits


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What DynamoDB is asked; the connections end with the test."""
    told: list[str] = []
    clients: set[DynamoDB] = set()
    call = DynamoDB.call_encoded

    def noted(client: DynamoDB, operation: str, body: bytes) -> Any:
        told.append(operation)
        clients.add(client)
        return call(client, operation, body)

    monkeypatch.setattr(DynamoDB, "call_encoded", noted)
    yield told
    for client in clients:
        client.reset()


@pytest.fixture
def limits(ministack: Ministack, asked: list[str]) -> Limits:
    """What a function's environment makes."""
    table = rate_limits_table(dynamodb(ministack.endpoint))
    here = {"AWS_ENDPOINT_URL_DYNAMODB": ministack.endpoint, "RATE_LIMITS_TABLE": table}
    made: Limits = guard.Limits.of({**VARIABLES, "AWS_REGION": "us-east-1", **here})
    return made


def caller(key_id: str | None = "k") -> Caller:
    return Caller(user_id="u", auth_mode=API_KEY, scopes=("read",), key_id=key_id)


def test_a_backends_limit_is_exact_and_takes_one_request(limits: Limits, asked: list[str]) -> None:
    hits = [limits.hit("exports", caller(), limit=3, window_seconds=3_600) for _ in range(4)]
    assert [hit.allowed for hit in hits] == [True, True, True, False]
    assert hits[3].retry_after_s in range(3_590, 3_604)
    assert asked == ["UpdateItem", "PutItem", *["UpdateItem"] * 3]  # the first makes the item
    dear = limits.hit("exports", caller(None), limit=10, window_seconds=3_600, cost=8)
    assert (dear.allowed, dear.remaining) == (True, 2)
    assert not limits.hit("exports", caller(None), limit=10, window_seconds=3_600, cost=8).allowed
    assert limits.hit("other", caller(), limit=3, window_seconds=1).allowed


def test_the_documented_lines_give_a_function_all_that_it_asks(
    limits: Limits, asked: list[str], tmp_path: Path
) -> None:
    """Table's name and rights, as docs/protect-your-backend.md has them for a template."""
    for cost in (1, 5):
        limits.hit("exports", caller(), limit=9, window_seconds=3_600, cost=cost)
    text = (Path(__file__).parents[2] / "docs" / "protect-your-backend.md").read_text()
    (lines,) = re.findall(r"```yaml\n(      Environment: .*RATE_LIMITS_TABLE.*\n.*\n)```", text)
    template = tmp_path / "template.yaml"
    template.write_text(f"Resources:\n  Function:\n    Properties:\n{lines}")
    properties = load(template)["Resources"]["Function"]["Properties"]
    assert properties["Environment"]["Variables"]["RATE_LIMITS_TABLE"] == {"Ref": "RateLimitsTable"}
    ((policy,),) = (one["Statement"] for one in properties["Policies"])
    assert policy["Effect"] == "Allow"
    assert policy["Resource"] == {"Fn::GetAtt": ["RateLimitsTable", "Arn"]}
    assert set(policy["Action"]) == {f"dynamodb:{operation}" for operation in asked}


def test_requests_of_one_limit_may_cost_differently(limits: Limits) -> None:
    costs = (1, 5, 7, 2, 5, 1, 1)
    hits = [
        limits.hit("exports", caller(), limit=20, window_seconds=3_600, cost=cost) for cost in costs
    ]
    assert [hit.remaining for hit in hits] == [19, 14, 7, 5, 0, 0, 0]
    assert [hit.allowed for hit in hits] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"cost": 0}, {"window_seconds": 0}, {"name": "a#b"}, {"limit": 60_001}]
)
def test_what_is_no_limit_is_refused(limits: Limits, wrong: dict[str, object]) -> None:
    said: dict[str, object] = {"name": "a", "limit": 1, "window_seconds": 1, **wrong}
    name = str(said.pop("name"))
    with pytest.raises(ValueError, match="1 to"):
        limits.hit(name, caller(), **said)  # type: ignore[arg-type]  # wrong on purpose
