"""The books of usage: after a load with faults, buckets add up to the decisions logged."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.usage_table.usage_reader import UsageTable
from chatgrid_auth.domain.errors import StoreUnavailable
from tests.support.servers.fault_server import Request
from tests.support.servers.proxy import FAULTS, PASS, Fault, FaultProxy, operation, wait_until
from tests.support.stack.api import Api
from tests.support.stack.local_stack import LocalStack
from tests.support.stack.usage import arrived, fold
from tests.support.tables.stores import dynamodb

REQUESTS = 120
_TWICE = 2
#: What decides nothing, and whose route nothing else asks for: all before it has been delivered.
LAST = "DELETE /boards/{id}"
WRITES = {"PutItem", "UpdateItem"}
COLUMNS = ("allowed", "refused", "rate_limited", "forbidden")


class Plan:
    """Lets each write of usage be done and twice told to have failed; else every fifth request.

    Twice, since the function's own client tries again once: then whoever called it does.
    """

    def __init__(self) -> None:
        self.usage_table = ""
        self.failed: Counter[str] = Counter()
        self._asked = 0
        self._next = cycle(
            [FAULTS[name] for name in ("500 after", "reset before", "reset after", "throttled")]
        )

    def __call__(self, request: Request) -> Fault:
        self._asked += 1
        if operation(request) in WRITES and self.usage_table.encode() in request.body:
            write = json.loads(request.body)
            place = write.get("Key") or {name: write["Item"][name] for name in ("pk", "sk")}
            name = json.dumps(place)
            self.failed[name] += 1
            return FAULTS["500 after"] if self.failed[name] <= _TWICE else PASS
        return next(self._next) if self._asked % 5 == 0 else PASS


def decisions_in(log: Path) -> Iterator[dict[str, Any]]:
    """Every decision that the authorizer has logged."""
    for line in log.read_text("utf-8").splitlines():
        function, _, text = line.partition(" | ")
        if function == "AuthorizerFunction" and '"message":"decision"' in text:
            yield json.loads(text)


def counted(outcomes: Counter[str]) -> dict[str, int]:
    """These outcomes as usage has them."""
    refused = sum(outcomes.values()) - outcomes["allowed"]
    return {
        "allowed": outcomes["allowed"],
        "refused": refused,
        "rate_limited": outcomes["rate_limited"],
        "forbidden": outcomes["forbidden"],
    }


def load(url: str, keys: list[tuple[str, str, str]]) -> None:
    """Ask with each of the keys by turns, from eight connections."""

    def work(connection: int) -> None:
        with httpx.Client(base_url=url, timeout=60) as http:
            for number in range(connection, REQUESTS, 8):
                raw_key, method, path = keys[number % len(keys)]
                Api(http, raw_key).ask(method, path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))


def test_buckets_add_up_to_the_decisions_logged_whatever_fails(tmp_path: Path) -> None:
    """Each line is counted once, though every write of a batch or a bucket seemed to fail."""
    plan = Plan()
    state = tmp_path / "state"
    with FaultProxy(lambda: str(stack.described["dynamodb_endpoint"])) as proxy:
        stack = LocalStack(state, options=("--functions-endpoint", proxy.url))
        with stack:
            described = stack.described
            store = dynamodb(described["dynamodb_endpoint"], access_key=described["access_key"])
            plan.usage_table = described["outputs"]["UsageTableName"]
            with httpx.Client(base_url=described["url"], timeout=60) as http:
                admin = Api(http, described["admin_key"])
                busy = admin.create_key(rate_limit=20)
                reader = admin.create_key(scopes=["read"])
                gone = admin.create_key()
                admin.ask("DELETE", f"/me/api-keys/{gone['id']}")
                proxy.plan = plan
                load(
                    described["url"],
                    [
                        *[(busy["raw_key"], "GET", "/boards")] * 3,
                        (reader["raw_key"], "POST", "/boards"),
                        (gone["raw_key"], "GET", "/me"),
                        ("cgk_live_nothing", "GET", "/boards"),
                    ],
                )
                Api(http, "cgk_live_nothing").ask("DELETE", f"/boards/{uuid4()}")
            transport = Boto3Transport(store)

            def last_has_arrived() -> bool:
                return any(row[3] == LAST for row in arrived(transport, plan.usage_table))

            assert wait_until(last_has_arrived, seconds=60)
            fold_through_faults(proxy, described["access_key"], plan.usage_table)
            usage = UsageTable(transport, table=plan.usage_table)
            logged = list(decisions_in(state / "functions.log"))
            span = {"from_ms": 0, "to_ms": time.time_ns() // 1_000_000 + 86_400_000}
            for granularity in ("minute", "hour", "day"):
                everything = list(usage.of_all(granularity=granularity, **span))
                assert summed(everything) == counted(Counter(line["outcome"] for line in logged))
                of_busy = list(usage.of_key(busy["id"], granularity=granularity, **span))
                its_own = [line for line in logged if line.get("key_id") == busy["id"]]
                assert summed(of_busy) == counted(Counter(line["outcome"] for line in its_own))
    assert len(logged) > REQUESTS
    assert {line["outcome"] for line in logged} >= {"allowed", "refused", "rate_limited"}
    assert len(plan.failed) > 10


def fold_through_faults(proxy: FaultProxy, access_key: str, table: str) -> None:
    """Add up everything, through all that fails."""
    transport = Boto3Transport(dynamodb(proxy.url, access_key=access_key))
    for _ in range(1_000):
        try:
            fold(transport, table)
        except StoreUnavailable:
            continue
        return
    raise AssertionError("it is never done")


def summed(buckets: list[Any]) -> dict[str, int]:
    """All buckets together."""
    return {name: sum(bucket.counts[name] for bucket in buckets) for name in COLUMNS}
