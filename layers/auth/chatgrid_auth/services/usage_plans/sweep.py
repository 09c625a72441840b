"""The sweep compares every API Gateway key with every ChatGrid key, and queues what differs.

The queue alone keeps the two in step; the sweep is for what the queue cannot know: a key deleted
or disabled in the console, a table restored from a backup, a full account that has room again.
It meets every key, and so finishes revocations that were cut off as well, gives notices and
disables what nobody uses; and it tells the audit log of previous secrets whose grace has run out
since the last one. All that goes on also while API Gateway is out. It changes nothing in
API Gateway by itself except for surplus keys of one name; all else it writes into the queue, so
that there is one place that makes and removes keys.

It looks at live keys in pages and remembers how far it came, so a sweep may take many runs.

An API Gateway key is taken for an orphan only when there is no record of its ChatGrid key under
the owner that its description names, and then no live key at all has that id. The first is known
at once, the second when every page was seen: descriptions can be edited, and then name a user who
has no such key. So a sweep begins with suspects, strikes out whom it meets, and retires the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice

from chatgrid_auth.domain import usage_keys
from chatgrid_auth.domain.usage_keys import ControlPlaneError, ControlPlaneRefused, GatewayKey
from chatgrid_auth.services.usage_plans.inventory import Inventory
from chatgrid_auth.services.usage_plans.pacing import Pace
from chatgrid_auth.services.usage_plans.ports import (
    Action,
    ControlPlane,
    Directory,
    LiveKey,
    PlanQueue,
    Progress,
    RunSummary,
    Tier,
    Work,
)

#: An expired key keeps its API Gateway key for a day, in case the clock or the expiry was wrong.
EXPIRY_GRACE_MS = 86_400_000
#: More orphans than this, and more than half of all: rather the wrong table than orphans.
_SUSPICIOUS_ORPHANS = 20
#: The sweep remembers them after each page; those beyond are the next sweep's.
MOST_SUSPECTS = 1000
_RECORDS_AT_ONCE = 100


class Sweep:
    """One run's part of a sweep.

    Args:
        remove: takes an API Gateway key away, after its credential was turned away.
        dry_run: count, and change nothing.
        (the others as in `Provisioner`)
    """

    def __init__(
        self,
        *,
        plane: ControlPlane,
        queue: PlanQueue,
        directory: Directory,
        pace: Pace,
        now_ms: Callable[[], int],
        remove: Callable[[str | None, GatewayKey], None],
        tier: Tier,
        dry_run: bool,
    ) -> None:
        self._plane = plane
        self._queue = queue
        self._directory = directory
        self._pace = pace
        self._now_ms = now_ms
        self._remove = remove
        self._tier = tier
        self._dry_run = dry_run
        self._room = 0
        self._suspects: set[str] = set()

    def run(self, progress: Progress, *, waiting: frozenset[str], summary: RunSummary) -> None:
        """Go on from there, to the end if the time is enough.

        Args:
            progress: where to go on.
            waiting: ids of the keys that have work in the queue: they are being seen to.
            summary: where findings are counted.

        Raises:
            OutOfTime: not finished; how far it came is remembered.
            ControlPlaneError: API Gateway could not be read.
        """
        if not self._dry_run:
            self._directory.end_graces(self._now_ms())
        try:
            inventory = self._read_account()
        except ControlPlaneError:  # time goes on for the keys all the same
            self._look_after_all(summary)
            raise
        self._room = min(
            usage_keys.KEY_CEILING - inventory.total,
            self._tier.most_keys - len(inventory.attached),
        )
        cursor = progress.cursor
        self._suspects = (
            self._suspected(inventory, waiting, summary)
            if cursor is None
            else set(progress.suspects)
        )
        while True:
            self._pace.check()
            page, cursor = self._directory.live(cursor)
            for live in page:
                self._meet(live, inventory, waiting, summary)
            self._look_after(page, summary)
            if cursor is None:
                break
            if not self._dry_run:
                suspects = frozenset(self._suspects)
                self._directory.advance(Progress(cursor=cursor, suspects=suspects))
        self._retire_suspects(inventory, waiting, summary)
        if not self._dry_run:
            self._directory.finish()
        summary.sweeps += 1

    def _look_after(self, page: Sequence[LiveKey], summary: RunSummary) -> None:
        if not self._dry_run:
            self._directory.look_after(page, summary, now_ms=self._now_ms(), check=self._pace.check)

    def _look_after_all(self, summary: RunSummary) -> None:
        cursor: str | None = None
        while True:
            self._pace.check()
            page, cursor = self._directory.live(cursor)
            self._look_after(page, summary)
            if cursor is None:
                return

    def _read_account(self) -> Inventory:
        """Every key of the account, to be told apart here: a name query matches by prefix."""
        found: list[GatewayKey] = []
        position: str | None = None
        while True:
            keys, position = self._pace.call(partial(self._plane.keys, position))
            found += keys
            if position is None:
                break
        attached: list[str] = []
        while True:
            read = partial(self._plane.attached, position, plan=self._tier.plan)
            ids, position = self._pace.call(read)
            attached += ids
            if position is None:
                break
        return Inventory(found, attached=attached, stack=self._tier.stack)

    def _meet(
        self, live: LiveKey, inventory: Inventory, waiting: frozenset[str], summary: RunSummary
    ) -> None:
        if live.half_revoked:
            summary.unfinished += 1
            if not self._dry_run:
                self._directory.finish_revocation(live)
            return
        if live.key_id in self._suspects:
            # Live, and yet not its owner's: somebody has edited the description.
            self._suspects.discard(live.key_id)
            summary.unidentified += 1
        if live.key_id in waiting:
            return
        if not self._tier.own_keys:
            self._wind_down(live, inventory)
        elif not self._expired(live):
            self._examine(live, inventory, summary)
        elif live.key_id in inventory.by_key and self._expired(live, grace_ms=EXPIRY_GRACE_MS):
            summary.orphaned += 1
            self._leave("retire", live.key_id, live.owner, live.key_hash)

    def _wind_down(self, live: LiveKey, inventory: Inventory) -> None:
        """No key has one of its own any more: back to the tier's, and then away with it."""
        if live.usage_key is not None and not self._dry_run:
            self._directory.unassign(live.key_hash, value=live.usage_key)
        if live.key_id in inventory.by_key:
            self._leave("retire", live.key_id, live.owner, live.key_hash)

    def _examine(self, live: LiveKey, inventory: Inventory, summary: RunSummary) -> None:
        candidates = inventory.by_key.get(live.key_id, [])
        key = usage_keys.preferred(candidates, value=live.usage_key)
        for surplus in candidates:
            if surplus is not key:
                summary.orphaned += 1
                if not self._dry_run:
                    self._remove_surplus(live, surplus, summary)
        finding = inventory.finding(key, usage_key=live.usage_key)
        if finding is None:
            return
        if live.usage_key is not None and not self._dry_run:
            # API Gateway refuses a request under a key that is not whole: first of all, away.
            self._directory.unassign(live.key_hash, value=live.usage_key)
        if key is None:
            self._room -= 1
            if self._room < 0:
                summary.ceiling += 1
                return
        setattr(summary, finding, getattr(summary, finding) + 1)
        self._leave("provision", live.key_id, live.owner, live.key_hash)

    def _remove_surplus(self, live: LiveKey, surplus: GatewayKey, summary: RunSummary) -> None:
        try:
            self._remove(live.key_hash, surplus)
        except ControlPlaneRefused as refused:  # made by hand, without this stack's tag
            summary.fault(refused)
        else:
            summary.retired += 1

    def _suspected(
        self, inventory: Inventory, waiting: frozenset[str], summary: RunSummary
    ) -> set[str]:
        """Ids of which there is no record under the owner that the description names."""
        owners: dict[str, str] = {}
        for key_id in inventory.by_key:
            owner = inventory.owner_of(key_id)
            if owner is None:
                summary.unidentified += 1
            elif key_id not in waiting:
                owners[key_id] = owner
        absent = self._absent(owners)
        if len(absent) > max(_SUSPICIOUS_ORPHANS, len(owners) // 2):
            summary.held += len(absent)
            return set()
        return set(absent[:MOST_SUSPECTS])

    def _retire_suspects(
        self, inventory: Inventory, waiting: frozenset[str], summary: RunSummary
    ) -> None:
        """Leave work for keys that serve nothing: they had no record, and have none now, and no
        live key has their id."""
        owners: dict[str, str] = {}
        for key_id in sorted(self._suspects - waiting):
            owner = inventory.owner_of(key_id)
            if owner is not None:
                owners[key_id] = owner
        for key_id in self._absent(owners):
            summary.orphaned += 1
            self._leave("retire", key_id, "", None)

    def _absent(self, owners: Mapping[str, str]) -> list[str]:
        """Those of these ids, by owner, that have no record: read one by one and consistently."""
        recorded: set[str] = set()
        pairs = ((owner, key_id) for key_id, owner in owners.items())
        while some := list(islice(pairs, _RECORDS_AT_ONCE)):
            self._pace.check()
            recorded.update(self._directory.recorded(some))
        return [key_id for key_id in owners if key_id not in recorded]

    def _leave(self, action: Action, key_id: str, owner: str, key_hash: str | None) -> None:
        if not self._dry_run:
            self._queue.add(Work(key_id=key_id, action=action, owner=owner, key_hash=key_hash))

    def _expired(self, live: LiveKey, *, grace_ms: int = 0) -> bool:
        return live.expires_at_ms is not None and live.expires_at_ms + grace_ms <= self._now_ms()
