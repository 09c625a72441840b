"""Every decision line ends in the buckets once, however often and however late it is delivered."""

from __future__ import annotations

import base64
import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.usage_table.arrivals import CLOSED_MS, OPEN_MS, Arrivals
from chatgrid_auth.adapters.usage_table.folding import Folding
from chatgrid_auth.adapters.usage_table.usage_reader import UsageTable
from chatgrid_auth.domain.errors import StoreUnavailable
from chatgrid_usage.counting import Counter
from tests.support.tables.stores import usage_table

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

MINUTE_MS = 60_000
DAY_MS = 86_400_000
NOON_MS = 1_800_000_000_000 // DAY_MS * DAY_MS + DAY_MS // 2
ADA, KEY = "0195b6f0-0000-7000-8000-00000000ada0", "0195b6f0-0000-7000-8000-000000000001"


def decision(outcome: str = "allowed", **facts: Any) -> str:
    told = {"message": "decision", "correlation_id": "r-1", "method": "GET", "resource": "/boards"}
    return json.dumps({**told, "outcome": outcome, "user_id": ADA, "key_id": KEY, **facts})


def batch(*lines: tuple[int, str], stream: str = "s-1") -> dict[str, Any]:
    events = [
        {"id": f"{stream}-{at_ms}-{number}", "timestamp": at_ms, "message": text}
        for number, (at_ms, text) in enumerate(lines)
    ]
    told = {"messageType": "DATA_MESSAGE", "logGroup": "g", "logStream": stream}
    packed = gzip.compress(json.dumps({**told, "logEvents": events}).encode())
    return {"awslogs": {"data": base64.b64encode(packed).decode()}}


