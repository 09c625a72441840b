"""Changes of keys killed at each step: done whole or not at all, and the books come right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.test_key_changes import NOW_MS, Bench
from tests.support.tables import books
from tests.support.tables.cut_off import KILLED_AFTER, KILLED_BEFORE, MOST, CutOff, KilledError
from tests.support.tables.in_process import in_process_dynamodb

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from chatgrid_auth.domain.credentials import ApiKey

#: Hot and cold at once: window, level, secrets, policy; record, grace and entry behind them.
CHANGE: dict[str, Any] = {
    "name": "other",
    "scopes": ["write"],
    "rate_limit": 3,
    "expires_in_seconds": 3_600,
    "metadata": {"stage": None, "team": "core"},
}


@pytest.fixture
def store() -> Iterator[DynamoDBClient]:
    with in_process_dynamodb() as client:
        yield client


def rotated_key(client: DynamoDBClient) -> Bench:
    """A key whose grace runs, with a policy."""
    bench = Bench(client, metadata={"stage": "one"})
    bench.raw_key = bench.rotations.rotate(bench.owner, bench.id).raw_key
    return bench


def killed(bench: Bench, *, at: int, way: str) -> bool:
    """Change it in a process that is killed at one of its requests; whether it came to that."""
    client: Any = CutOff(bench.client, at=at, way=way)
    with contextlib.suppress(KilledError):
        bench.change(client, **CHANGE)
    died: bool = client.happened
    return died


def facts(key: ApiKey) -> tuple[object, ...]:
    return (key.name, key.scopes, key.rate_limit, key.expires_at_ms, dict(key.metadata))


NEW = ("other", ("write",), 3, NOW_MS + 3_600_000, {"team": "core"})


def holds(bench: Bench) -> bool:
    """Whether requests are judged by the change: all of it, or by nothing of it."""
    decided, home = bench.decided(scope="write"), bench.home()
    told: str = decided.metadata or ""
    judged: set[bool] = {
        decided.fault is None and decided.admitted,
        home["lim"]["N"] == "3",
        home["lvl"]["N"] == "2",
        any(value.get("N") == str(NOW_MS + 3_600_000) for value in home.values()),
    }
    assert len(judged) == 1, "half a change holds"
    (changed,) = judged
    assert "core" in told or not changed
    return changed


@pytest.mark.parametrize("way", [KILLED_BEFORE, KILLED_AFTER])
@pytest.mark.parametrize("reader", ["sweep", "list", "repeat"])
def test_a_change_killed_at_any_step_is_whole_or_none(
    store: DynamoDBClient, way: str, reader: str
) -> None:
    seen = set()
    for at in range(1, MOST):
        bench = rotated_key(store)
        before = facts(bench.shown())
        died = killed(bench, at=at, way=way)
        changed = holds(bench)
        seen.add(changed)
        if reader == "sweep":
            books.swept(bench.client, bench.table)
        elif reader == "list":
            page = bench.keys.list(bench.owner, limit=10, after=None, descending=False)
            assert [facts(key) for key in page.items] == [NEW if changed else before]
            books.swept(bench.client, bench.table)  # a mark that was to go at last
        else:
            changed = bench.change(**CHANGE) is not None
        assert facts(bench.shown()) == (NEW if changed else before)
        assert bench.wrong_books() == []
        assert bench.told() == sorted(["created", "rotated"] + ["updated"] * changed)
        assert bench.graces() == [NOW_MS + (3_600_000 if changed else 86_400_000)]
        if not died:
            assert (at > 10, seen) == (True, {False, True})
            return
    raise AssertionError(f"it took {MOST} requests")
