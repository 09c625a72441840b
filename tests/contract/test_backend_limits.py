"""A backend's own limits on the real store."""

from __future__ import annotations

import pytest

from chatgrid_auth.domain.verdicts import API_KEY, Caller
from chatgrid_auth.limits import Limits
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.tables.stores import counting, dynamodb, rate_limits_table

NOW_MS = 1_800_000_000_000


def caller(key_id: str | None = "k") -> Caller:
    return Caller(user_id="u", auth_mode=API_KEY, scopes=("read",), key_id=key_id)


def test_a_backends_limit_is_exact_and_takes_one_request(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    limits = Limits(client, table=rate_limits_table(client), now_ms=lambda: NOW_MS)
    requests = counting(client)
    hits = [limits.hit("exports", caller(), limit=3, window_seconds=3_600) for _ in range(4)]
    assert [hit.allowed for hit in hits] == [True, True, True, False]
    assert hits[3].retry_after_s in range(3_600, 3_663)
    assert requests() == 5  # the first makes the item
    dear = limits.hit("exports", caller(None), limit=10, window_seconds=3_600, cost=8)
    assert (dear.allowed, dear.remaining) == (True, 2)
    assert not limits.hit("exports", caller(None), limit=10, window_seconds=3_600, cost=8).allowed
    assert limits.hit("other", caller(), limit=3, window_seconds=1).allowed


def test_requests_of_one_limit_may_cost_differently(ministack: Ministack) -> None:
    client = dynamodb(ministack.endpoint)
    limits = Limits(client, table=rate_limits_table(client), now_ms=lambda: NOW_MS)
    costs = (1, 5, 7, 2, 5, 1, 1)
    hits = [
        limits.hit("exports", caller(), limit=20, window_seconds=60, cost=cost) for cost in costs
    ]
    assert [hit.remaining for hit in hits] == [19, 14, 7, 5, 0, 0, 0]
    assert [hit.allowed for hit in hits] == [True] * 5 + [False] * 2


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"cost": 0}, {"window_seconds": 0}, {"name": "a#b"}, {"limit": 60_001}]
)
def test_what_is_no_limit_is_refused(ministack: Ministack, wrong: dict[str, object]) -> None:
    client = dynamodb(ministack.endpoint)
    said: dict[str, object] = {"name": "a", "limit": 1, "window_seconds": 1, **wrong}
    name = str(said.pop("name"))
    with pytest.raises(ValueError, match="1 to"):
        Limits(client, table="t").hit(name, caller(), **said)  # type: ignore[arg-type]