class Flaky(Boto3Transport):
    """Ends by a fault after so many calls, before or behind the last of them."""

    def __init__(self, client: DynamoDBClient) -> None:
        super().__init__(client)
        self.left: int | None = None
        self.behind = False
        self.calls = 0

    def call(self, operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if self.left is None:
            return super().call(operation, payload)
        self.left -= 1
        if self.left < 0 or (self.left == 0 and not self.behind):
            raise StoreUnavailable(operation, "cut")
        found = super().call(operation, payload)
        if self.left == 0:
            raise StoreUnavailable(operation, "cut")
        return found


class Bench:
    """The usage function over a table, with a clock that is set by hand."""

    def __init__(self, client: DynamoDBClient) -> None:
        self.now_ms = NOON_MS
        self.transport = Flaky(client)
        table = usage_table(client)
        self.lines: list[str] = []
        self.alerts: list[tuple[int, str]] = []
        self.counter = Counter(
            arrivals=Arrivals(self.transport, table=table),
            folding=Folding(self.transport, table=table, now_ms=lambda: self.now_ms),
            tell_of_canaries=self.alerts.extend,
            now_ms=lambda: self.now_ms,
            log=self.lines.append,
        )
        self.reader = UsageTable(Boto3Transport(client), table=table)

    def deliver(self, event: dict[str, Any]) -> None:
        self.counter.handle(event)

    def fold(self) -> None:
        self.counter.handle({"source": "aws.events"})

    def settle(self) -> None:
        self.now_ms += MINUTE_MS + CLOSED_MS
        self.fold()

    def allowed(self, granularity: str = "minute", *, key_id: str = KEY) -> dict[int, int]:
        found = self.reader.of_key(
            key_id, granularity=granularity, from_ms=NOON_MS - DAY_MS, to_ms=NOON_MS + DAY_MS
        )
        return {bucket.start_ms: bucket.counts["allowed"] for bucket in found}

    def everybody(self) -> int:
        found = self.reader.of_all(
            granularity="day", from_ms=NOON_MS - DAY_MS, to_ms=NOON_MS + DAY_MS
        )
        return sum(bucket.counts["allowed"] + bucket.counts["refused"] for bucket in found)


@pytest.fixture
def bench(client: DynamoDBClient) -> Bench:
    return Bench(client)


def test_a_decision_is_in_its_minute_hour_and_day(bench: Bench) -> None:
    bench.deliver(batch((NOON_MS + 61_000, decision()), (NOON_MS + 5, decision())))
    bench.now_ms += MINUTE_MS
    bench.settle()

    assert bench.allowed() == {NOON_MS: 1, NOON_MS + MINUTE_MS: 1}
    assert bench.allowed("hour") == {NOON_MS: 2}
    assert bench.allowed("day") == {NOON_MS - DAY_MS // 2: 2}


def test_it_is_counted_for_key_user_and_all_by_route(bench: Bench) -> None:
    other = decision("rate_limited", key_id="another", resource="/me")
    bench.deliver(batch((NOON_MS, decision(credits=2)), (NOON_MS, other)))
    bench.settle()

    (of_user,) = bench.reader.of_owner(
        ADA, granularity="hour", from_ms=NOON_MS, to_ms=NOON_MS + DAY_MS
    )
    assert of_user.counts == {
        "allowed": 1,
        "refused": 1,
        "rate_limited": 1,
        "forbidden": 0,
        "credits": 2,
    }
    assert of_user.routes["GET /me"]["rate_limited"] == 1
    assert bench.allowed("hour") == {NOON_MS: 1}
    assert bench.everybody() == 2


def test_a_line_that_tells_of_a_canary_is_handed_on_and_counted(bench: Bench) -> None:
    text = json.dumps(
        json.loads(decision("refused", reason="canary", alert="canary_used")), separators=(",", ":")
    )
    bench.deliver(batch((NOON_MS, decision()), (NOON_MS + 1, text)))
    bench.settle()
    assert bench.alerts == [(NOON_MS + 1, text)]
    assert bench.everybody() == 2


def test_a_batch_that_is_delivered_again_counts_once(bench: Bench) -> None:
    again = batch((NOON_MS, decision()))

    for _ in range(3):
        bench.deliver(again)
    bench.settle()
    bench.deliver(again)  # late: its minute takes no more
    bench.settle()

    assert bench.allowed() == {NOON_MS: 1}


def test_a_late_batch_is_counted_once_where_it_belongs(bench: Bench) -> None:
    late = batch((NOON_MS, decision()), stream="late")
    bench.now_ms += MINUTE_MS + OPEN_MS

    bench.deliver(late)
    bench.settle()
    bench.deliver(late)
    bench.settle()

    assert bench.allowed() == {NOON_MS: 1}


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
@pytest.mark.parametrize("delay_ms", [0, MINUTE_MS + OPEN_MS, 10 * MINUTE_MS])
def test_a_delivery_cut_off_anywhere_counts_once(bench: Bench, behind: bool, delay_ms: int) -> None:
    event = batch((NOON_MS, decision()))
    bench.now_ms += delay_ms
    for step in range(1, 6):
        bench.transport.left, bench.transport.behind = step, behind
        try:
            bench.deliver(event)
        except StoreUnavailable:
            bench.now_ms += 2 * MINUTE_MS  # Lambda tries again, much later
            continue
        break
    bench.transport.left = None
    bench.deliver(event)
    bench.settle()
    bench.settle()

    assert bench.allowed() == {NOON_MS: 1}


@pytest.mark.parametrize("behind", [False, True], ids=["before", "behind"])
def test_a_fold_cut_off_anywhere_counts_everything_once(bench: Bench, behind: bool) -> None:
    bench.deliver(batch((NOON_MS, decision()), (NOON_MS + 1, decision(key_id="another"))))
    bench.deliver(batch((NOON_MS + 2, decision()), stream="s-2"))
    bench.now_ms += MINUTE_MS
    bench.deliver(batch((bench.now_ms, decision()), stream="s-3"))
    bench.now_ms += MINUTE_MS + CLOSED_MS
    for step in range(1, 60):
        bench.transport.left, bench.transport.behind = step, behind
        try:
            bench.fold()
        except StoreUnavailable:
            continue
        break
    bench.transport.left = None
    bench.fold()

    assert bench.allowed() == {NOON_MS: 2, NOON_MS + MINUTE_MS: 1}
    assert bench.allowed(key_id="another") == {NOON_MS: 1}
    assert bench.everybody() == 4


def test_nothing_is_folded_while_it_may_still_arrive(bench: Bench) -> None:
    bench.deliver(batch((NOON_MS, decision())))
    bench.now_ms = NOON_MS + MINUTE_MS + CLOSED_MS - 1
    bench.fold()
    assert bench.allowed() == {}

    bench.now_ms += 1
    bench.fold()
    assert bench.allowed() == {NOON_MS: 1}


def test_two_folds_at_once_count_once(bench: Bench) -> None:
    bench.deliver(batch((NOON_MS, decision()), (NOON_MS, decision(key_id="another"))))
    bench.now_ms += MINUTE_MS + CLOSED_MS
    original, calls = bench.transport.call, 0

    def between(operation: str, payload: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        if calls == 4:  # in the middle of the buckets
            bench.transport.call = original  # type: ignore[method-assign]  # the other one, whole
            bench.fold()
        return original(operation, payload)

    bench.transport.call = between  # type: ignore[method-assign]  # one that is interrupted
    bench.fold()

    assert bench.everybody() == 2
    assert bench.allowed() == {NOON_MS: 1}


def test_a_batch_without_decisions_costs_the_store_nothing(bench: Bench) -> None:
    bench.deliver(batch((NOON_MS, '{"_aws":{}}'), (NOON_MS, "START")))

    assert bench.transport.calls == 0


def test_the_control_message_of_the_subscription_is_no_batch(bench: Bench) -> None:
    packed = gzip.compress(b'{"messageType":"CONTROL_MESSAGE","logEvents":[]}')
    bench.deliver({"awslogs": {"data": base64.b64encode(packed).decode()}})

    assert bench.transport.calls == 0


def test_a_batch_of_very_many_keys_is_kept_in_parts(bench: Bench) -> None:
    lines = [(NOON_MS, decision(key_id=f"key-{number}")) for number in range(2_500)]
    bench.deliver(batch(*lines))

    assert bench.transport.calls == 3
