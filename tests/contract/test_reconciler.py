"""The reconciler from end to end: real table, and the embedded AWS as the control plane."""

from __future__ import annotations

import importlib
import os
from uuid import uuid4

import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext as PowertoolsContext

from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue, DynamoRunLease
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.usage_plans.ports import RunSummary, Tier
from chatgrid_auth.services.usage_plans.reconciler import Reconciler, Timing
from chatgrid_devkit.stack.ministack import Ministack
from tests.contract.test_api_gateway_keys import real_client
from tests.support.control_plane import Clock
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, dynamodb, keys_table


class LambdaContext(PowertoolsContext):
    """What Lambda gives a handler, with most of its time left."""

    _function_name = "reconciler"
    _memory_limit_in_mb = 512
    _invoked_function_arn = "arn:aws:lambda:us-east-1:000000000000:function:reconciler"
    _aws_request_id = "c0ffee"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 50_000


class System:
    """One table, one plan, one stack's prefix, on a clock that nobody waits for."""

    def __init__(self, endpoint: str) -> None:
        client = dynamodb(endpoint)
        table = self.table = keys_table(client)
        transport = Boto3Transport(client)
        self.apigateway = real_client(endpoint)
        self.plan = self.apigateway.create_usage_plan(name=f"plan-{uuid4()}")["id"]
        self.prefix = f"stack-{uuid4()}"
        self.gateway = ApiGateway(self.apigateway, stack=self.prefix)
        self.clock = Clock()
        self.decisions = KeyDecisions(transport, table=table)
        self.keys = key_service(client, table=table, now_ms=self.clock.now_ms)
        self.reconciler = Reconciler(
            plane=self.gateway,
            queue=DynamoPlanQueue(transport, table=table),
            directory=DynamoKeyDirectory(transport, table=table, audit_table=audit_of(table)),
            lease=DynamoRunLease(transport, table=table),
            tier=Tier(plan=self.plan, stack=self.prefix, most_keys=8_000),
            timing=Timing(
                clock=self.clock.now,
                now_ms=self.clock.now_ms,
                sleep=self.clock.sleep,
                fraction=lambda: 0.5,
                calls_per_second=4.0,
            ),
            entropy=os.urandom,
            dry_run=False,
        )

    def issue(self, owner: str) -> IssuedKey:
        return new_key(self.keys, owner)

    def run(self, *, sweep: bool = False) -> RunSummary:
        began = self.clock.now()
        summary = self.reconciler.run(time_left=lambda: began + 42 - self.clock.now(), sweep=sweep)
        self.clock.seconds = began + 400
        assert summary.failed == 0
        return summary

    def named(self, key: IssuedKey) -> str | None:
        """The API Gateway key that the authorizer would hand to API Gateway."""
        decided = self.decisions.admit(
            hash_of(key.raw_key), now_ms=self.clock.now_ms(), request=Request("read")
        )
        assert decided is not None
        return decided.usage_key

    def environment(self) -> dict[str, str]:
        """What the template tells the function about this system."""
        return {
            "KEYS_TABLE": self.table,
            "AUDIT_TABLE": audit_of(self.table),
            "USAGE_PLAN_STANDARD": self.plan,
            "USAGE_KEY_NAME_PREFIX": self.prefix,
            "DRY_RUN": "false",
            "CONTROL_PLANE_CALLS_PER_SECOND": "4",
            "GATEWAY_KEY_CEILING": "8000",
            "OWN_GATEWAY_KEYS": "true",
            "POWERTOOLS_SERVICE_NAME": self.prefix,
            "POWERTOOLS_METRICS_NAMESPACE": "ChatGrid/test",
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }


@pytest.fixture
def system(ministack: Ministack) -> System:
    return System(ministack.endpoint)


def test_a_key_gets_its_gateway_key_and_loses_it_when_revoked(system: System) -> None:
    owner = str(uuid4())
    issued = system.issue(owner)
    assert system.named(issued) is None

    system.run()
    system.run()

    (key,) = system.gateway.find(f"{system.prefix}-{issued.key.id}")
    assert (key.enabled, key.owner) == (True, owner)
    assert system.named(issued) == key.value
    assert system.gateway.attached(None, plan=system.plan)[0] == [key.id]

    system.keys.revoke(owner, issued.key.id)
    system.run()
    assert system.gateway.find(key.name) == []


def test_a_sweep_repairs_what_was_done_in_the_console(system: System) -> None:
    owner = str(uuid4())
    deleted, disabled, kept = (system.issue(owner) for _ in range(3))
    system.run()
    system.run()
    named = {key.key.id: system.named(key) for key in (deleted, disabled, kept)}
    system.gateway.delete(system.gateway.find(f"{system.prefix}-{deleted.key.id}")[0].id)
    system.gateway.disable(system.gateway.find(f"{system.prefix}-{disabled.key.id}")[0].id)
    orphan = system.gateway.create(
        f"{system.prefix}-{uuid4()}",
        value=uuid4().hex,
        description=f"ChatGrid key of user {uuid4()}",
    )

    found = system.run(sweep=True)
    assert (found.missing, found.disabled, found.orphaned, found.sweeps) == (1, 1, 1, 1)
    assert [system.named(key) for key in (deleted, disabled)] == [None, None]
    system.run()
    system.run()

    assert system.gateway.find(orphan.name) == []
    assert system.named(kept) == named[kept.key.id]
    assert system.named(disabled) == named[disabled.key.id]
    assert system.named(deleted) not in {None, named[deleted.key.id]}
    found = system.run(sweep=True)
    assert (found.missing, found.disabled, found.orphaned) == (0, 0, 0)


def test_the_deployed_handler_reaches_both_services_by_its_environment(
    system: System, ministack: Ministack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**ministack.access.environment(), **system.environment()}.items():
        monkeypatch.setenv(name, value)
    issued = system.issue(str(uuid4()))
    handler = importlib.reload(importlib.import_module("chatgrid_reconciler.handler")).handler

    answer = handler({"sweep": True}, LambdaContext())

    assert (answer["created"], answer["failed"], answer["sweeps"]) == (1, 0, 1)
    assert len(system.gateway.find(f"{system.prefix}-{issued.key.id}")) == 1
