"""One run of the reconciler: work the queue off, then go on with the sweep that is under way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatgrid_auth.domain.usage_keys import ControlPlaneError
from chatgrid_auth.services.usage_plans.assignment import Provisioner
from chatgrid_auth.services.usage_plans.pacing import OutOfTime, Pace
from chatgrid_auth.services.usage_plans.ports import (
    ControlPlane,
    Directory,
    PlanQueue,
    Progress,
    RunSummary,
    Tier,
    Work,
)
from chatgrid_auth.services.usage_plans.sweep import Sweep

#: What the queue leaves of a run's time to a sweep under way, so that neither starves the other.
_SWEEP_SHARE = 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Time as a run of the reconciler needs it.

    Attributes:
        clock: seconds on a clock that never goes back.
        now_ms: Unix time in milliseconds.
        sleep: waits that many seconds.
        fraction: a random number from 0 to below 1: what part of a back-off is waited.
    """

    clock: Callable[[], float]
    now_ms: Callable[[], int]
    sleep: Callable[[float], None]
    fraction: Callable[[], float]


class Reconciler:
    """Keeps API Gateway's usage-plan keys in step with ChatGrid keys.

    Two runs at once do no harm, they only waste calls: values are written down before use and
    unique in the account, and each entry of the queue is changed only as it was read.

    Args:
        plane: API Gateway.
        queue: the work that issuing and revoking left.
        directory: all ChatGrid keys, for the sweep.
        tier: where the keys belong, and how they are named.
        timing: what time it is, and how to wait.
        entropy: gives that many random bytes, from the operating system's generator.
        create_rate: creations of keys a second, and as many deletions.
        rehearse: count what would be done, and change nothing anywhere.
    """

    def __init__(
        self,
        *,
        plane: ControlPlane,
        queue: PlanQueue,
        directory: Directory,
        tier: Tier,
        timing: Timing,
        entropy: Callable[[int], bytes],
        create_rate: float,
        rehearse: bool,
    ) -> None:
        self._plane = plane
        self._queue = queue
        self._directory = directory
        self._tier = tier
        self._timing = timing
        self._entropy = entropy
        self._create_rate = create_rate
        self._rehearse = rehearse

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
        pending = self._queue.pending()
        summary.queue_depth = len(pending)
        self._drain(pending, time_left, summary, share=1 if progress is None else 1 - _SWEEP_SHARE)
        if progress is not None:
            self._sweep(progress, pending, time_left, summary)
        return summary

    def _begin_or_resume(self, *, sweep: bool) -> Progress | None:
        progress = self._directory.progress()
        if progress is None and sweep:
            progress = Progress()
            if not self._rehearse:
                self._directory.advance(progress)
        return progress

    def _drain(
        self,
        pending: list[Work],
        time_left: Callable[[], float],
        summary: RunSummary,
        *,
        share: float,
    ) -> None:
        kept_back = time_left() * (1 - share)
        pace = self._pace(lambda: time_left() - kept_back)
        provisioner = self._provisioner(pace)
        if self._rehearse:
            provisioner.rehearse(pending, summary)
        else:
            provisioner.drain(pending, summary)
        summary.throttled += pace.throttled

    def _sweep(
        self,
        progress: Progress,
        pending: list[Work],
        time_left: Callable[[], float],
        summary: RunSummary,
    ) -> None:
        pace = self._pace(time_left)
        sweep = Sweep(
            plane=self._plane,
            queue=self._queue,
            directory=self._directory,
            pace=pace,
            now_ms=self._timing.now_ms,
            remove=self._provisioner(pace).remove,
            tier=self._tier,
            rehearse=self._rehearse,
        )
        waiting = frozenset(work.key_id for work in pending)
        try:
            sweep.run(progress, waiting=waiting, summary=summary)
        except OutOfTime:
            pass  # the next run goes on where this one stopped
        except ControlPlaneError as error:
            summary.fault(error)
        summary.throttled += pace.throttled

    def _pace(self, time_left: Callable[[], float]) -> Pace:
        return Pace(
            clock=self._timing.clock,
            sleep=self._timing.sleep,
            fraction=self._timing.fraction,
            time_left=time_left,
            create_rate=self._create_rate,
        )

    def _provisioner(self, pace: Pace) -> Provisioner:
        return Provisioner(
            plane=self._plane,
            queue=self._queue,
            credentials=self._directory,
            pace=pace,
            now_ms=self._timing.now_ms,
            entropy=self._entropy,
            tier=self._tier,
        )
