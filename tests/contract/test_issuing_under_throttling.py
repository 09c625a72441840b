"""Many keys at once, while API Gateway's control plane answers 429 to half of all calls.

The real issuing, the real decision and the real queue, over the embedded AWS. The same with a
thousand keys is ``test_assignment.py`` of the unit tests, over the store in memory; set
``KEYS`` to 1,000 here and it holds too, in two minutes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from uuid import uuid4

from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.adapters.dynamodb.boto3_transport import Boto3Transport
from chatgrid_auth.adapters.keys_table.decisions import KeyDecisions
from chatgrid_auth.adapters.keys_table.key_directory import DynamoKeyDirectory
from chatgrid_auth.adapters.keys_table.plan_queue import DynamoPlanQueue, DynamoRunLease
from chatgrid_auth.domain.credentials import IssuedKey
from chatgrid_auth.domain.keys import hash_of
from chatgrid_auth.services.gate.requests import Request
from chatgrid_auth.services.usage_plans.ports import Tier
from chatgrid_auth.services.usage_plans.reconciler import Reconciler, Timing
from chatgrid_devkit.stack.ministack import Ministack
from tests.support.control_plane import Clock, FakeControlPlane
from tests.support.tables.key_service import key_service, new_key
from tests.support.tables.stores import audit_of, dynamodb, keys_table

KEYS = 60
SHARED = "sharedkeyofthestandardtier"


class System:
    """Issuing, deciding and reconciling over one real table and one fake control plane."""

    def __init__(self, endpoint: str) -> None:
        client = dynamodb(endpoint)
        table = keys_table(client)
        transport = Boto3Transport(client)
        self.clock = Clock()
        self.plane = FakeControlPlane(self.clock, refusals=0.5)
        self.plane.put("tier-standard", SHARED).attached_at["standard"] = self.clock.now()
        self.clock.seconds += 3600
        self.decisions = KeyDecisions(transport, table=table)
        self.queue = DynamoPlanQueue(transport, table=table)
        self.keys = key_service(client, table=table, now_ms=self.clock.now_ms, keys_per_user=KEYS)
        self.reconciler = Reconciler(
            plane=ApiGateway(self.plane.client(), stack="chatgrid"),
            queue=self.queue,
            directory=DynamoKeyDirectory(transport, table=table, audit_table=audit_of(table)),
            lease=DynamoRunLease(transport, table=table),
            tier=Tier(plan="standard", stack="chatgrid", most_keys=8_000),
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

    def run(self) -> None:
        """One minute, of which the reconciler has 42 seconds."""
        began = self.clock.now()
        self.reconciler.run(time_left=lambda: began + 42 - self.clock.now(), sweep=False)
        self.clock.seconds = began + 60

    def usage_keys(self, issued: Iterable[IssuedKey]) -> list[str | None]:
        """Use each key once: the authorizer admits it, and the edge takes the key it names."""
        named: list[str | None] = []
        for key in issued:
            decided = self.decisions.admit(
                hash_of(key.raw_key), now_ms=self.clock.now_ms(), request=Request("read")
            )
            assert decided is not None
            assert decided.admitted
            assert self.plane.accepts(decided.usage_key or SHARED)
            named.append(decided.usage_key)
        return named


def test_throttled_issuing_ends_with_one_gateway_key_for_each(
    ministack: Ministack,
) -> None:
    """And every key is usable at once."""
    system = System(ministack.endpoint)
    owner = str(uuid4())
    issued = [system.issue(owner) for _ in range(KEYS)]

    assert system.usage_keys(issued) == [None] * KEYS

    minutes = 0
    while system.queue.pending(first_owner=owner):
        minutes += 1
        assert minutes < 60, "the queue does not empty"
        system.run()
        system.usage_keys(issued[minutes % 5 :: 5])

    named = system.usage_keys(issued)
    values = {key.name: key.value for key in system.plane.keys.values()}
    assert named == [values[f"chatgrid-{key.key.id}"] for key in issued]
    assert set(Counter(named).values()) == {1}
    assert len(system.plane.keys) == KEYS + 1
