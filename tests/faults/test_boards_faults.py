"""A protected backend under every fault: 503 in time, and each board kept once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, cast
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.http_api.telemetry import Telemetry
from chatgrid_boards import wiring
from chatgrid_boards.store import BoardStore
from chatgrid_devkit.stack.ministack import Ministack
from tests.faults.bench import IN_TIME_SECONDS, alarms_may_be_dropped
from tests.support.http_api import Context, allowed, key_caller, proxy_event
from tests.support.servers.proxy import FAULTS, Fault, FaultProxy, clear, times
from tests.support.tables.stores import dynamodb, keys_table

pytestmark = alarms_may_be_dropped
OVERCOME = {"latency of 0.3 s"}
each_fault = pytest.mark.parametrize("fault", FAULTS.values(), ids=lambda fault: fault.name)
Ask = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(
    ministack: Ministack,
    proxy: FaultProxy,
    impatient: Callable[[str], None],
    connect: Callable[[], DynamoDB],
) -> Ask:
    """Calls the function, its table behind the proxy."""
    impatient(proxy.url)
    table = keys_table(dynamodb(ministack.endpoint))
    settings = wiring.Settings(
        boards_table=table,
        allowed_origin="*",
        telemetry=Telemetry(service=f"faults-{uuid4()}", namespace="Test", level="CRITICAL"),
    )
    store = BoardStore(connect(), table=table)
    handler = wiring.compose(settings, store=store)
    caller = key_caller(user_id=str(uuid4()), scope="write")

    def call(method: str, resource: str, **request: Any) -> tuple[int, dict[str, Any]]:
        event = proxy_event(method, resource, authorizer=allowed(caller), **request)
        began = time.monotonic()
        answer = handler(event, cast("Any", Context()))
        assert time.monotonic() - began < IN_TIME_SECONDS
        body: dict[str, Any] = json.loads(answer["body"])
        if answer["statusCode"] >= 400:
            assert set(body) == {"object", "status", "code", "message"}
        return answer["statusCode"], body

    return call


NEW = json.dumps({"name": "Plan", "view_mode": "canvas"})


@each_fault
def test_while_the_store_is_out_every_answer_is_a_503_in_time(
    ask: Ask, proxy: FaultProxy, fault: Fault
) -> None:
    _, made = ask("POST", "/boards", body=NEW)
    proxy.plan = lambda _: fault
    statuses = [
        ask("GET", "/boards")[0],
        ask("POST", "/boards", body=NEW)[0],
        ask("DELETE", "/boards/{id}", id=made["data"]["id"])[0],
    ]
    assert statuses == ([200, 201, 200] if fault.name in OVERCOME else [503] * 3)


@each_fault
def test_a_write_that_meets_a_fault_is_made_once(ask: Ask, proxy: FaultProxy, fault: Fault) -> None:
    proxy.plan = times(fault, 1, only="PutItem")
    status, _ = ask("POST", "/boards", body=NEW)
    assert status in {201, 503}
    proxy.plan = clear
    kept = [board["id"] for board in ask("GET", "/boards")[1]["data"]]
    assert len(kept) == (1 if status == 201 or fault.reaches else 0)
    for board in kept:
        proxy.plan = times(fault, 1, only="DeleteItem")
        # Done by a try whose answer was lost, it finds nothing more to delete when tried again.
        assert ask("DELETE", "/boards/{id}", id=board)[0] in {200, 404, 503}
        proxy.plan = clear
        assert ask("DELETE", "/boards/{id}", id=board)[0] in {200, 404}
        assert ask("GET", "/boards/{id}", id=board)[0] == 404
