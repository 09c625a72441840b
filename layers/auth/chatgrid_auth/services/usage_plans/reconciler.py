"""One run of the reconciler: work the queue off, then go on with the sweep that is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from chatgrid_auth.domain.usage_keys import ControlPlaneError
from chatgrid_auth.services.usage_plans.assignment import Provisioner
from chatgrid_auth.services.usage_plans.pacing import OutOfTime, Pace
from chatgrid_auth.services.usage_plans.ports import (
    ControlPlane,
    Directory,
    PlanQueue,
    Progress,
    RunLease,
    RunSummary,
    Tier,
    Work,
)
from chatgrid_auth.services.usage_plans.sweep import Sweep

#: What the queue leaves of a run's time to a sweep under way, so that neither starves the other.
_SWEEP_SHARE = 1 / 3
#: Longer than the longest call of API Gateway.
_LAST_CALL_MS = 8_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time as a run of the reconciler needs it.

    Attributes:
        clock: seconds on a clock that never goes back.
        now_ms: Unix time in milliseconds.
        sleep: waits that many seconds.
        fraction: a random number from 0 to below 1: what part of a back-off is waited.
        calls_per_second: calls of the control plane, of all kinds together.
    """

    clock: Callable[[], float]
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]
    fraction: Callable[[], float]
    calls_per_second: float


class Reconciler:
    """Keeps API Gateway's usage-plan keys in step with ChatGrid keys.

    One run at a time works, since API Gateway takes one change of its plans at a time; the others
    leave it to that one. Two at once would do no harm all the same: values are written down before
    use and unique in the account, and each entry of the queue is changed only as it was read.

    Args:
        plane: API Gateway.
        queue: the work that issuing and revoking left.
        directory: all ChatGrid keys, for the sweep.
        lease: lets one run at a time work.
        tier: where the keys belong, and how they are named.
        timing: what time it is, and how to wait.
        entropy: gives that many random bytes, from the operating system's generator.
        dry_run: count what would be done, and change nothing anywhere.
    """

    def __init__(
        self,
        *,
        plane: ControlPlane,
        queue: PlanQueue,
        directory: Directory,
        lease: RunLease,
        tier: Tier,
        timing: Timing,
        entropy: Callable[[int], bytes],
        dry_run: bool,
    ) -> None:
        self._plane = plane
        self._queue = queue
        self._directory = directory
        self._lease = lease
        self._tier = tier
        self._timing = timing
        self._entropy = entropy
        self._dry_run = dry_run

    def run(self, *, time_left: Callable[[], float], sweep: bool) -> RunSummary:
        """Do what can be done in the time there is; what is left is the next run's.

        Args:
            time_left: seconds until no further call may start.
            sweep: begin a sweep, unless one is under way.

        Raises:
            StoreUnavailable: the keys table is out.
        """
        summary = RunSummary()
        progress = self._begin_or_resume(sweep=sweep)
        first_owner = str(UUID(bytes=self._entropy(16)))
        pending = self._queue.pending(first_owner=first_owner)
        summary.queue_depth = len(pending)
        if self._dry_run:
            self._work(progress, pending, time_left, summary)
        elif pending or progress is not None:
            self._work_alone(progress, pending, time_left, summary)
        return summary

    def _begin_or_resume(self, *, sweep: bool) -> Progress | None:
        progress = self._directory.progress()
        if progress is None and sweep:
            progress = Progress()
            if not self._dry_run:
                self._directory.advance(progress)
        return progress

    def _work_alone(
        self,
        progress: Progress | None,
        pending: list[Work],
        time_left: Callable[[], float],
        summary: RunSummary,
    ) -> None:
        now_ms = self._timing.now_ms()
        # A call that began in time may end after it: no other run starts meanwhile.
        until_ms = now_ms + round(time_left() * 1000) + _LAST_CALL_MS
        if not self._lease.take(now_ms=now_ms, until_ms=until_ms):
            summary.skipped = 1
            return
        try:
            self._work(progress, pending, time_left, summary)
        finally:
            self._lease.give_back(until_ms=until_ms)

    def _work(
        self,
        progress: Progress | None,
        pending: list[Work],
        time_left: Callable[[], float],
        summary: RunSummary,
    ) -> None:
        kept_back = 0.0 if progress is None else time_left() * _SWEEP_SHARE
        pace = Pace(
            clock=self._timing.clock,
            sleep=self._timing.sleep,
            fraction=self._timing.fraction,
            time_left=lambda: time_left() - kept_back,
            calls_per_second=self._timing.calls_per_second,
        )
        provisioner = Provisioner(
            plane=self._plane,
            queue=self._queue,
            credentials=self._directory,
            pace=pace,
            now_ms=self._timing.now_ms,
            entropy=self._entropy,
            tier=self._tier,
        )
        if self._dry_run:
            provisioner.dry_run(pending, summary)
        else:
            provisioner.drain(pending, summary)
        if progress is not None:
            pace.time_left = time_left
            self._sweep(progress, pending, pace, provisioner, summary)
        summary.throttled += pace.throttled

    def _sweep(
        self,
        progress: Progress,
        pending: list[Work],
        pace: Pace,
        provisioner: Provisioner,
        summary: RunSummary,
    ) -> None:
        sweep = Sweep(
            plane=self._plane,
            queue=self._queue,
            directory=self._directory,
            pace=pace,
            now_ms=self._timing.now_ms,
            remove=provisioner.remove,
            tier=self._tier,
            dry_run=self._dry_run,
        )
        waiting = frozenset(work.key_id for work in pending)
        try:
            sweep.run(progress, waiting=waiting, summary=summary)
        except OutOfTime:
            pass  # the next run goes on where this one stopped
        except ControlPlaneError as error:
            summary.fault(error)
