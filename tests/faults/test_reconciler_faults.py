"""The reconciler between two stores that fail: in the end each key has its one API Gateway key."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from uuid import uuid4

import pytest

from chatgrid_auth.adapters.awslite.dynamodb import DynamoDB
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue, DynamoRunLease
from chatgrid_auth.domain.errors import Fault as StoreOut
from chatgrid_auth.domain.usage_keys import ControlPlaneError, ControlPlaneUnavailable
from chatgrid_auth.services.usage_plans.ports import Tier
from chatgrid_auth.services.usage_plans.reconciler import Reconciler, Timing
from chatgrid_devkit.stack.ministack import Ministack
from chatgrid_reconciler.wiring import control_plane
from tests.contract.test_reconciler import System
from tests.support.servers.proxy import FAULTS, Fault, FaultProxy, at_random
from tests.support.tables.stores import audit_of

QUICK = [f for f in FAULTS.values() if "hang" not in f.name and "drip" not in f.name]
NONSENSE = [f for f in FAULTS.values() if "nonsense" in f.name or "empty" in f.name]


def behind(transport: DynamoDB, system: System) -> Reconciler:
    """The system's reconciler, both its stores behind the proxy."""
    return Reconciler(
        plane=control_plane(system.prefix),
        queue=DynamoPlanQueue(transport, table=system.table),
        directory=DynamoKeyDirectory(
            transport, table=system.table, audit_table=audit_of(system.table)
        ),
        lease=DynamoRunLease(transport, table=system.table),
        tier=Tier(plan=system.plan, stack=system.prefix, most_keys=8_000),
        timing=Timing(
            clock=system.clock.now,
            now_ms=system.clock.now_ms,
            sleep=system.clock.sleep,
            fraction=lambda: 0.5,
            calls_per_second=4.0,
        ),
        entropy=os.urandom,
        dry_run=False,
    )


@pytest.mark.parametrize(
    ("seed", "faults"), [(1, QUICK), (2, QUICK), (3, NONSENSE)], ids=["1", "2", "nonsense"]
)
def test_a_calm_run_after_faults_leaves_one_gateway_key_each(
    ministack: Ministack,
    proxy: FaultProxy,
    impatient: Callable[[str], None],
    connect: Callable[[], DynamoDB],
    seed: int,
    faults: list[Fault],
) -> None:
    impatient(proxy.url)
    system = System(ministack.endpoint)
    owner = str(uuid4())
    reconciler = behind(connect(), system)
    kept = [system.issue(owner) for _ in range(3)]
    gone = [system.issue(owner) for _ in range(2)]
    proxy.plan = at_random(seed, share=0.3, faults=faults)
    for number in range(6):
        began = system.clock.now()
        with contextlib.suppress(StoreOut, ControlPlaneError):
            reconciler.run(
                time_left=lambda began=began: began + 42 - system.clock.now(),  # type: ignore[misc]
                sweep=number % 2 == 1,
            )
        system.clock.seconds = began + 400
        if number == 2:
            for key in gone:
                system.keys.revoke(owner, key.key.id)
    assert sum(proxy.met.values()) > 5
    for _ in range(3):
        system.run(sweep=True)
    for key in kept:
        (found,) = system.gateway.find(f"{system.prefix}-{key.key.id}")
        assert system.named(key) == found.value
        assert found.id in system.gateway.attached(None, plan=system.plan)[0]
    for key in gone:
        assert system.gateway.find(f"{system.prefix}-{key.key.id}") == []
    named = system.apigateway.get_api_keys(nameQuery=system.prefix, limit=500)["items"]
    assert len(named) == len(kept)


@pytest.mark.parametrize("fault", NONSENSE, ids=lambda fault: fault.name)
def test_a_page_from_elsewhere_is_never_taken_for_an_account_without_keys(
    proxy: FaultProxy, impatient: Callable[[str], None], fault: Fault
) -> None:
    impatient(proxy.url)
    plane = control_plane("stack")
    proxy.plan = lambda _: fault
    with pytest.raises(ControlPlaneUnavailable):
        plane.find("a name")
    with pytest.raises(ControlPlaneUnavailable):
        plane.keys(None)
    with pytest.raises(ControlPlaneUnavailable):
        plane.create("a name", value=uuid4().hex, description="")
