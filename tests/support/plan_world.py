"""A whole small world for usage plans: keys, a control plane, a clock, and the reconciler."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from uuid import UUID

from chatgrid_auth.adapters.api_gateway.control_plane import ApiGateway
from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.identifiers import uuid7
from chatgrid_auth.services.usage_plans.ports import LiveKey, RunSummary, Tier
from chatgrid_auth.services.usage_plans.reconciler import Reconciler, Timing
from tests.support.control_plane import Clock, FakeControlPlane, Fuse, Key
from tests.support.plan_store import MemoryPlanStore

RUN_SECONDS = 42.0
SHARED = "sharedkeyofthestandardtier"


class World:
    """A keys table, a control plane, and a clock that both share."""

    def __init__(self, **manners: float) -> None:
        self.clock = Clock()
        self.fuse = Fuse()
        self.store = MemoryPlanStore(self.fuse)
        self.plane = FakeControlPlane(self.clock, fuse=self.fuse, **manners)
        shared = self.plane.put("chatgrid-standard", SHARED)
        shared.attached_at["standard"] = self.clock.now()
        self.clock.seconds += 3600
        self.tier = Tier(plan="standard", stack="chatgrid", most_keys=8_000)
        self.issued: list[LiveKey] = []
        self._random = random.Random(7)

    def issue(self, *, expires_at_ms: int | None = None, owner: str | None = None) -> LiveKey:
        key = LiveKey(
            key_id=uuid7(now_ms=self.clock.now_ms() + len(self.issued), entropy=os.urandom),
            owner=owner or str(UUID(int=len(self.issued) % 3 + 1)),
            key_hash=os.urandom(32).hex(),
            expires_at_ms=expires_at_ms,
        )
        self.store.issue(key)
        self.issued.append(key)
        return key

    def run(
        self,
        *,
        sweep: bool = False,
        seconds: float = RUN_SECONDS,
        calls_per_second: float = 4.0,
        dry_run: bool = False,
        alone: bool = True,
    ) -> RunSummary:
        """One invocation, and the rest of its minute."""
        began = self.clock.now()
        reconciler = self.reconciler(
            calls_per_second=calls_per_second, dry_run=dry_run, alone=alone
        )
        summary = reconciler.run(time_left=lambda: began + seconds - self.clock.now(), sweep=sweep)
        assert self.clock.now() <= began + seconds + 1, "a call may begin in time and end late"
        self.clock.seconds = max(began + 60, self.clock.seconds)
        return summary

    def reconciler(
        self, *, calls_per_second: float = 4.0, dry_run: bool = False, alone: bool = True
    ) -> Reconciler:
        """The reconciler of this world.

        Args:
            alone: whether it lets one run at a time work; without, the lease always holds.
        """
        return Reconciler(
            plane=ApiGateway(self.plane.client(), stack="chatgrid"),
            queue=self.store,
            directory=self.store,
            lease=self.store if alone else MemoryPlanStore(Fuse()),
            tier=self.tier,
            timing=Timing(
                clock=self.clock.now,
                now_ms=self.clock.now_ms,
                sleep=self.clock.sleep,
                fraction=self._random.random,
                calls_per_second=calls_per_second,
            ),
            entropy=os.urandom,
            dry_run=dry_run,
        )

    def settle(self, *, runs: int = 60) -> RunSummary:
        """Run every minute until the queue is empty and no sweep is under way."""
        total = RunSummary()
        for _ in range(runs):
            summary = self.run()
            for name in ("created", "activated", "retired", "throttled", "ceiling", "failed"):
                setattr(total, name, getattr(total, name) + getattr(summary, name))
            self.assert_all_usable()
            if not self.store.queue and self.store.sweep is None:
                return total
        raise AssertionError("the queue does not empty")

    def assert_all_usable(self) -> None:
        """The promise to key holders: the edge lets every live key through, at every moment."""
        for key in self.store.keys.values():
            assert self.plane.accepts(key.usage_key or SHARED)

    def gateway_keys(self) -> list[str]:
        """The ChatGrid keys that have an API Gateway key, once for each."""
        names = [key.name for key in self.plane.keys.values()]
        found = [usage_keys.key_id_of(name, prefix="chatgrid") for name in names]
        return sorted(key_id for key_id in found if key_id is not None)

    def assert_in_step(self) -> None:
        """Each live key has exactly one API Gateway key, names it, and nobody else has one."""
        live = sorted(key.key_id for key in self.store.keys.values())
        assert self.gateway_keys() == live
        by_name = {key.name: key.value for key in self.plane.keys.values()}
        for key in self.store.keys.values():
            assert key.usage_key == by_name[usage_keys.name_of(key.key_id, prefix="chatgrid")]
        self.assert_all_usable()

    def gateway_key(self, key: LiveKey) -> Key:
        """The one API Gateway key of this ChatGrid key."""
        name = usage_keys.name_of(key.key_id, prefix="chatgrid")
        (found,) = (each for each in self.plane.keys.values() if each.name == name)
        return found

    def arm(
        self, at: int, *, after: bool = False, then: Callable[[], object] | None = None
    ) -> None:
        """Let something, by default the end of the process, happen at that call from now."""
        self.disarm()
        self.fuse.at, self.fuse.after = at, after
        if then is not None:
            self.fuse.then = then

    def disarm(self) -> None:
        """Let everything take its course."""
        fresh = Fuse()
        self.fuse.at, self.fuse.then, self.fuse.calls = None, fresh.then, 0
