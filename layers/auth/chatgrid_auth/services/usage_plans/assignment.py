"""Usage-plan keys follow ChatGrid keys: the work that issuing and revoking leave behind.

Issuing a key leaves ``provision`` in the queue, revoking it ``retire``, each in the transaction
of its own. A step of work may be cut off anywhere and done again: names are the same each time,
the value is written down before it is used, and what the queue says is removed last.

A credential never points at an API Gateway key that is not whole. It is pointed there only when
the key has existed, enabled and in its plan, for the activation delay, and turned away before
the key is touched; in between the tier's shared key serves it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import count

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.errors import ConditionFailed
from chatgrid_auth.domain.usage_keys import (
    ControlPlaneConflict,
    ControlPlaneError,
    ControlPlaneRefused,
    ControlPlaneUnavailable,
    GatewayKey,
    KeyCeilingReached,
)
from chatgrid_auth.services.usage_plans.pacing import OutOfTime, Pace
from chatgrid_auth.services.usage_plans.ports import (
    ControlPlane,
    Credentials,
    PlanQueue,
    RunSummary,
    Tier,
    Work,
)
from chatgrid_auth.services.usage_plans.turns import in_turn

#: After so many faults in a row API Gateway is taken to be out; the rest waits for the next run.
_FAULTS_IN_A_ROW = 5
#: A creation that conflicts, and shows no key of that value, is repeated so often in one run.
_CREATION_TRIES = 3


class Provisioner:
    """Works the queue off, as far as the time goes.

    Args:
        plane: API Gateway.
        queue: the work.
        credentials: the credentials that name API Gateway keys.
        pace: spaces the calls and knows the time left.
        now_ms: the clock, in Unix milliseconds.
        entropy: gives that many random bytes, from the operating system's generator.
        tier: where the keys belong, and how they are named.
    """

    def __init__(
        self,
        *,
        plane: ControlPlane,
        queue: PlanQueue,
        credentials: Credentials,
        pace: Pace,
        now_ms: Callable[[], int],
        entropy: Callable[[int], bytes],
        tier: Tier,
    ) -> None:
        self._plane = plane
        self._queue = queue
        self._credentials = credentials
        self._pace = pace
        self._now_ms = now_ms
        self._entropy = entropy
        self._tier = tier
        self._full = False
        self._room: int | None = None

    def drain(self, pending: Sequence[Work], summary: RunSummary) -> None:
        """Do what can be done now, every owner in turn."""
        faults_in_a_row = 0
        for work in in_turn(pending, now_ms=self._now_ms()):
            try:
                self._pace.check()
                self._step(work, summary)
                faults_in_a_row = 0
            except OutOfTime:
                return
            except ConditionFailed:
                continue  # revoked, or another run's by now: the queue says what is next
            except ControlPlaneUnavailable as error:
                summary.fault(error)
                faults_in_a_row += 1
                if faults_in_a_row == _FAULTS_IN_A_ROW:
                    return
            except ControlPlaneError as error:
                summary.fault(error)

    def dry_run(self, pending: Sequence[Work], summary: RunSummary) -> None:
        """Count what `drain` would begin, and do nothing."""
        for work in pending:
            retires = self._retires(work)
            summary.retired += retires
            summary.activated += not retires and work.ready_at_ms is not None
            summary.created += not retires and work.ready_at_ms is None

    def _retires(self, work: Work) -> bool:
        return work.action == "retire" or not self._tier.own_keys

    def _step(self, work: Work, summary: RunSummary) -> None:
        if self._retires(work):
            self._retire(work, summary)
        elif work.ready_at_ms is None or work.value is None:
            self._provision(work, summary)
        else:
            self._activate(work, work.value, summary)

    def _provision(self, work: Work, summary: RunSummary) -> None:
        """Make the API Gateway key whole, and start its activation delay."""
        # Written down first: a value is unique in the account, so that a second creation, by
        # the run after a crash or by another at the same time, is refused and no second key is
        # made, even while lists do not show the first one yet. The next run will find it.
        chosen = usage_keys.new_value(self._entropy)
        value = work.value or self._queue.reserve(work, value=chosen)
        name = self._tier.name_of(work.key_id)
        key = self._find(name, value)
        if key is None:
            if self._full or not self._has_room():
                self._leave_on_shared_key(work, summary)
                return
            try:
                key = self._create(name, value, work.owner)
            except KeyCeilingReached:
                self._full = True
                self._leave_on_shared_key(work, summary)
                return
            summary.created += 1
            self._took_up(1)
        gateway_id = key.id
        if not key.enabled:
            self._pace.call(lambda: self._plane.enable(gateway_id))
        self._join(gateway_id)
        ready_at_ms = self._now_ms() + usage_keys.ACTIVATION_DELAY_MS
        self._queue.mark_ready(work, value=key.value, ready_at_ms=ready_at_ms)

    def _create(self, name: str, value: str, owner: str) -> GatewayKey:
        create = partial(
            self._plane.create,
            name,
            value=value,
            description=usage_keys.description_of(owner),
        )
        tries = 0
        while True:
            try:
                return self._pace.call(create)
            except ControlPlaneConflict:
                found = self._find(name, value)
                if found is not None and found.value == value:
                    return found  # by a run that was cut off, or is under way
                tries += 1
                if tries == _CREATION_TRIES:
                    raise
                self._pace.back_off(tries)

    def _join(self, gateway_id: str) -> None:
        """Put a key into the plan; one that is there already stays.

        API Gateway answers a conflict also while any other key of the account joins a plan: what it
        was is read back.
        """
        for attempt in count():
            try:
                self._pace.call(lambda: self._plane.attach(gateway_id, plan=self._tier.plan))
            except ControlPlaneConflict as conflict:
                if self._pace.call(lambda: self._plane.is_in(gateway_id, plan=self._tier.plan)):
                    return
                # Two plans of one stage bar each other.
                if self._pace.call(lambda: self._plane.plans_of(gateway_id)):
                    raise ControlPlaneRefused(conflict.operation, conflict.code) from None
                self._pace.back_off(attempt)
            else:
                return

    def _has_room(self) -> bool:
        """Whether the plan may hold one more key; asked once in a run, when it first matters."""
        if self._room is None:
            self._room = self._tier.most_keys
            position: str | None = None
            while True:
                page = partial(self._plane.attached, position, plan=self._tier.plan)
                ids, position = self._pace.call(page)
                self._room -= len(ids)
                if position is None:
                    break
        return self._room > 0

    def _took_up(self, places: int) -> None:
        if self._room is not None:
            self._room -= places

    def _find(self, name: str, value: str | None) -> GatewayKey | None:
        found = self._pace.call(lambda: self._plane.find(name))
        return usage_keys.preferred(found, value=value)

    def _leave_on_shared_key(self, work: Work, summary: RunSummary) -> None:
        """No room in API Gateway: the tier's key serves this one; a sweep looks for room again."""
        self._queue.remove(work)
        summary.ceiling += 1

    def _activate(self, work: Work, value: str, summary: RunSummary) -> None:
        if work.key_hash and self._credentials.assign(work.key_hash, value=value):
            summary.activated += 1
            self._queue.remove(work)
        else:
            # Revocation leaves work of its own; this is for a credential that was taken away.
            self._retire(work, summary)

    def _retire(self, work: Work, summary: RunSummary) -> None:
        """Disable, then delete: the first takes effect at once, the second makes room."""
        name = self._tier.name_of(work.key_id)
        for key in self._pace.call(lambda: self._plane.find(name)):
            self.remove(work.key_hash, key)
            summary.retired += 1
        self._queue.remove(work)

    def remove(self, key_hash: str | None, key: GatewayKey) -> None:
        """Take an API Gateway key away, after the credential that may name it was turned away."""
        if key_hash is not None:
            self._credentials.unassign(key_hash, value=key.value)
        if key.enabled:
            self._pace.call(lambda: self._plane.disable(key.id))
        self._pace.call(lambda: self._plane.delete(key.id))
        self._took_up(-1)
